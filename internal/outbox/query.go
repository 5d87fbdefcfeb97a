package outbox

import (
	"database/sql"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// NeedsPerson are the states in which a delivery waits for a person.
const NeedsPerson = "'failed','uncertain'"

// Filter chooses deliveries for a list.
type Filter struct {
	State   string   // a state, "attention" for those that need a person, "" for all
	Teams   []string // only those of tickets of these teams; nil = all, empty = none
	Before  int64    // Updated to go on below, 0 for the start
	BeforeN string   // id to go on below within Before
	Limit   int
}

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
	where, args := "1 = 1", []any{}
	switch f.State {
	case "":
	case "attention":
		where = "d.state IN (" + NeedsPerson + ")"
	default:
		where, args = "d.state = ?", append(args, f.State)
	}
	if f.Teams != nil {
		where += " AND d.ticket IN (SELECT id FROM tickets WHERE team IN (" + sqlite.Marks(len(f.Teams)) + "))"
		for _, t := range f.Teams {
			args = append(args, t)
		}
	}
	return where, args
}

// Counts is how many deliveries are in each state; sent ones count since a time.
func Counts(app core.App, teams []string, sentSince int64) (map[string]int, error) {
	out := map[string]int{}
	where, args := Filter{Teams: teams}.where()
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		out[state] = n
		return err
	}, "SELECT d.state, count(*) FROM deliveries d WHERE "+where+" AND (d.state NOT IN ('sent','cancelled') OR d.updated >= ?) GROUP BY d.state",
		append(args, sentSince)...)
	return out, err
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

// CountHeldAutomatic is how much automatic mail waits, whatever holds it.
func CountHeldAutomatic(app core.App) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM deliveries WHERE state = 'held' AND auto = 1")
	return n, err
}

// CountHeldByBreaker is how many deliveries wait because there was too much
// automatic mail.
func CountHeldByBreaker(app core.App) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM deliveries WHERE state = 'held' AND held_by = 'breaker'")
	return n, err
}
