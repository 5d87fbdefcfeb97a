package conversation

import (
	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// patchInput is what may be changed of a ticket; an absent field stays.
type patchInput struct {
	Status   *desk.Status           `json:"status"`
	Priority *desk.Priority         `json:"priority"`
	Type     *desk.Type             `json:"type"`
	Team     *string                `json:"team"`     // id
	Assignee route.Optional[string] `json:"assignee"` // agent id, null = nobody
	Tags     *[]string              `json:"tags"`     // names, all of them
	Subject  *string                `json:"subject"`
}

// needs lists the permissions that a change takes.
func (in patchInput) needs() []string {
	var out []string
	if in.Assignee.Set || in.Team != nil {
		out = append(out, "ticket.assign")
	}
	if in.Status != nil || in.Priority != nil || in.Type != nil || in.Tags != nil || in.Subject != nil || out == nil {
		out = append(out, "ticket.change")
	}
	return out
}

func (s *Conversations) patch(c *route.Call, in patchInput) (*page, error) { return s.change(c, in) }

func statusTo(to desk.Status) patchInput { return patchInput{Status: &to} }

// change applies a patch in one transaction and answers the ticket's page.
func (s *Conversations) change(c *route.Call, in patchInput) (*page, error) {
	var t *ticket.Ticket
	err := c.App.RunInTransaction(func(tx core.App) (err error) {
		t, err = s.apply(tx, c, number(c), in)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !access.CanTeam(c.Caller, "ticket.read", t.Team) { // moved out of the caller's sight
		head, err := shown(c.App, t)
		return &page{
			Shown: head, Messages: route.ListOf[message.Shown](nil, ""), Customer: customerCard{Person: head.Customer, Tickets: []otherOfIt{}},
			Permissions: map[string]bool{}, Reply: replyTo{To: []desk.Address{}, Cc: []desk.Address{}}, Event: t.Event,
		}, err
	}
	return s.page(c, t)
}

// apply changes one ticket in tx, as far as the caller may.
func (s *Conversations) apply(tx core.App, c *route.Call, number int64, in patchInput) (t *ticket.Ticket, err error) {
	for _, permission := range in.needs() {
		if t, err = find(tx, c.Caller, number, permission); err != nil {
			return nil, err
		}
	}
	change, err := s.toChange(tx, c, in)
	if err != nil {
		return nil, err
	}
	return t, s.Tickets.Change(tx, c.Caller.Actor, t, change)
}

func (s *Conversations) toChange(tx core.App, c *route.Call, in patchInput) (ticket.Change, error) {
	change := ticket.Change{Status: in.Status, Priority: in.Priority, Type: in.Type, Team: in.Team, Subject: in.Subject}
	if in.Assignee.Set {
		nobody := ""
		if change.Assignee = in.Assignee.Value; change.Assignee == nil {
			change.Assignee = &nobody
		}
	}
	if in.Tags != nil {
		ids, err := s.Tickets.TagIDs(tx, c.Caller.Actor, *in.Tags)
		if err != nil {
			return change, err
		}
		change.Tags = &ids
	}
	return change, nil
}
