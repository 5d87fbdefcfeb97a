package reply

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
)

func (r *Replies) draftRoutes(t *route.Table) {
	const path = "/api/desk/tickets/{number}/draft"
	route.Add(t, route.Route{Method: "GET", Path: path, Permission: route.SignedIn, Summary: "The caller's draft in a ticket, null for none (ticket.note)"},
		func(c *route.Call, _ route.None) (*ticket.Draft, error) {
			t, err := ticketFor(c.App, c.Caller, number(c), "ticket.note")
			if err != nil {
				return nil, err
			}
			return ticket.FindDraft(c.App, c.Caller.Actor.ID, t.ID)
		})
	route.Add(t, route.Route{Method: "PUT", Path: path, Permission: route.SignedIn, Summary: "Keep the caller's draft in a ticket (ticket.note)"}, saveDraft)
	route.Add(t, route.Route{Method: "DELETE", Path: path, Permission: route.SignedIn, Summary: "Drop the caller's draft in a ticket (ticket.note)"},
		func(c *route.Call, _ route.None) (route.None, error) {
			t, err := ticketFor(c.App, c.Caller, number(c), "ticket.note")
			if err != nil {
				return route.None{}, err
			}
			return route.None{}, ticket.DropDraft(c.App, c.Caller.Actor.ID, t.ID)
		})
}

func saveDraft(c *route.Call, in ticket.Draft) (*ticket.Draft, error) {
	t, err := ticketFor(c.App, c.Caller, number(c), "ticket.note")
	if err != nil {
		return nil, err
	}
	if in.Kind != "reply" && in.Kind != "note" {
		return nil, desk.Errorf(desk.Invalid, "A draft is a reply or a note.")
	}
	if err := checkLength(in.Body); err != nil {
		return nil, err
	}
	in.Body = richtext.SanitizeCompose(in.Body)
	if err := ticket.SaveDraft(c.App, c.Caller.Actor.ID, t.ID, in, preview(richtext.Text(in.Body)), desk.Millis(c.Now())); err != nil {
		return nil, err
	}
	return ticket.FindDraft(c.App, c.Caller.Actor.ID, t.ID)
}
