package ticket

import (
	"database/sql"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Tag is a word that tickets carry.
type Tag struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"` // tickets that carry it
}

// TagIDs turns names into ids, making the tags in tx that do not exist yet.
// Names are compared without regard to case.
func (s *Tickets) TagIDs(tx core.App, by desk.Actor, names []string) ([]string, error) {
	ids := []string{}
	for _, name := range names {
		name = strings.Join(strings.Fields(name), " ")
		if name == "" || len(name) > 60 {
			return nil, desk.Errorf(desk.Invalid, "A tag has 1 to 60 characters.")
		}
		var id string
		found, err := sqlite.One(tx, []any{&id}, "SELECT id FROM tags WHERE name = ? COLLATE NOCASE", name)
		if err != nil {
			return nil, err
		}
		if !found {
			now := s.clock.Now()
			id = desk.NewID(now)
			if err := sqlite.Exec(tx, "INSERT INTO tags (id, name, created) VALUES (?,?,?)", id, name, desk.Millis(now)); err != nil {
				return nil, err
			}
			if _, err := s.log.Append(tx, desk.Event{Kind: "tag.created", Subject: id, Actor: by}); err != nil {
				return nil, err
			}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Tags lists every tag by name with how many tickets carry it.
func Tags(app core.App) ([]Tag, error) {
	out := []Tag{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var t Tag
		err := r.Scan(&t.ID, &t.Name, &t.Count)
		out = append(out, t)
		return err
	}, "SELECT id, name, (SELECT count(*) FROM ticket_tags WHERE tag = tags.id) FROM tags ORDER BY name COLLATE NOCASE")
	return out, err
}

// TagNames maps the ids of every tag to its name.
func TagNames(app core.App) (map[string]string, error) {
	out := map[string]string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id, name string
		err := r.Scan(&id, &name)
		out[id] = name
		return err
	}, "SELECT id, name FROM tags")
	return out, err
}
