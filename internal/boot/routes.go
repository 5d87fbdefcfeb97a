package boot

import (
	"strings"

	"github.com/deskbell/deskbell/internal/conversation"
	"github.com/deskbell/deskbell/internal/reply"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/view"
	"github.com/deskbell/deskbell/internal/workspace"
)

// routes fills the table of routes.
func (d *Desk) routes() {
	t := route.New(d.Clock)
	d.Routes = t
	workspace.Deps{Health: d.Health, Version: d.Version, TestClock: d.Clock.Moved() != nil, Sandbox: d.Sandbox.On}.Routes(t)
	d.Setup.Routes(t)
	d.Access.Routes(t, d.site)
	d.Teams.Routes(t)
	view.Routes(t)
	d.Pages.Routes(t)
	conversation.NewImages(d.Guard.DialContext).Routes(t, d.Pages)
	d.Replies.Routes(t, reply.Shower{Message: conversation.ShowMessage, Ticket: d.Pages.Page})
	d.Intake.Routes(t)
	d.News.Routes(t)
	setting.Routes(t, d.App, d.Log)
	d.Schedule.Routes(t)
	d.Mail.Routes(t)
	d.Mail.OAuthRoutes(t, d.site, d.Access)
	d.Mail.WayRoutes(t, d.site)
	d.Sandbox.Routes(t)
	d.Health.Routes(t)
	d.certificateRoutes(t)
	t.OpenAPI("/api/desk/openapi.json", d.Version)
	d.controlRoutes(t)
}

// site is the address under which the caller reached the desk.
func (d *Desk) site(c *route.Call) string {
	if d.Certificates != nil {
		return "https://" + d.ownHost(c.Request.Host)
	}
	scheme := "http"
	if c.IsTLS() || strings.EqualFold(c.Request.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + c.Request.Host
}
