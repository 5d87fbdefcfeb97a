package reply

import (
	"context"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Acknowledge answers the first mail of a new ticket where its mailbox does so;
// it is a durable subscriber of the log.
func (r *Replies) Acknowledge(ctx context.Context) error {
	return r.Log.Follow(ctx, "reply.acknowledge", func(_ context.Context, events []desk.Event) error {
		for _, e := range events {
			if e.Kind != "message.received" || e.Subject == "" || e.Actor.Kind != desk.ActorCustomer {
				continue
			}
			if err := r.acknowledge(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// acknowledge looks at the mailbox first: on most desks that ends it.
func (r *Replies) acknowledge(e desk.Event) error {
	text, outside, err := r.Mailboxes.AcknowledgementOf(r.App, e.Subject)
	if err != nil || text == "" || outside && r.Open() {
		return err
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		m, err := message.Find(tx, e.Message)
		if err != nil || m == nil {
			return err
		}
		first, err := message.IsFirst(tx, m.Ticket, m.ID)
		if err != nil || !first {
			return err
		}
		t, err := ticket.Find(tx, m.Ticket)
		if err != nil || t == nil {
			return err
		}
		_, _, err = r.AutoReply(tx, t, m, text)
		return err
	})
}
