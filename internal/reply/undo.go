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
	html := m.HTML
	if i := strings.LastIndex(html, signatureMark); i >= 0 {
		html = html[:i]
	}
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
	if err := file.Detach(tx, m.ID, by.ID, desk.Millis(r.Clock.Now())); err != nil {
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
	return r.restore(tx, by, t.ID, d.Before)
}

// restore gives a ticket back what the reply changed on it, as far as nobody
// has changed it since; what is no longer possible stays as it is.
func (r *Replies) restore(tx core.App, by desk.Actor, id string, before map[string]string) error {
	for _, part := range []func(t *ticket.Ticket) *ticket.Change{
		func(t *ticket.Ticket) *ticket.Change {
			was := desk.Status(before["status"])
			if before["status_set"] != string(t.Status) || !was.Valid() {
				return nil
			}
			if was == desk.StatusNew {
				was = desk.StatusOpen
			}
			return &ticket.Change{Status: &was, Reason: "undone"}
		},
		func(t *ticket.Ticket) *ticket.Change {
			was, ok := before["assignee"]
			if set, changed := before["assignee_set"]; !ok || !changed || set != t.Assignee {
				return nil
			}
			return &ticket.Change{Assignee: &was, Reason: "undone"}
		},
	} {
		t, err := ticket.Find(tx, id)
		if err != nil || t == nil {
			return err
		}
		c := part(t)
		if c == nil {
			continue
		}
		if err := r.Tickets.Change(tx, by, t, *c); err != nil && desk.CodeOf(err) == "" {
			return err
		}
	}
	return nil
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
