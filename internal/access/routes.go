package access

import (
	"cmp"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// Routes adds the routes of people, their sign-ins and invitations. site is the
// address under which the desk is reached, for links.
func (a *Access) Routes(t *route.Table, site func(c *route.Call) string) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/agents", Permission: "agent.read", Summary: "Who works here"},
		func(c *route.Call, _ route.None) (route.List[Agent], error) {
			all, err := Agents(c.App)
			for i := range all {
				all[i].Signature, all[i].NotifyNew, all[i].NotifyAnswer = "", false, false
			}
			return route.ListOf(all, ""), err
		})
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/agents/{id}", Permission: "agent.write", Summary: "Change a person's name, roles, teams or access"},
		func(c *route.Call, in AgentChange) (*Agent, error) {
			if err := a.ChangeAgent(c.Caller.Actor, c.Caller.Roles, c.Param("id"), in); err != nil {
				return nil, err
			}
			return FindAgent(c.App, c.Param("id"))
		})
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/me", Permission: route.SignedIn, Summary: "Change the own name, signature, password or which mails one gets"}, a.changeMe)
	a.sessionRoutes(t)
	a.keyRoutes(t)
	a.invitationRoutes(t, site)
}

type meInput struct {
	Name        *string `json:"name"`
	Signature   *string `json:"signature"` // HTML
	Password    *string `json:"password"`
	OldPassword string  `json:"old_password"`

	NotifyNew    *bool `json:"notify_new"`    // mails about new tickets in the own teams
	NotifyAnswer *bool `json:"notify_answer"` // mails about answers in the own tickets
}

func (a *Access) changeMe(c *route.Call, in meInput) (*Agent, error) {
	me := c.Caller.Actor
	if me.Kind != desk.ActorAgent {
		return nil, desk.Errorf(desk.Forbidden, "Only a person has a profile.")
	}
	if in.Name != nil {
		if err := a.ChangeAgent(me, c.Caller.Roles, me.ID, AgentChange{Name: in.Name}); err != nil {
			return nil, err
		}
	}
	if in.Signature != nil {
		if err := a.SetSignature(me, me.ID, *in.Signature); err != nil {
			return nil, err
		}
	}
	if in.NotifyNew != nil || in.NotifyAnswer != nil {
		if err := a.SetNotices(me, me.ID, in.NotifyNew, in.NotifyAnswer); err != nil {
			return nil, err
		}
	}
	if in.Password != nil {
		if err := a.changePassword(c, *in.Password, in.OldPassword); err != nil {
			return nil, err
		}
	}
	return FindAgent(c.App, me.ID)
}

// changePassword also ends every other session of the agent. The token key
// stays, so that this one goes on: ending the others does what PocketBase would
// do by changing the key.
func (a *Access) changePassword(c *route.Call, password, old string) error {
	if len(password) < minPassword || len(password) > 70 {
		return fieldError("password", "The password needs 10 to 70 characters.")
	}
	r, err := c.App.FindRecordById(agentsCollection, c.Caller.Actor.ID)
	if err != nil {
		return err
	}
	if err := a.tryPassword(r, old); err != nil {
		return err
	}
	key := r.TokenKey()
	r.SetPassword(password)
	r.IgnoreUnchangedFields(true) // roles may change while the password is hashed
	return c.App.RunInTransaction(func(tx core.App) error {
		if now, err := a.Again(tx, c.Caller); err != nil || now == nil { // ended while the password was hashed
			return cmp.Or(err, error(errSignIn))
		}
		if err := tx.Save(r); err != nil {
			return err
		}
		if err := keepTokenKey(tx, r.Id, key); err != nil {
			return err
		}
		if _, err := a.log.Append(tx, desk.Event{Kind: "agent.password_changed", Subject: r.Id, Actor: c.Caller.Actor}); err != nil {
			return err
		}
		return a.endSessions(tx, c.Caller.Actor, "password_changed", r.Id, func(s Session) bool { return s.ID != c.Caller.Session })
	})
}

// shownSession is a sign-in as its agent sees it.
type shownSession struct {
	ID        string `json:"id"`
	Created   string `json:"created"`
	LastSeen  string `json:"last_seen"`
	IP        string `json:"ip"`
	UserAgent string `json:"user_agent"`
	Current   bool   `json:"current"`
}

