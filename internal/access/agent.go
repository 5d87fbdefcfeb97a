package access

import (
	"encoding/json"
	"net/mail"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// minPassword is the shortest password an agent may have.
const minPassword = 10

// NewAgent is what is needed to add an agent.
type NewAgent struct {
	Name, Email, Password string
	Roles                 []desk.Role
	Teams                 []string // ids
}

// Check answers one sentence about the first thing that is wrong.
func (n *NewAgent) Check() error {
	n.Name, n.Email = strings.TrimSpace(n.Name), strings.TrimSpace(n.Email)
	switch {
	case n.Name == "" || len(n.Name) > 120:
		return fieldError("name", "Give a name of at most 120 characters.")
	case !validAddress(n.Email):
		return fieldError("email", "Give a mail address such as ines@example.com.")
	case len(n.Password) < minPassword:
		return fieldError("password", "The password needs at least 10 characters.")
	case len(n.Password) > 70:
		return fieldError("password", "The password can have at most 70 characters.")
	}
	return checkRoles(n.Roles)
}

func checkRoles(roles []desk.Role) error {
	if len(roles) == 0 {
		return fieldError("roles", "Give at least one role.")
	}
	for _, r := range roles {
		if !r.Valid() {
			return fieldError("roles", "There is no role "+string(r)+"; use owner, admin or associate.")
		}
	}
	return nil
}

func fieldError(field, text string) error {
	return desk.Errorf(desk.Invalid, "%s", text).With(field, map[string]string{"code": "invalid", "message": text})
}

func validAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s, "@") && len(s) <= 254
}

// AddAgent creates an agent in tx and makes it a member of its teams.
func (a *Access) AddAgent(tx core.App, by desk.Actor, n NewAgent) (*core.Record, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	collection, err := tx.FindCachedCollectionByNameOrId(agentsCollection)
	if err != nil {
		return nil, err
	}
	if taken, err := sqlite.One(tx, []any{new(string)}, "SELECT id FROM agents WHERE email = ? COLLATE NOCASE", n.Email); err != nil || taken {
		if err != nil {
			return nil, err
		}
		return nil, fieldError("email", "Somebody with this address works here already; sign in with it.")
	}
	now := a.clock.Now()
	r := core.NewRecord(collection)
	r.Id = desk.NewID(now)
	r.SetEmail(n.Email)
	r.SetPassword(n.Password)
	r.SetVerified(true)
	r.Set("name", n.Name)
	r.Set("roles", n.Roles)
	r.Set("active", true)
	r.Set("created", desk.Millis(now))
	if err := tx.Save(r); err != nil {
		return nil, err
	}
	if err := setMembership(tx, r.Id, n.Teams, desk.Millis(now)); err != nil {
		return nil, err
	}
	_, err = a.log.Append(tx, desk.Event{Kind: "agent.joined", Subject: r.Id, Actor: by, New: roleWords(n.Roles)})
	return r, err
}

