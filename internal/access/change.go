package access

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/pocketbase/pocketbase/core"
)

// Bounds of what people write about themselves, in bytes.
const (
	maxName      = 120
	maxSignature = 10_000 // of HTML
)

// AgentChange is what may be changed of an agent; nil leaves a part as it is.
type AgentChange struct {
	Name   *string      `json:"name"`
	Roles  *[]desk.Role `json:"roles"`
	Teams  *[]string    `json:"teams"`
	Active *bool        `json:"active"`
}

// ChangeAgent changes an agent. Nobody raises the own role, and the last owner
// stays. Who stops working here is signed out everywhere; another role or team
// counts from the next request on.
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
			return desk.Errorf(desk.Refused, "This is the last owner; make somebody else an owner first.").With("guard", "last_owner")
		}
	}
	return nil
}

// applyChange does each part that differs, with an event for each.
func (a *Access) applyChange(tx core.App, by desk.Actor, old *Agent, change AgentChange) error {
	parts := []func(core.App, *Agent, AgentChange) (*desk.Event, error){a.rename, a.changeRoles, a.changeTeams, a.changeActive}
	var events []desk.Event
	for _, part := range parts {
		e, err := part(tx, old, change)
		if err != nil {
			return err
		}
		if e != nil {
			e.Subject, e.Actor = old.ID, by
			events = append(events, *e)
		}
	}
	if len(events) == 0 {
		return nil
	}
	if _, err := a.log.Append(tx, events...); err != nil {
		return err
	}
	if change.Active != nil && !*change.Active && old.Active {
		return a.endSessions(tx, by, "agent_left", old.ID, all)
	}
	return nil
}

func (a *Access) rename(tx core.App, old *Agent, change AgentChange) (*desk.Event, error) {
	if change.Name == nil {
		return nil, nil
	}
	name := strings.TrimSpace(*change.Name)
	if name == "" || len(name) > maxName {
		return nil, fieldError("name", "Give a name of at most 120 characters.")
	}
	if name == old.Name {
		return nil, nil
	}
	return &desk.Event{Kind: "agent.renamed", Detail: map[string]any{"old": old.Name, "new": name}}, setName(tx, old.ID, name)
}

func (a *Access) changeRoles(tx core.App, old *Agent, change AgentChange) (*desk.Event, error) {
	if change.Roles == nil || roleWords(*change.Roles) == roleWords(old.Roles) {
		return nil, nil
	}
	return &desk.Event{Kind: "agent.roles_changed", Old: roleWords(old.Roles), New: roleWords(*change.Roles)}, setRoles(tx, old.ID, *change.Roles)
}

func (a *Access) changeTeams(tx core.App, old *Agent, change AgentChange) (*desk.Event, error) {
	if change.Teams == nil {
		return nil, nil
	}
	teams := distinct(*change.Teams)
	if slices.Equal(teams, old.Teams) {
		return nil, nil
	}
	if err := a.checkTeams(tx, teams); err != nil {
		return nil, err
	}
	return &desk.Event{Kind: "agent.teams_changed", Old: strings.Join(old.Teams, ","), New: strings.Join(teams, ",")},
		setTeams(tx, old.ID, teams, desk.Millis(a.clock.Now()))
}

func (a *Access) checkTeams(app core.App, teams []string) error {
	for _, team := range teams {
		known, err := a.teams.Exists(app, team)
		if err != nil {
			return err
		}
		if !known {
			return fieldError("teams", "One of these teams does not exist any more; choose again.")
		}
	}
	return nil
}

func (a *Access) changeActive(tx core.App, old *Agent, change AgentChange) (*desk.Event, error) {
	if change.Active == nil || *change.Active == old.Active {
		return nil, nil
	}
	kind := map[bool]string{true: "agent.returned", false: "agent.left"}[*change.Active]
	return &desk.Event{Kind: kind}, setActive(tx, old.ID, *change.Active)
}

// SetSignature changes the signature of an agent, which is made safe first.
func (a *Access) SetSignature(by desk.Actor, agent, html string) error {
	return a.app.RunInTransaction(func(tx core.App) error { return a.setSignature(tx, by, agent, html) })
}

func (a *Access) setSignature(tx core.App, by desk.Actor, agent, html string) error {
	html = richtext.SanitizeCompose(html)
	if len(html) > maxSignature {
		return fieldError("signature", "The signature is too long; shorten it.")
	}
	old, err := FindAgent(tx, agent)
	if err != nil || old == nil || old.Signature == html {
		return err
	}
	if err := setSignature(tx, agent, html); err != nil {
		return err
	}
	_, err = a.log.Append(tx, desk.Event{Kind: "agent.signature_changed", Subject: agent, Actor: by, Detail: map[string]any{"old": old.Signature, "new": html}})
	return err
}
