package notify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

const (
	newsFor    = 24 * time.Hour // what the desk learned earlier is no news
	maxPerHour = 30             // notices to one agent: a flood is read in the desk
)

// Tell writes to agents what they want to hear of; it is a durable subscriber of
// the log. What was told once is not told again when an event comes again.
func (n *Notices) Tell(ctx context.Context) error {
	return n.Log.Follow(ctx, "notify.tell", func(_ context.Context, events []desk.Event) error {
		listeners, err := access.Listeners(n.App)
		if err != nil || len(listeners) == 0 {
			return err
		}
		for _, e := range events {
			if e.Kind != "message.received" && e.Kind != "ticket.opened" || e.Reason == "older" {
				continue
			}
			if err := n.tell(e, listeners); err != nil {
				return err
			}
		}
		return nil
	})
}

// news is what there is to tell of an event.
type news struct {
	event   desk.Event
	ticket  *ticket.Ticket
	message *message.Message // nil for a ticket that was opened without
	opened  bool             // a new ticket, else an answer
}

// tell writes to those of the agents whom an event concerns.
func (n *Notices) tell(e desk.Event, agents []access.Agent) error {
	what, err := n.newsOf(e)
	if err != nil || what == nil {
		return err
	}
	for _, a := range agents {
		if !what.concerns(a) {
			continue
		}
		if err := n.App.RunInTransaction(func(tx core.App) error { return n.write(tx, what, a) }); err != nil {
			return err
		}
	}
	return nil
}

// newsOf looks whether an event is news: nil when it is of a machine, of mail
// from before the connection, or long ago.
func (n *Notices) newsOf(e desk.Event) (*news, error) {
	t, err := ticket.Find(n.App, e.Ticket)
	if err != nil || t == nil {
		return nil, err
	}
	what := &news{event: e, ticket: t, opened: e.Kind == "ticket.opened"}
	if what.opened {
		what.message, err = message.First(n.App, t.ID)
	} else {
		what.message, err = message.Find(n.App, e.Message)
	}
	if err != nil || what.message == nil && !what.opened {
		return nil, err
	}
	learned := e.At
	if m := what.message; m != nil {
		learned = m.Arrived
		if m.AutoReply || m.Kind != desk.KindCustomer {
			return nil, nil
		}
		if !what.opened {
			if first, err := message.IsFirst(n.App, t.ID, m.ID); err != nil || first {
				return nil, err // the opening tells it
			}
		}
		if live, err := n.live(m); err != nil || !live {
			return nil, err
		}
	}
	if n.Clock.Now().Sub(desk.Time(learned)) > newsFor {
		return nil, nil
	}
	return what, nil
}

// live reports whether a message came by itself and was not fetched from the past.
func (n *Notices) live(m *message.Message) (bool, error) {
	if m.Ledger == "" {
		return true, nil
	}
	origin, err := file.OriginOf(n.App, m.Ledger)
	return origin == file.OriginLive, err
}

// concerns reports whether an agent wants to hear of it and did not cause it.
func (w *news) concerns(a access.Agent) bool {
	if w.event.Actor.Kind == desk.ActorAgent && w.event.Actor.ID == a.ID {
		return false
	}
	if w.message != nil && strings.EqualFold(w.message.From.Address, a.Email) {
		return false
	}
	if w.opened {
		return a.NotifyNew && slices.Contains(a.Teams, w.ticket.Team)
	}
	return a.NotifyAnswer && w.ticket.Assignee == a.ID
}

// write makes the notice to one agent, in tx, unless it is there already or the
// agent may not read the ticket.
func (n *Notices) write(tx core.App, what *news, a access.Agent) error {
	if before, err := told(tx, what.event.Seq, a.ID); err != nil || before {
		return err
	}
	if who, err := mayNow(tx, a.ID, "ticket.read", what.ticket); err != nil || who == nil {
		return err
	}
	if ours, err := n.Mailboxes.Ours(tx, a.Email); err != nil || ours {
		return err // it would come back as a mail to the desk
	}
	now := n.Clock.Now()
	lately, err := countSince(tx, a.ID, desk.Millis(now.Add(-time.Hour)))
	if err != nil || lately >= maxPerHour {
		return err
	}
	mailbox, from, _, err := n.Mailboxes.SenderOf(tx, what.ticket.Mailbox)
	if desk.CodeOf(err) != "" {
		return nil // there is no way out; the mailboxes page says so
	}
	if err != nil {
		return err
	}
	row := &notice{
		Event: what.event.Seq, Agent: a.ID, Ticket: what.ticket.ID, Delivery: desk.NewID(now), Created: desk.Millis(now), Expires: desk.Millis(now.Add(life)),
	}
	if slices.Contains(a.Teams, what.ticket.Team) {
		row.Team = what.ticket.Team
	}
	return n.enqueue(tx, what, a, row, mailbox, from)
}
