package notify

import (
	"context"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Sender stands between the outbox and the mail channel. A notice gets its
// Message-ID back, which is sealed in the outbox, and goes out only while its
// agent works here and may read the ticket; all other mail passes.
type Sender struct {
	App     core.App
	Secrets Secrets
	Next    outbox.Sender
}

func sealedFor(delivery string) string { return "notice/" + delivery }

// Send implements outbox.Sender.
func (s Sender) Send(ctx context.Context, out desk.Outbound, rcpt desk.Address, stage func(desk.SendState) error) desk.SendResult {
	n, err := byDelivery(s.App, out.ID)
	if err != nil {
		s.App.Logger().Error("a notice could not be read", "delivery", out.ID, "error", err)
		return desk.SendResult{State: desk.SendDeferred, Answer: "The notice could not be read from the database."}
	}
	if n == nil {
		return s.Next.Send(ctx, out, rcpt, stage)
	}
	t, err := ticket.Find(s.App, n.Ticket)
	if err == nil {
		who, mayErr := mayNow(s.App, n.Agent, "ticket.read", t)
		if err = mayErr; err == nil && who == nil {
			return desk.SendResult{State: desk.SendCancelled, Answer: "Who was to be told may not read this ticket any more."}
		}
	}
	if err != nil {
		s.App.Logger().Error("who gets a notice could not be read", "delivery", out.ID, "error", err)
		return desk.SendResult{State: desk.SendDeferred, Answer: "Who gets it could not be read from the database."}
	}
	if out.MessageID, err = s.Secrets.Open(sealedFor(out.ID), out.MessageID); err != nil {
		return desk.SendResult{State: desk.SendCancelled, Answer: "It was written under another key of the desk and can't be answered; it was not sent."}
	}
	return s.Next.Send(ctx, out, rcpt, stage)
}
