package team

import (
	"database/sql"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const teamsCollection = "teams"

func insert(tx core.App, t *Team, now int64) error {
	return sqlite.Exec(tx, "INSERT INTO teams (id, name, created) VALUES (?,?,?)", t.ID, t.Name, now)
}

func setName(tx core.App, id, name string) error {
	return sqlite.Exec(tx, "UPDATE teams SET name = ? WHERE id = ?", name, id)
}

func nameTaken(app core.App, name, except string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM teams WHERE name = ? COLLATE NOCASE AND id <> ?", name, except)
}

// All lists the teams by name.
func All(app core.App) ([]Team, error) { return where(app, "1 = 1") }

// Find returns one team, nil when there is none.
func Find(app core.App, id string) (*Team, error) {
	found, err := where(app, "id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func where(app core.App, cond string, args ...any) ([]Team, error) {
	members, err := access.Members(app)
	if err != nil {
		return nil, err
	}
	var out []Team
	err = sqlite.Each(app, func(r *sql.Rows) error {
		var t Team
		err := r.Scan(&t.ID, &t.Name)
		if t.Members = members[t.ID]; t.Members == nil {
			t.Members = []string{}
		}
		out = append(out, t)
		return err
	}, "SELECT id, name FROM teams WHERE "+cond+" ORDER BY name COLLATE NOCASE", args...)
	return out, err
}

// First returns the oldest team, where a ticket goes that nothing sends
// elsewhere; "" before set-up.
func First(app core.App) (id string, err error) {
	_, err = sqlite.One(app, []any{&id}, "SELECT id FROM teams ORDER BY created, id LIMIT 1")
	return id, err
}

func exists(app core.App, id string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM teams WHERE id = ?", id)
}

// Names maps the ids of all teams to their names.
func Names(app core.App) (map[string]string, error) {
	out := map[string]string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id, name string
		err := r.Scan(&id, &name)
		out[id] = name
		return err
	}, "SELECT id, name FROM teams")
	return out, err
}
