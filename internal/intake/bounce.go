package intake

import (
	"github.com/deskbell/deskbell/internal/desk"
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
	var addresses []string
	for _, r := range b.Recipients {
		addresses = append(addresses, r.Address)
		if r.Original != "" && r.Original != r.Address {
			addresses = append(addresses, r.Original) // as we wrote it, before somebody forwarded it
		}
	}
	mark := message.Bounce{Recipients: addresses, Status: b.Status, Reason: b.Diagnostic, Permanent: b.Permanent && !b.Delayed, At: desk.MustStamp(m.Created)}
	if err := message.MarkBounced(tx, original.ID, mark); err != nil {
		return true, err
	}
	if b.Delayed {
		_, err := in.Log.Append(tx, desk.Event{Kind: "message.delayed", Ticket: t.ID, Message: original.ID, Subject: m.ID, Actor: desk.System("intake"), Reason: b.Status})
		return true, err
	}
	return true, in.failed(tx, t, original, m, mark)
}

// failed notes that a mail of ours did not arrive. The outbox's event makes the
// ticket come back; a mail without a delivery of ours comes back here.
func (in *Intake) failed(tx core.App, t *ticket.Ticket, original, report *message.Message, mark message.Bounce) error {
	if _, err := in.Log.Append(tx, desk.Event{
		Kind: "message.bounced", Ticket: t.ID, Message: original.ID, Subject: report.ID,
		Actor: desk.System("intake"), Reason: mark.Status,
	}); err != nil {
		return err
	}
	d, err := outbox.ByMessageID(tx, original.MessageID)
	if err != nil || d == nil {
		return err
	}
	_, err = in.Outbox.Bounced(tx, d, mark.Recipients, mark.Reason)
	return err
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
