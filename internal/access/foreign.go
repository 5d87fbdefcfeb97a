package access

import (
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// BindForeign puts the permission check in front of the nouns, the collections
// that agents reach through PocketBase's own REST (by name, with the permission
// that changing them takes), turns what PocketBase changes of agents and
// superusers into events, and refuses the rest.
func (a *Access) BindForeign(nouns map[string]string) {
	for name, permission := range nouns {
		a.bindNoun(name, permission)
	}
	a.app.OnRecordUpdateRequest(agentsCollection).BindFunc(a.foreignAgent)
	a.app.OnRecordConfirmPasswordResetRequest(agentsCollection).BindFunc(a.passwordReset)
	a.app.OnRecordConfirmEmailChangeRequest(agentsCollection).BindFunc(a.emailConfirmed)
	no := func(*core.RecordRequestEvent) error {
		return router.NewForbiddenError("People join by invitation and leave on the people page, so that the log and their tickets know.", nil)
	}
	a.app.OnRecordCreateRequest(agentsCollection).BindFunc(no)
	a.app.OnRecordDeleteRequest(agentsCollection).BindFunc(no)
	event.RefuseDelete(a.app, "People are not deleted here: the log and their tickets would lose them.", agentsCollection)
	event.Refuse(a.app, "Sign-ins, invitations, keys and memberships are changed on their own pages, where they are checked and logged.",
		sessionsCollection, invitationsCollection, keysCollection, membersCollection)
	a.bindSuperusers()
}

func (a *Access) bindNoun(name, permission string) {
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

// foreignAgent applies a superuser's change of an agent by the same verbs.
// PocketBase itself writes e-mail and password, which end every sign-in.
func (a *Access) foreignAgent(e *core.RecordRequestEvent) error {
	return event.Within(e, func(tx core.App) error {
		by, before := event.Foreign(e.RequestEvent), e.Record.Original()
		for _, name := range []string{"created", "last_seen"} {
			if e.Record.GetString(name) != before.GetString(name) {
				return desk.Errorf(desk.Refused, "%s follows from what the person does and can't be set.", name)
			}
		}
		if err := a.changeAgent(tx, by, []desk.Role{desk.RoleOwner}, e.Record.Id, changeOf(e.Record, before)); err != nil {
			return err
		}
		if html := e.Record.GetString("signature"); html != before.GetString("signature") {
			if err := a.setSignature(tx, by, e.Record.Id, html); err != nil {
				return err
			}
		}
		opened, answered := e.Record.GetBool("notify_new"), e.Record.GetBool("notify_answer")
		if err := a.setNotices(tx, by, e.Record.Id, &opened, &answered); err != nil {
			return err
		}
		if err := a.signInChanged(tx, by, e.Record, before); err != nil {
			return err
		}
		return fill(tx, e.Record)
	})
}

// changeOf is what a record changes of an agent, each part only where it differs.
func changeOf(now, before *core.Record) (change AgentChange) {
	if name := now.GetString("name"); name != before.GetString("name") {
		change.Name = &name
	}
	if active := now.GetBool("active"); active != before.GetBool("active") {
		change.Active = &active
	}
	if roles := now.GetStringSlice("roles"); !slices.Equal(roles, before.GetStringSlice("roles")) {
		list := make([]desk.Role, len(roles))
		for i, r := range roles {
			list[i] = desk.Role(r)
		}
		change.Roles = &list
	}
	return change
}

// fill makes the record what the verbs have made of the agent, so that saving
// it changes nothing more.
func fill(tx core.App, r *core.Record) error {
	stored, err := FindAgent(tx, r.Id)
	if err != nil {
		return err
	}
	r.Set("name", stored.Name)
	r.Set("signature", stored.Signature)
	return nil
}

// signInChanged logs that r has another e-mail, password or token key than
// before, and ends the agent's sessions then: PocketBase makes their tokens
// void.
func (a *Access) signInChanged(tx core.App, by desk.Actor, r, before *core.Record) error {
	reason := ""
	var events []desk.Event
	if r.TokenKey() != before.TokenKey() {
		reason = "token_key_changed"
	}
	if r.Email() != before.Email() {
		reason = "email_changed"
		events = append(events, emailEvent(r.Id, by, before.Email(), r.Email()))
	}
	if r.GetString(core.FieldNamePassword) != "" { // a new one, in plain text until it is stored
		reason = "password_changed"
		events = append(events, desk.Event{Kind: "agent.password_changed", Subject: r.Id, Actor: by})
	}
	if reason == "" {
		return nil
	}
	if _, err := a.log.Append(tx, events...); err != nil {
		return err
	}
	return a.endSessions(tx, by, reason, r.Id, all)
}

func emailEvent(agent string, by desk.Actor, old, email string) desk.Event {
	return desk.Event{Kind: "agent.email_changed", Subject: agent, Actor: by, Detail: map[string]any{"old": old, "new": email}}
}

// passwordReset logs that an agent has set a new password by the link of a
// mail, and ends all sessions of the old one. PocketBase hashes it inside the
// transaction, which is seldom enough.
func (a *Access) passwordReset(e *core.RecordConfirmPasswordResetRequestEvent) error {
	by := desk.Agent(e.Record.Id)
	return event.WithinRequest(e.RequestEvent, e.Next, func(tx core.App) error {
		if _, err := a.log.Append(tx, desk.Event{Kind: "agent.password_changed", Subject: e.Record.Id, Actor: by, Reason: "reset_by_mail"}); err != nil {
			return err
		}
		return a.endSessions(tx, by, "password_changed", e.Record.Id, all)
	})
}

// emailConfirmed logs that an agent has confirmed another e-mail, which ends
// all sessions of the old one.
func (a *Access) emailConfirmed(e *core.RecordConfirmEmailChangeRequestEvent) error {
	by := desk.Agent(e.Record.Id)
	return event.WithinRequest(e.RequestEvent, e.Next, func(tx core.App) error {
		if _, err := a.log.Append(tx, emailEvent(e.Record.Id, by, e.Record.Email(), e.NewEmail)); err != nil {
			return err
		}
		return a.endSessions(tx, by, "email_changed", e.Record.Id, all)
	})
}