func (a *Access) sessionRoutes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/sessions", Permission: route.SignedIn, Summary: "The caller's sign-ins that go on"},
		func(c *route.Call, _ route.None) (route.List[shownSession], error) {
			found, err := running(c.App, c.Caller.Actor.ID, desk.Millis(a.wall.Now()))
			out := make([]shownSession, len(found))
			for i, s := range found {
				out[i] = shownSession{s.ID, desk.MustStamp(s.Created), desk.MustStamp(s.LastSeen), s.IP, s.UserAgent, s.ID == c.Caller.Session}
			}
			return route.ListOf(out, ""), err
		})
	route.Add(t, route.Route{Method: "DELETE", Path: "/api/desk/sessions/{id}", Permission: route.SignedIn, Summary: "End one of the caller's sign-ins"},
		func(c *route.Call, _ route.None) (route.None, error) {
			return route.None{}, a.EndSession(c.Caller.Actor, c.Caller.Actor.ID, c.Param("id"))
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/sign-out", Permission: route.SignedIn, Summary: "End this sign-in"},
		func(c *route.Call, _ struct{}) (route.None, error) {
			if c.Caller.Session == "" {
				return route.None{}, nil
			}
			return route.None{}, a.EndSession(c.Caller.Actor, c.Caller.Actor.ID, c.Caller.Session)
		})
}

func (a *Access) keyRoutes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/keys", Permission: "key.write", Summary: "The API keys, without their secrets"},
		func(c *route.Call, _ route.None) (route.List[Key], error) {
			all, err := Keys(c.App)
			return route.ListOf(all, ""), err
		})
	route.Add(t, route.Route{Method: "DELETE", Path: "/api/desk/keys/{id}", Permission: "key.write", Summary: "Revoke an API key"},
		func(c *route.Call, _ route.None) (route.None, error) {
			return route.None{}, a.RevokeKey(c.Caller.Actor, c.Param("id"))
		})
}

type inviteInput struct {
	Email string      `json:"email"` // "" = whoever has the link
	Roles []desk.Role `json:"roles"`
	Teams []string    `json:"teams"` // ids, none = everybody's
}

type invited struct {
	*Invitation
	URL string `json:"url"` // shown this once
}

type acceptInput struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// SignedIn is the answer that signs somebody in, in PocketBase's shape.
type SignedIn struct {
	Token  string       `json:"token"`
	Record SignedInUser `json:"record"`
}

// SignedInUser names who was signed in.
type SignedInUser struct {
	ID             string `json:"id"`
	CollectionID   string `json:"collectionId"`
	CollectionName string `json:"collectionName"`
	Name           string `json:"name"`
	Email          string `json:"email"`
}

// SignInResponse starts a session for an agent and makes the answer.
func (a *Access) SignInResponse(agent *core.Record, ip, userAgent string) (SignedIn, error) {
	token, err := a.SignIn(agent, ip, userAgent)
	return SignedIn{token, SignedInUser{agent.Id, agent.Collection().Id, agentsCollection, agent.GetString("name"), agent.Email()}}, err
}

func (a *Access) invitationRoutes(t *route.Table, site func(c *route.Call) string) {
	const base, public = "/api/desk/invitations", "/api/public/invitations/{token}"
	route.Add(t, route.Route{Method: "GET", Path: base, Permission: "agent.invite", Summary: "Who was invited"},
		func(c *route.Call, _ route.None) (route.List[Invitation], error) {
			all, err := Invitations(c.App)
			return route.ListOf(all, ""), err
		})
	route.Add(t, route.Route{Method: "POST", Path: base, Permission: "agent.invite", Status: 201, Summary: "Invite somebody; the link is shown this once"},
		func(c *route.Call, in inviteInput) (invited, error) {
			i, token, err := a.Invite(c.Caller.Actor, c.Caller.Roles, in.Email, in.Roles, in.Teams)
			return invited{i, site(c) + "/invite/" + token}, err
		})
	route.Add(t, route.Route{Method: "DELETE", Path: base + "/{id}", Permission: "agent.invite", Summary: "Withdraw an invitation"},
		func(c *route.Call, _ route.None) (route.None, error) {
			return route.None{}, a.Withdraw(c.Caller.Actor, c.Param("id"))
		})
	route.Add(t, route.Route{Method: "GET", Path: public, Permission: route.Public, Summary: "An invitation, for whoever holds its link"},
		func(c *route.Call, _ route.None) (map[string]string, error) {
			i, err := a.FindInvitation(c.App, c.Param("token"))
			if err != nil {
				return nil, err
			}
			return map[string]string{"company": a.company(c.App), "email": i.Email, "expires": i.Expires}, nil
		})
	route.Add(t, route.Route{Method: "POST", Path: public, Permission: route.Public, Status: 201, Summary: "Accept an invitation"},
		func(c *route.Call, in acceptInput) (SignedIn, error) {
			agent, err := a.Accept(c.Param("token"), in.Name, in.Email, in.Password)
			if err != nil {
				return SignedIn{}, err
			}
			return a.SignInResponse(agent, c.RealIP(), c.Request.UserAgent())
		})
}
