package reply

import (
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Bounds of automatic answers. They stop a loop with whoever takes every mark of
// a machine off what it sends.
const (
	autoPerTicket = 3              // to anybody, and one to each address
	autoPerDay    = 5              // to one address, over all tickets
	autoAge       = 24 * time.Hour // what came earlier is past an answer by itself
)

// Why AutoReply wrote nothing. The words reach hooks.
const (
	WithheldMachine  = "machine"    // a machine or a list wrote, or one of ours, or it is older mail (RFC 3834 section 2)
	WithheldUnproven = "unproven"   // the check of the sender failed
	WithheldOld      = "old"        // it came more than a day ago
	WithheldDone     = "done"       // this address has its automatic answer in this ticket
	WithheldBudget   = "budget"     // too many for this ticket, or for this address today
	WithheldNoSender = "no_mailbox" // no mailbox can send it
	WithheldEmpty    = "empty"      // there is no text
)

// AutoReply answers a customer's message of t by itself, in tx: text is HTML, in
// which Variables are filled in. It goes to the address that wrote and to nobody
// else, whatever Reply-To says, and leaves out whatever a stranger could have
// made the desk say. id is the message it became; it is "" and withheld says why
// where a machine has to keep silent, which is no error.
func (r *Replies) AutoReply(tx core.App, t *ticket.Ticket, answered *message.Message, text string) (id, withheld string, err error) {
	if withheld, err = r.silence(tx, t, answered); err != nil || withheld != "" {
		return "", withheld, err
	}
	mailbox, from, plus, err := r.Mailboxes.SenderOf(tx, t.Mailbox)
	if desk.CodeOf(err) != "" {
		return "", WithheldNoSender, nil
	}
	if err != nil {
		return "", "", err
	}
	html := richtext.SanitizeCompose(fill(text, r.values(tx, t, answered)))
	plain := richtext.Text(html)
	if strings.TrimSpace(plain) == "" {
		return "", WithheldEmpty, nil
	}
	m := &message.Message{
		ID: desk.NewID(r.Clock.Now()), Ticket: t.ID, Kind: desk.KindAuto, Author: desk.System("reply"), From: from,
		To: []desk.Address{{Address: answered.From.Address}}, Subject: r.autoSubject(tx, t, answered), HTML: html, Text: plain, VisibleText: plain,
	}
	follow(m, answered)
	d := r.deliveryOf(outbox.KindAuto, t, m, mailbox, plus)
	d.Auto, d.HTML, d.Text = true, html, plain
	return m.ID, "", r.storeAuto(tx, t, m, d)
}

// storeAuto writes an automatic answer. The ticket goes on showing what people
// said last.
func (r *Replies) storeAuto(tx core.App, t *ticket.Ticket, m *message.Message, d *outbox.Delivery) error {
	if err := message.Add(tx, m, desk.Millis(r.Clock.Now())); err != nil {
		return err
	}
	if err := r.Outbox.Enqueue(tx, d); err != nil {
		return err
	}
	if _, err := r.Log.Append(tx, desk.Event{Kind: "message.auto_replied", Ticket: t.ID, Message: m.ID, Subject: d.ID, Actor: m.Author}); err != nil {
		return err
	}
	return r.Tickets.Noted(tx, t)
}

// silence tells why a message must not be answered by a machine, "" when it may.
func (r *Replies) silence(tx core.App, t *ticket.Ticket, m *message.Message) (string, error) {
	switch {
	case m.Kind != desk.KindCustomer || m.Ticket != t.ID || m.AutoReply:
		return WithheldMachine, nil
	case m.Authentication == desk.AuthFail:
		return WithheldUnproven, nil
	case !m.MayAutoRespond:
		return WithheldMachine, nil
	case r.Clock.Now().Sub(desk.Time(m.Created)) > autoAge:
		return WithheldOld, nil
	}
	ours, err := r.Mailboxes.Ours(tx, m.From.Address)
	if err != nil {
		return "", err
	}
	if ours {
		return WithheldMachine, nil
	}
	return r.overBudget(tx, t, m.From.Address)
}

// overBudget tells whether an address, or its ticket, had enough automatic mail.
func (r *Replies) overBudget(tx core.App, t *ticket.Ticket, address string) (string, error) {
	before, err := message.Automatic(tx, t.ID)
	if err != nil {
		return "", err
	}
	for _, m := range before {
		for _, to := range m.To {
			if strings.EqualFold(to.Address, address) {
				return WithheldDone, nil
			}
		}
	}
	if len(before) >= autoPerTicket {
		return WithheldBudget, nil
	}
	today, err := outbox.AutoTo(tx, address, desk.Millis(r.Clock.Now().Add(-24*time.Hour)))
	if err != nil || today < autoPerDay {
		return "", err
	}
	return WithheldBudget, nil
}

// autoSubject repeats the subject only of who was proven to have written it: else
// a stranger could have the desk carry a text to anybody.
func (r *Replies) autoSubject(tx core.App, t *ticket.Ticket, m *message.Message) string {
	if m.Authentication == desk.AuthPass {
		return replySubject(t.Subject)
	}
	return "Your message to " + r.Company(tx) + " [#" + numberText(t) + "]"
}
