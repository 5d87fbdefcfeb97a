package setup

import (
	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

type tokenInput struct {
	Token string `query:"token" json:"-"`
}

type stateOut struct {
	Done    bool    `json:"done"`
	Expires *string `json:"expires"`
}

type testInput struct {
	tokenInput
	Mailbox email.Input `json:"mailbox"`
}

type setupInput struct {
	tokenInput
	Input
}

// Routes adds the routes of the guided set-up; each needs the link's token.
func (s *Setup) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/setup", Permission: route.Public, Summary: "Whether the desk is set up, and whether a link opens its set-up"},
		func(c *route.Call, in tokenInput) (stateOut, error) {
			done, err := Done(c.App)
			if err != nil || done {
				return stateOut{Done: done}, err
			}
			if in.Token == "" {
				return stateOut{}, nil
			}
			if err := s.check(c.App, in.Token); err != nil {
				return stateOut{}, err
			}
			return stateOut{Expires: desk.Stamp(desk.Millis(s.expires))}, nil
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/setup", Permission: route.Public, Status: 201, Summary: "Set the desk up and sign its owner in"},
		func(c *route.Call, in setupInput) (access.SignedIn, error) {
			if err := s.check(c.App, in.Token); err != nil {
				return access.SignedIn{}, err
			}
			owner, err := s.Do(c.Request.Context(), in.Input)
			if err != nil {
				return access.SignedIn{}, err
			}
			return s.Access.SignInResponse(owner, c.RealIP(), c.Request.UserAgent())
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/setup/mail-test", Permission: route.Public, Summary: "Try a mailbox: send a test mail and receive it"},
		func(c *route.Call, in testInput) (email.Report, error) {
			if err := s.check(c.App, in.Token); err != nil {
				return email.Report{}, err
			}
			return s.Mail.Test(c.Request.Context(), in.Mailbox)
		})
}
