package outbox

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Scope limits what is listed or counted to what a caller may see: a condition
// on the alias d of deliveries. The zero Scope is all of them.
type Scope struct {
	Cond string
	Args []any
}

// Words for a Filter's State beside the states themselves. What was put away is
// under its own word only.
const (
	StateAttention = "attention" // failed or uncertain
	StatePutAway   = "put_away"
)

// Filter chooses deliveries for a list.
type Filter struct {
	State   string // a state or one of the words above, "" for all
	Of      Scope
	Before  int64  // Updated to go on below, 0 for the start
	BeforeN string // id to go on below within Before
	Limit   int
}

// attention is the condition of what waits for a person, as the index says it.
const attention = "d.state IN ('failed','uncertain') AND d.put_away = 0"

// List lists deliveries, the last changed first.
func List(app core.App, f Filter) ([]*Delivery, error) {
	where, args := f.where()
	if f.Before != 0 {
		where += " AND (d.updated, d.id) < (?, ?)"
		args = append(args, f.Before, f.BeforeN)
	}
	return deliveriesWhere(app, where+" ORDER BY d.updated DESC, d.id DESC LIMIT ?", append(args, f.Limit)...)
}

func (f Filter) where() (string, []any) {
	switch {
	case f.State == "":
		return f.Of.and("1 = 1")
	case f.State == StateAttention:
		return f.Of.and(attention)
	case f.State == StatePutAway:
		return f.Of.and("d.put_away > 0")
	case needsPerson(desk.SendState(f.State)):
		return f.Of.and(attention+" AND d.state = ?", f.State)
	}
	return f.Of.and("d.state = ?", f.State)
}

// and puts a condition and the scope together.
func (s Scope) and(where string, args ...any) (string, []any) {
	if s.Cond == "" {
		return where, args
	}
	return where + " AND " + s.Cond, append(args, s.Args...)
}

// Counts is how many deliveries are in each state that is not final; failed and
// uncertain ones count until somebody settles them or puts them away.
func Counts(app core.App, of Scope) (map[string]int, error) {
	out := map[string]int{}
	for _, where := range []string{"d.state IN ('held','scheduled','queued','sending','deferred')", attention} {
		where, args := of.and(where)
		if err := countStates(app, out, where, args...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CountAttention is how many deliveries wait for a person.
func CountAttention(app core.App, of Scope) (int, error) { return count(app, of, attention) }

// CountSentSince is how many deliveries were sent since a time.
func CountSentSince(app core.App, of Scope, since int64) (int, error) {
	return count(app, of, "d.state = 'sent' AND d.updated >= ?", since)
}

// CountHeldAutomatic is how much automatic mail waits, whatever holds it.
func CountHeldAutomatic(app core.App) (int, error) {
	return count(app, Scope{}, "d.state = 'held' AND d.auto = 1")
}

// CountHeldByBreaker is how many deliveries wait because there was too much
// automatic mail.
func CountHeldByBreaker(app core.App) (int, error) {
	return count(app, Scope{}, "d.state = 'held' AND d.held_by = 'breaker'")
}

func count(app core.App, of Scope, where string, args ...any) (int, error) {
	where, args = of.and(where, args...)
	return countWhere(app, where, args...)
}
