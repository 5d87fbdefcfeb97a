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

func (s *Conversations) patch(c *route.Call, in patchInput) (*page, error) {
	if in.Assignee.Set || in.Team != nil {
		if _, err := s.of(c, "ticket.assign"); err != nil {
			return nil, err
		}
		if in.Status == nil && in.Priority == nil && in.Type == nil && in.Tags == nil && in.Subject == nil {
			return s.change(c, "ticket.assign", in)
		}
	}
	return s.change(c, "ticket.change", in)
}

func statusTo(to desk.Status) patchInput { return patchInput{Status: &to} }

// change applies a patch in one transaction and answers the ticket's page.
func (s *Conversations) change(c *route.Call, permission string, in patchInput) (*page, error) {
	seen, err := s.of(c, permission)
	if err != nil {
		return nil, err
	}
	var t *ticket.Ticket
	err = c.App.RunInTransaction(func(tx core.App) error {
		var err error
		if t, err = ticket.Find(tx, seen.ID); err != nil {
			return err
		}
		change, err := s.toChange(tx, c, in)
		if err != nil {
			return err
		}
		return s.Tickets.Change(tx, c.Caller.Actor, t, change)
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
