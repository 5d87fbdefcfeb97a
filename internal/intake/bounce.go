package intake

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// bounce settles a delivery report about a mail of ours: it is kept in that
// mail's ticket, marks the mail, and brings the ticket back to work when the
// mail will not arrive. A report about anything else goes the ordinary way.
func (in *Intake) bounce(tx core.App, l *letter) (settled bool, err error) {
	b := l.mail.Bounce
	if b == nil {
		return false, nil
	}
	original, t, err := in.original(tx, b.OriginalMessageID)
	if err != nil || original == nil || t == nil {
		return false, err
	}
	m := in.systemMessage(l, t)
	if err := in.store(tx, l, t, m); err != nil {
		return true, err
	}
	mark := message.Bounce{
		Recipients: bounced(b), Status: b.Status, Reason: b.Diagnostic, Permanent: b.Permanent && !b.Delayed, Delayed: b.Delayed, At: desk.MustStamp(m.Created),
	}
	news, err := message.MarkBounced(tx, original, mark)
	if err != nil {
		return true, err
	}
	kind := "message.bounced"
	if b.Delayed {
		kind = "message.delayed"
	}
	if _, err := in.Log.Append(tx, desk.Event{Kind: kind, Ticket: t.ID, Message: original.ID, Subject: m.ID, Actor: desk.System("intake"), Reason: b.Status}); err != nil {
		return true, err
	}
	if !b.Delayed {
		err = in.failed(tx, t, original, mark, news)
	}
	if err == nil {
		err = in.Tickets.Noted(tx, t)
	}
	return true, err
}

// bounced lists the addresses that a report names, also as we wrote them before
// somebody forwarded the mail.
func bounced(b *mail.Bounce) []string {
	var out []string
	for _, r := range b.Recipients {
		out = append(out, r.Address)
		if r.Original != "" && r.Original != r.Address {
			out = append(out, r.Original)
		}
	}
	return out
}

// failed brings the ticket of a mail back that did not arrive. The outbox does
// it by its own event where the report is about a recipient it knows; here it is
// done for the others, once for each thing that is news.
func (in *Intake) failed(tx core.App, t *ticket.Ticket, original *message.Message, mark message.Bounce, news bool) error {
	d, err := outbox.ByMessageID(tx, original.MessageID)
	if err != nil {
		return err
	}
	if d != nil {
		if known, err := in.Outbox.Bounced(tx, d, mark.Recipients, mark.Reason); err != nil || known {
			return err
		}
	}
	if !news || t.Status.Active() || original.Kind == desk.KindAuto {
		return nil
	}
	return in.Tickets.Reopen(tx, desk.System("intake"), t, "bounced")
}

// original is the mail of ours that a report is about, nil when there is none.
func (in *Intake) original(app core.App, messageID string) (*message.Message, *ticket.Ticket, error) {
	if messageID == "" {
		return nil, nil, nil
	}
	refs, err := message.ByMessageID(app, messageID)
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range refs {
		m, err := message.Find(app, ref.Message)
		if err != nil {
			return nil, nil, err
		}
		if m == nil || !m.Kind.Outward() {
			continue
		}
		t, err := ticket.Find(app, m.Ticket)
		return m, t, err
	}
	return nil, nil, nil
}

func (in *Intake) systemMessage(l *letter, t *ticket.Ticket) *message.Message {
	m := l.mail
	return &message.Message{
		ID: desk.NewID(in.Clock.Now()), Ticket: t.ID, Kind: desk.KindSystem, Author: desk.System("mail"), From: address(m.From), To: addresses(m.To),
		Subject: m.Subject, Text: l.text, VisibleText: l.shown, HTML: l.html, HTMLQuoted: l.quoted, MessageID: m.MessageID,
		Reason: desk.Reason{Code: "bounce"}, AutoReply: true, Ledger: l.entry.ID, ContentKey: l.key, Sent: desk.Millis(m.Date), Created: l.entry.Received,
	}
}
