package outbox

import (
	"database/sql"
	"strings"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Plans tells how SQLite does what is asked often: by name, its plan in one text.
func Plans(app core.App) (map[string]string, error) {
	live, _ := Scope{}.and("d.state IN ('held','scheduled','queued','sending','deferred')")
	open, _ := Scope{}.and(attention)
	out := map[string]string{}
	for name, query := range map[string]string{
		"live":      "SELECT d.state, count(*) FROM deliveries d WHERE " + live + " GROUP BY d.state",
		"attention": "SELECT count(*) FROM deliveries d WHERE " + open,
		"list":      "SELECT " + columns + " FROM deliveries d WHERE " + open + " ORDER BY d.updated DESC, d.id DESC LIMIT 51",
		"put away":  "SELECT " + columns + " FROM deliveries d WHERE d.put_away > 0 ORDER BY d.updated DESC, d.id DESC LIMIT 51",
		"sent":      "SELECT count(*) FROM deliveries d WHERE d.state = 'sent' AND d.updated >= 1",
		"mailboxes": mailboxesBusy,
		"due":       "SELECT r.id FROM delivery_recipients r WHERE r.mailbox = 'x' AND r.auto = 0 AND " + waits + " AND r.next_try > 0 AND r.next_try <= 1 ORDER BY r.next_try LIMIT 4",
		"next":      strings.ReplaceAll(soonest, "?1", "1"),
	} {
		var steps []string
		err := sqlite.Each(app, func(r *sql.Rows) error {
			var id, parent, unused int
			var step string
			err := r.Scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return err
		}, "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			return nil, err
		}
		out[name] = strings.Join(steps, "; ")
	}
	return out, nil
}
