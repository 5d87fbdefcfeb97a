package reply

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Undo takes a delivery back that nobody was tried for. The message of a reply
// becomes the draft of whoever undoes it, and the ticket gets back the status
// it had. The draft is nil for a delivery without a message.
func (r *Replies) Undo(by desk.Actor, delivery string) (draft *ticket.Draft, err error) {
	err = r.App.RunInTransaction(func(tx core.App) error {
		d, err := r.Outbox.Cancel(tx, by, delivery)
		if err != nil || d.Message == "" {
			return err
		}
		m, err := message.Find(tx, d.Message)
		if err != nil || m == nil {
			return err
		}
		t, err := ticket.Find(tx, m.Ticket)
		if err != nil || t == nil {
			return err
		}
		if draft, err = r.draftOf(tx, by, t, m, d); err != nil {
			return err
		}
		return r.takeBack(tx, by, t, m, d)
	})
	return draft, err
}

func (r *Replies) draftOf(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, d *outbox.Delivery) (*ticket.Draft, error) {
	html, _, _ := strings.Cut(m.HTML, "<p>-- <br></p>")
	inline := imagesOf(m.HTML)
	files := slices.DeleteFunc(slices.Clone(d.Files), func(id string) bool { return slices.Contains(inline, id) })
	draft := &ticket.Draft{Kind: "reply", Body: html, To: plain(m.To), Cc: plain(m.Cc), Bcc: plain(m.Bcc), Attachments: files}
	if by.Kind != desk.ActorAgent {
		return draft, nil
	}
	return draft, ticket.SaveDraft(tx, by.ID, t.ID, *draft, preview(m.VisibleText), desk.Millis(r.Clock.Now()))
}

func plain(list []desk.Address) []string {
	out := []string{}
	for _, a := range list {
		out = append(out, a.Address)
	}
	return out
}

func (r *Replies) takeBack(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, d *outbox.Delivery) error {
	if err := file.Detach(tx, m.ID); err != nil {
		return err
	}
	if err := message.Remove(tx, m.ID); err != nil {
		return err
	}
	if _, err := r.Log.Append(tx, desk.Event{Kind: "message.undone", Ticket: t.ID, Message: m.ID, Subject: d.ID, Actor: by}); err != nil {
		return err
	}
	if err := r.restorePreview(tx, t); err != nil {
		return err
	}
	c := ticket.Change{Reason: "undone"}
	if was := desk.Status(d.Before["status"]); was.Valid() && was != t.Status {
		if was == desk.StatusNew {
			was = desk.StatusOpen
		}
		c.Status = &was
	}
	if was, ok := d.Before["assignee"]; ok {
		c.Assignee = &was
	}
	return r.Tickets.Change(tx, by, t, c)
}

// restorePreview shows the last message again that is really there.
func (r *Replies) restorePreview(tx core.App, t *ticket.Ticket) error {
	last, err := message.LastPublic(tx, t.ID)
	if err != nil || last == nil {
		return err
	}
	from := "agent"
	if last.Kind == desk.KindCustomer {
		from = "customer"
	}
	t.LastAt = 0
	return r.Tickets.Touch(tx, t, from, preview(last.VisibleText), last.Created, false)
}
