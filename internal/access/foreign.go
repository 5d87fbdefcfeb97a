package access

import (
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// nouns are the collections that agents reach through PocketBase's own REST,
// with the permission that changing them takes.
var nouns = map[string]string{"tags": "tag.write"}

// BindForeign puts the permission check in front of the nouns, turns a
// superuser's changes of agents into events, and refuses the rest.
func (a *Access) BindForeign() {
	for name, permission := range nouns {
		check := func(e *core.RecordRequestEvent) error {
			if e.HasSuperuserAuth() {
				return e.Next()
			}
			who, err := a.Caller(e.RequestEvent)
			if err != nil || who == nil || !who.Has(permission) {
				return router.NewForbiddenError("Your role does not allow this ("+permission+").", nil)
			}
			return e.Next()
		}
		a.app.OnRecordCreateRequest(name).BindFunc(check)
		a.app.OnRecordUpdateRequest(name).BindFunc(check)
		a.app.OnRecordDeleteRequest(name).BindFunc(check)
	}
	a.app.OnRecordUpdateRequest(agentsCollection).BindFunc(a.foreignAgent)
	no := func(*core.RecordRequestEvent) error {
		return router.NewForbiddenError("People join by invitation and leave on the people page, so that the log and their tickets know.", nil)
	}
	a.app.OnRecordCreateRequest(agentsCollection).BindFunc(no)
	a.app.OnRecordDeleteRequest(agentsCollection).BindFunc(no)
	event.Refuse(a.app, "Sign-ins, invitations and keys are changed on their own pages, where they are checked and logged.", "sessions", "invitations", "api_keys")
}

// foreignAgent applies a superuser's change of an agent by the same verb;
// e-mail and password are PocketBase's own to change.
func (a *Access) foreignAgent(e *core.RecordRequestEvent) error {
	return event.Within(e, func(tx core.App) error {
		before := e.Record.Original()
		for _, name := range []string{"created", "last_seen"} {
			if e.Record.GetString(name) != before.GetString(name) {
				return desk.Errorf(desk.Refused, "%s follows from what the person does and can't be set.", name)
			}
		}
		var change AgentChange
		if name := e.Record.GetString("name"); name != before.GetString("name") {
			change.Name = &name
		}
		if active := e.Record.GetBool("active"); active != before.GetBool("active") {
			change.Active = &active
		}
		if roles := e.Record.GetStringSlice("roles"); !slices.Equal(roles, before.GetStringSlice("roles")) {
			list := make([]desk.Role, len(roles))
			for i, r := range roles {
				list[i] = desk.Role(r)
			}
			change.Roles = &list
		}
		return a.changeAgent(tx, event.Foreign(e.RequestEvent), []desk.Role{desk.RoleOwner}, e.Record.Id, change)
	})
}