func roleWords(roles []desk.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// AgentChange is what may be changed of an agent; nil leaves a part as it is.
type AgentChange struct {
	Name   *string      `json:"name"`
	Roles  *[]desk.Role `json:"roles"`
	Teams  *[]string    `json:"teams"`
	Active *bool        `json:"active"`
}

// ChangeAgent changes an agent. Nobody raises the own role, and the last owner
// stays. A change of role or an end of work ends the agent's sessions.
func (a *Access) ChangeAgent(by desk.Actor, byRoles []desk.Role, id string, change AgentChange) error {
	return a.app.RunInTransaction(func(tx core.App) error { return a.changeAgent(tx, by, byRoles, id, change) })
}

func (a *Access) changeAgent(tx core.App, by desk.Actor, byRoles []desk.Role, id string, change AgentChange) error {
	old, err := FindAgent(tx, id)
	if err != nil {
		return err
	}
	if old == nil {
		return desk.Errorf(desk.NotFound, "There is no such person here.")
	}
	if err := a.mayChange(tx, by, byRoles, old, change); err != nil {
		return err
	}
	return a.applyChange(tx, by, old, change)
}

func (a *Access) mayChange(tx core.App, by desk.Actor, byRoles []desk.Role, old *Agent, change AgentChange) error {
	touchesOwner := slices.Contains(old.Roles, desk.RoleOwner) || change.Roles != nil && slices.Contains(*change.Roles, desk.RoleOwner)
	if touchesOwner && !slices.Contains(byRoles, desk.RoleOwner) {
		return desk.Errorf(desk.Forbidden, "Only an owner may change an owner or make one.")
	}
	if change.Roles != nil {
		if err := checkRoles(*change.Roles); err != nil {
			return err
		}
		if by.ID == old.ID && by.Kind == desk.ActorAgent {
			for _, r := range *change.Roles {
				if !slices.Contains(old.Roles, r) && !slices.Contains(old.Roles, desk.RoleOwner) {
					return desk.Errorf(desk.Forbidden, "Nobody can give themselves a role; ask an owner.")
				}
			}
		}
	}
	loses := change.Active != nil && !*change.Active || change.Roles != nil && !slices.Contains(*change.Roles, desk.RoleOwner)
	if slices.Contains(old.Roles, desk.RoleOwner) && loses {
		owners, err := countOwners(tx)
		if err != nil {
			return err
		}
		if owners <= 1 {
			return desk.Errorf(desk.Refused, "This is the last owner; make somebody else an owner first.")
		}
	}
	return nil
}

func (a *Access) applyChange(tx core.App, by desk.Actor, old *Agent, change AgentChange) error {
	now := desk.Millis(a.clock.Now())
	var events []desk.Event
	if change.Name != nil && len(*change.Name) > 120 {
		return fieldError("name", "Give a name of at most 120 characters.")
	}
	if change.Name != nil && strings.TrimSpace(*change.Name) != "" && *change.Name != old.Name {
		if err := sqlite.Exec(tx, "UPDATE agents SET name = ? WHERE id = ?", strings.TrimSpace(*change.Name), old.ID); err != nil {
			return err
		}
		events = append(events, desk.Event{Kind: "agent.renamed", Subject: old.ID, Actor: by, Detail: map[string]any{"old": old.Name}})
	}
	if change.Roles != nil && roleWords(*change.Roles) != roleWords(old.Roles) {
		roles, err := json.Marshal(*change.Roles)
		if err != nil {
			return err
		}
		if err := sqlite.Exec(tx, "UPDATE agents SET roles = ? WHERE id = ?", string(roles), old.ID); err != nil {
			return err
		}
		events = append(events, desk.Event{Kind: "agent.roles_changed", Subject: old.ID, Actor: by, Old: roleWords(old.Roles), New: roleWords(*change.Roles)})
	}
	if change.Teams != nil {
		for _, team := range *change.Teams {
			if ok, err := teamExists(tx, team); err != nil || !ok {
				if err != nil {
					return err
				}
				return fieldError("teams", "One of these teams does not exist any more; choose again.")
			}
		}
		if err := setMembership(tx, old.ID, *change.Teams, now); err != nil {
			return err
		}
		events = append(events, desk.Event{
			Kind: "agent.teams_changed", Subject: old.ID, Actor: by,
			Old: strings.Join(old.Teams, ","), New: strings.Join(*change.Teams, ","),
		})
	}
	if change.Active != nil && *change.Active != old.Active {
		if err := sqlite.Exec(tx, "UPDATE agents SET active = ? WHERE id = ?", *change.Active, old.ID); err != nil {
			return err
		}
		kind := map[bool]string{true: "agent.returned", false: "agent.left"}[*change.Active]
		events = append(events, desk.Event{Kind: kind, Subject: old.ID, Actor: by})
		if !*change.Active {
			if _, err := endSessions(tx, desk.Millis(a.wall.Now()), "agent = ?", old.ID); err != nil {
				return err
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	_, err := a.log.Append(tx, events...)
	return err
}

// Solo reports whether one person runs the desk alone.
func Solo(app core.App) (bool, error) {
	n, err := countAgents(app)
	return n < 2, err
}
