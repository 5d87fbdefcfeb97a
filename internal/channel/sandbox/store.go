package sandbox

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// maxKept is how many mails are kept as arrived; older ones go.
const maxKept = 200

// stored is a mail that arrived at a pretend customer.
type stored struct {
	id       string
	received int64 // ms
	to       []string
	raw      []byte
}

func keep(app core.App, now time.Time, to []string, raw []byte) error {
	list, err := json.Marshal(to)
	if err != nil {
		return fmt.Errorf("keep sandbox mail: %w", err)
	}
	return app.RunInTransaction(func(tx core.App) error {
		err := sqlite.Exec(tx, `INSERT INTO sandbox_mails (id, received, rcpt_to, raw) VALUES (?, ?, ?, ?)`,
			desk.NewID(now), desk.Millis(now), string(list), raw)
		if err != nil {
			return err
		}
		return sqlite.Exec(tx, `DELETE FROM sandbox_mails WHERE seq <= (SELECT max(seq) - ? FROM sandbox_mails)`, maxKept)
	})
}

// arrived lists the mails that arrived at pretend customers, newest first.
func arrived(app core.App) ([]stored, error) { return mailsWhere(app, `1 = 1`) }

// find returns one mail, nil when there is none.
func find(app core.App, id string) (*stored, error) {
	found, err := mailsWhere(app, `id = ?`, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func mailsWhere(app core.App, cond string, args ...any) ([]stored, error) {
	var all []stored
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var m stored
		var to string
		if err := r.Scan(&m.id, &m.received, &to, &m.raw); err != nil {
			return err
		}
		all = append(all, m)
		return json.Unmarshal([]byte(to), &all[len(all)-1].to)
	}, `SELECT id, received, rcpt_to, raw FROM sandbox_mails WHERE `+cond+` ORDER BY seq DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("read sandbox mails: %w", err)
	}
	return all, nil
}
