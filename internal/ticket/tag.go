package ticket

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Tag is a word that tickets carry.
type Tag struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"` // tickets that carry it
}

// TagIDs turns names into ids, making the tags in tx that do not exist yet.
// Names are compared without regard to case; the same one twice is one tag.
func (s *Tickets) TagIDs(tx core.App, by desk.Actor, names []string) ([]string, error) {
	ids := []string{}
	for _, name := range names {
		name = strings.Join(strings.Fields(name), " ")
		if name == "" || len(name) > 60 {
			return nil, desk.Errorf(desk.Invalid, "A tag has 1 to 60 characters.")
		}
		id, found, err := tagNamed(tx, name)
		if err != nil {
			return nil, err
		}
		if !found {
			now := s.clock.Now()
			id = desk.NewID(now)
			if err := insertTag(tx, id, name, desk.Millis(now)); err != nil {
				return nil, err
			}
			if _, err := s.log.Append(tx, desk.Event{Kind: "tag.created", Subject: id, Actor: by}); err != nil {
				return nil, err
			}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
