package outbox

import (
	"database/sql"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
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
		err := sqlite.Each(app, func(r *sql.Rows) error {
			var state string
			var n int
			err := r.Scan(&state, &n)
			out[state] = n
			return err
		}, "SELECT d.state, count(*) FROM deliveries d WHERE "+where+" GROUP BY d.state", args...)
		if err != nil {
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

func count(app core.App, of Scope, where string, args ...any) (n int, err error) {
	where, args = of.and(where, args...)
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM deliveries d WHERE "+where, args...)
	return n, err
}

// Waiting is how many deliveries are on their way and since when the oldest is.
func Waiting(app core.App) (n int, oldest int64, err error) {
	_, err = sqlite.One(app, []any{&n, &oldest},
		"SELECT count(*), coalesce(min(created), 0) FROM deliveries WHERE state IN ('queued','sending','deferred','held','scheduled')")
	return n, oldest, err
}

// AutoThisMinute is how much automatic mail the mailboxes sent in the minute after since.
func AutoThisMinute(app core.App, since int64) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, `SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM deliveries d JOIN delivery_recipients r ON r.delivery = d.id
		WHERE d.updated > ? AND d.auto = 1 AND r.attempts > 0 AND r.updated > ? GROUP BY d.mailbox)`, since, since)
	return n, err
}
