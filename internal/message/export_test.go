package message

import (
	"database/sql"
	"strings"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Plan tells how SQLite finds the messages of a condition.
func Plan(app core.App, cond string) (string, error) {
	var steps []string
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id, parent, unused int
		var step string
		err := r.Scan(&id, &parent, &unused, &step)
		steps = append(steps, step)
		return err
	}, "EXPLAIN QUERY PLAN SELECT "+columns+" FROM messages WHERE "+cond)
	return strings.Join(steps, "; "), err
}
