// Package team owns the teams of the desk: every ticket has one, and agents
// see the tickets of theirs. Set-up makes the first, "Support".
package team

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Team is a group of agents that shares its tickets.
type Team struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"members"` // agent ids
}

// Teams are the teams of one desk.
type Teams struct {
	app   core.App
	log   *event.Log
	clock desk.Clock
}

// New returns the teams of app.
func New(app core.App, log *event.Log, clock desk.Clock) *Teams {
	return &Teams{app: app, log: log, clock: clock}
}

// Add makes a team in tx with the given members.
func (t *Teams) Add(tx core.App, by desk.Actor, name string, members ...string) (*Team, error) {
	name, err := checkName(tx, name, "")
	if err != nil {
		return nil, err
	}
	now := t.clock.Now()
	team := &Team{ID: desk.NewID(now), Name: name, Members: members}
	if err := sqlite.Exec(tx, "INSERT INTO teams (id, name, created) VALUES (?,?,?)", team.ID, name, desk.Millis(now)); err != nil {
		return nil, err
	}
	if err := setMembers(tx, team.ID, members, now.UnixMilli()); err != nil {
		return nil, err
	}
	_, err = t.log.Append(tx, desk.Event{Kind: "team.created", Subject: team.ID, Actor: by, New: strings.Join(members, ",")})
	return team, err
}

// Change renames a team or gives it other members; nil leaves a part as it is.
func (t *Teams) Change(by desk.Actor, id string, name *string, members *[]string) (*Team, error) {
	err := t.app.RunInTransaction(func(tx core.App) error {
		old, err := Find(tx, id)
		if err != nil {
			return err
		}
		if old == nil {
			return desk.Errorf(desk.NotFound, "There is no such team.")
		}
		if name != nil {
			clean, err := checkName(tx, *name, id)
			if err != nil {
				return err
			}
			if err := sqlite.Exec(tx, "UPDATE teams SET name = ? WHERE id = ?", clean, id); err != nil {
				return err
			}
		}
		e := desk.Event{Kind: "team.changed", Subject: id, Actor: by, Old: strings.Join(old.Members, ","), New: strings.Join(old.Members, ",")}
		if members != nil {
			if err := setMembers(tx, id, *members, desk.Millis(t.clock.Now())); err != nil {
				return err
			}
			e.New = strings.Join(*members, ",")
		}
		_, err = t.log.Append(tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return Find(t.app, id)
}

func checkName(app core.App, name, except string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 80 {
		return "", desk.Errorf(desk.Invalid, "Give the team a name of at most 80 characters.")
	}
	taken, err := sqlite.One(app, []any{new(string)}, "SELECT id FROM teams WHERE name = ? COLLATE NOCASE AND id <> ?", name, except)
	if err != nil {
		return "", err
	}
	if taken {
		return "", desk.Errorf(desk.Invalid, "There is a team of this name already; choose another name.")
	}
	return name, nil
}

func setMembers(tx core.App, team string, members []string, now int64) error {
	if err := sqlite.Exec(tx, "DELETE FROM team_members WHERE team = ?", team); err != nil {
		return err
	}
	for _, agent := range members {
		known, err := sqlite.One(tx, []any{new(string)}, "SELECT id FROM agents WHERE id = ?", agent)
		if err != nil {
			return err
		}
		if !known {
			return desk.Errorf(desk.Invalid, "One of these people does not work here any more; choose again.")
		}
		if err := sqlite.Exec(tx, "INSERT INTO team_members (id, team, agent, created) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
			desk.NewID(desk.Time(now)), team, agent, now); err != nil {
			return err
		}
	}
	return nil
}

// All lists the teams by name.
func All(app core.App) ([]Team, error) { return where(app, "1 = 1") }

// Find returns one team, nil when there is none.
func Find(app core.App, id string) (*Team, error) {
	found, err := where(app, "t.id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// First returns the oldest team, where a ticket goes that nothing sends elsewhere.
func First(app core.App) (id string, err error) {
	_, err = sqlite.One(app, []any{&id}, "SELECT id FROM teams ORDER BY created, id LIMIT 1")
	return id, err
}

// Exists reports whether there is a team of this id.
func (t *Teams) Exists(app core.App, team string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM teams WHERE id = ?", team)
}

// IsMember reports whether an agent that still works here is a member of team.
func (t *Teams) IsMember(app core.App, team, agent string) (bool, error) {
	return sqlite.One(app, []any{new(string)},
		"SELECT m.id FROM team_members m JOIN agents a ON a.id = m.agent AND a.active = 1 WHERE m.agent = ? AND m.team = ?", agent, team)
}

func where(app core.App, cond string, args ...any) ([]Team, error) {
	var out []Team
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var t Team
		var members string
		if err := r.Scan(&t.ID, &t.Name, &members); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(members), &t.Members)
		out = append(out, t)
		return err
	}, `SELECT t.id, t.name, (SELECT json_group_array(m.agent) FROM team_members m WHERE m.team = t.id)
		FROM teams t WHERE `+cond+` ORDER BY t.name COLLATE NOCASE`, args...)
	return out, err
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
