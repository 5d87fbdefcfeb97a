// Package access knows who may do what: agents, their roles and teams,
// sign-ins, API keys and invitations, and the one permission check.
//
// matrix.csv says how far each permission of each role goes; roles add up.
// Gate.Caller finds out who calls, Scope says which teams a caller may see,
// CanTeam checks one record.
package access

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/pocketbase/pocketbase/core"
)

// Access is the gate of one desk.
type Access struct {
	app   core.App
	log   *event.Log
	clock desk.Clock // of the desk
	wall  desk.Clock // of the machine: a test clock must not end sign-ins
	teams Teams

	wrong   throttle
	alarms  chan guessing
	mu      sync.Mutex
	guessed map[string]time.Time // id of an agent or superuser -> last alarm
}

// Teams is what access asks about teams.
type Teams interface {
	Exists(app core.App, team string) (bool, error)
	// First is the team of whoever was invited without one, "" when there is none.
	First(app core.App) (string, error)
}

// New returns the gate of app; sign-ins, keys and invitations live by wall.
func New(app core.App, log *event.Log, clock, wall desk.Clock, teams Teams) *Access {
	return &Access{
		app: app, log: log, clock: clock, wall: wall, teams: teams,
		alarms: make(chan guessing, 100), guessed: map[string]time.Time{},
	}
}

// company is the name of the desk's owner, for people who are invited.
func (a *Access) company(app core.App) string { return setting.Text(app, setting.DeskName) }

// Caller implements route.Gate: the agent of a sign-in, an API key, or nil.
func (a *Access) Caller(e *core.RequestEvent) (*route.Caller, error) {
	token := strings.TrimSpace(e.Request.Header.Get("Authorization"))
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		token = token[7:]
	}
	switch {
	case token == "":
		return nil, nil
	case strings.HasPrefix(token, keyPrefix):
		return a.callerOfKey(token)
	case e.Auth == nil:
		return nil, errSignIn
	case e.Auth.IsSuperuser():
		return superuser(e.Auth.Id, e.Auth.Email()), nil
	case e.Auth.Collection().Name != agentsCollection:
		return nil, errSignIn
	}
	return a.callerOfSession(e.Auth.Id, sessionOf(token))
}

var errSignIn = desk.Errorf(desk.Unauthorized, "Your sign-in is no longer valid; sign in again.")

func superuser(id, email string) *route.Caller {
	return &route.Caller{
		Actor: desk.Actor{Kind: desk.ActorSuper, ID: id}, Name: email, Email: email,
		Roles: []desk.Role{desk.RoleOwner}, Permissions: permissionsOf([]desk.Role{desk.RoleOwner}),
	}
}

// callerOfSession checks that the session goes on and loads its agent.
func (a *Access) callerOfSession(agent, session string) (*route.Caller, error) {
	s, err := findSession(a.app, session)
	if err != nil {
		return nil, err
	}
	now := desk.Millis(a.wall.Now())
	if s == nil || s.Agent != agent || s.ended(now) {
		return nil, errSignIn
	}
	if now-s.LastSeen > seenEvery {
		if err := touchSession(a.app, session, agent, now); err != nil { // a full disk must not lock anybody out
			a.app.Logger().Warn("when a sign-in was last seen could not be stored", "error", err)
		}
	}
	return a.CallerOf(agent, session)
}

// Again is who c is now: nil when the sign-in has ended, the agent stopped
// working here, or the key was revoked or has expired.
func (a *Access) Again(app core.App, c *route.Caller) (*route.Caller, error) {
	now := desk.Millis(a.wall.Now())
	switch c.Actor.Kind {
	case desk.ActorAgent:
		s, err := findSession(app, c.Session)
		if err != nil || s == nil || s.Agent != c.Actor.ID || s.ended(now) {
			return nil, err
		}
		again, err := callerOf(app, c.Actor.ID, c.Session)
		if errors.Is(err, errSignIn) {
			return nil, nil
		}
		return again, err
	case desk.ActorAPIKey:
		key, err := findKey(app, c.Actor.ID)
		if err != nil || key == nil || !key.works(now) {
			return nil, err
		}
		return key.caller(), nil
	case desk.ActorSuper:
		r, err := findSuperuser(app, c.Actor.ID)
		if err != nil || r == nil {
			return nil, err
		}
		return superuser(r.Id, r.Email()), nil
	}
	return nil, nil
}

// CallerOf builds the caller an agent is, without a request; session may be "".
func (a *Access) CallerOf(agent, session string) (*route.Caller, error) {
	return callerOf(a.app, agent, session)
}

// CallerIn is CallerOf within app, which may be a transaction; nil for who does
// not work here.
func CallerIn(app core.App, agent string) (*route.Caller, error) {
	who, err := callerOf(app, agent, "")
	if errors.Is(err, errSignIn) {
		return nil, nil
	}
	return who, err
}

func callerOf(app core.App, agent, session string) (*route.Caller, error) {
	who, err := FindAgent(app, agent)
	if err != nil {
		return nil, err
	}
	if who == nil || !who.Active {
		return nil, errSignIn
	}
	return &route.Caller{
		Actor: desk.Agent(who.ID), Name: who.Name, Email: who.Email, Roles: who.Roles,
		Teams: who.Teams, Session: session, Permissions: permissionsOf(who.Roles),
	}, nil
}

// Scope says which teams' records the caller reaches by a permission: all of
// them, or those listed (none when the list is empty).
func Scope(c *route.Caller, permission string) (all bool, teams []string) {
	switch Reach(c.Permissions[permission]) {
	case ReachAll:
		return true, nil
	case ReachTeam:
		return false, c.Teams
	}
	return false, nil
}

// CanTeam reports whether the caller holds a permission for a record of team.
func CanTeam(c *route.Caller, permission, team string) bool {
	all, teams := Scope(c, permission)
	return all || slices.Contains(teams, team)
}
