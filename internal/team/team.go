// Package team owns the teams of the desk: every ticket has one, and agents
// see the tickets of theirs. Set-up makes the first, "Support". Who is a member
// stands with the agents, in access.
package team

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// Team is a group of agents that shares its tickets.
type Team struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"members"` // agent ids, sorted
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
	team := &Team{ID: desk.NewID(now), Name: name, Members: distinct(members)}
	if err := insert(tx, team, desk.Millis(now)); err != nil {
		return nil, err
	}
	if err := access.SetMembers(tx, team.ID, team.Members, desk.Millis(now)); err != nil {
		return nil, err
	}
	_, err = t.log.Append(tx, desk.Event{Kind: "team.created", Subject: team.ID, Actor: by, New: strings.Join(team.Members, ",")})
	return team, err
}

// distinct is a sorted copy of ids, each once; never nil.
func distinct(ids []string) []string {
	ids = append([]string{}, ids...)
	slices.Sort(ids)
	return slices.Compact(ids)
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
			if err := t.rename(tx, by, old, *name); err != nil {
				return err
			}
		}
		if members != nil {
			return t.setMembers(tx, by, old, distinct(*members))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return Find(t.app, id)
}

func (t *Teams) rename(tx core.App, by desk.Actor, old *Team, name string) error {
	name, err := checkName(tx, name, old.ID)
	if err != nil || name == old.Name {
		return err
	}
	if err := setName(tx, old.ID, name); err != nil {
		return err
	}
	_, err = t.log.Append(tx, desk.Event{Kind: "team.renamed", Subject: old.ID, Actor: by, Detail: map[string]any{"old": old.Name, "new": name}})
	return err
}

// setMembers appends "team.changed", whose name is as old as the log: it is
// about members alone.
func (t *Teams) setMembers(tx core.App, by desk.Actor, old *Team, members []string) error {
	if slices.Equal(members, old.Members) {
		return nil
	}
	if err := access.SetMembers(tx, old.ID, members, desk.Millis(t.clock.Now())); err != nil {
		return err
	}
	_, err := t.log.Append(tx, desk.Event{Kind: "team.changed", Subject: old.ID, Actor: by, Old: strings.Join(old.Members, ","), New: strings.Join(members, ",")})
	return err
}

func checkName(app core.App, name, except string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 80 {
		return "", desk.Errorf(desk.Invalid, "Give the team a name of at most 80 characters.")
	}
	taken, err := nameTaken(app, name, except)
	if err != nil {
		return "", err
	}
	if taken {
		return "", desk.Errorf(desk.Invalid, "There is a team of this name already; choose another name.")
	}
	return name, nil
}

// Exists reports whether there is a team of this id.
func (t *Teams) Exists(app core.App, team string) (bool, error) { return exists(app, team) }

// First is the oldest team, "" before set-up.
func (t *Teams) First(app core.App) (string, error) { return First(app) }

// IsMember reports whether an agent that still works here is a member of team.
func (t *Teams) IsMember(app core.App, team, agent string) (bool, error) {
	return access.IsMember(app, team, agent)
}
