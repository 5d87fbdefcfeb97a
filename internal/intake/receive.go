package intake

import (
	"fmt"
	"slices"
	"time"

	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// receive enters one letter in tx: refused, seen before, a bounce, or a message
// of a ticket, and settles its ledger row.
func (in *Intake) receive(tx core.App, l *letter) error {
	if l.err != nil {
		return l.err
	}
	l.at = in.arrival(l)
	if settled, err := in.notice(tx, l); settled || err != nil {
		return err
	}
	if l.entry.Origin == file.OriginSent {
		return in.receiveSent(tx, l)
	}
	if settled, err := in.refuse(tx, l); settled || err != nil {
		return err
	}
	if settled, err := in.seenBefore(tx, l); settled || err != nil {
		return err
	}
	if settled, err := in.bounce(tx, l); settled || err != nil {
		return err
	}
	who, err := in.author(tx, l)
	if err != nil {
		return err
	}
	found, err := in.find(tx, l, who)
	if err != nil {
		return err
	}
	if found.ticket != nil {
		return in.join(tx, l, who, found)
	}
	return in.open1(tx, l, who, found)
}

// arrival is when a letter came into the desk. Mail from before the connection
// takes its place in the past.
func (in *Intake) arrival(l *letter) int64 {
	now := desk.Millis(in.Clock.Now())
	past := l.entry.Origin == file.OriginBackfill || l.entry.Origin == file.OriginSent && now-l.entry.Received > time.Hour.Milliseconds()
	if past {
		return l.entry.Received
	}
	return max(now, l.entry.Received)
}

// refuse settles what must not become a ticket by itself.
func (in *Intake) refuse(tx core.App, l *letter) (settled bool, err error) {
	if l.forced {
		return false, nil
	}
	if l.mail.Unreadable && !l.entry.TooLarge {
		return true, in.quarantine(tx, l, desk.System("intake"), ReasonUnreadable)
	}
	if in.Mailboxes.IsProbe(&l.mail.Header) {
		return true, file.Settle(tx, l.entry, file.StateRefused, "", ReasonProbe, l.key)
	}
	ours, err := in.Mailboxes.Ours(tx, l.mail.From.Address)
	if err != nil || !ours {
		return false, err
	}
	if in.Notices.Named(l.mail.MessageID) { // an agent has it forwarded to the desk
		return true, file.Settle(tx, l.entry, file.StateRefused, "", ReasonOwnMail, l.key)
	}
	refs, err := message.ByMessageID(tx, l.mail.MessageID)
	if err != nil {
		return false, err
	}
	if in.Tokens.OfMessageID(l.mail.MessageID) != 0 && len(refs) > 0 {
		return true, file.Settle(tx, l.entry, file.StateRefused, refs[0].Message, ReasonOwnMail, l.key)
	}
	return true, in.quarantine(tx, l, desk.System("intake"), ReasonOwnAddress)
}

// seenBefore settles a copy of a mail that is a message already.
func (in *Intake) seenBefore(tx core.App, l *letter) (settled bool, err error) {
	id, t, err := message.ByContent(tx, l.key)
	if err != nil || id == "" {
		return false, err
	}
	if err := file.Settle(tx, l.entry, file.StateDuplicate, id, "", l.key); err != nil {
		return true, err
	}
	_, err = in.Log.Append(tx, desk.Event{Kind: "mail.duplicate", Ticket: t, Message: id, Subject: l.entry.ID, Actor: desk.System("intake"), New: l.entry.Mailbox})
	return true, err
}

// author is the customer of the mail's one From address.
func (in *Intake) author(tx core.App, l *letter) (*customer.Customer, error) {
	now := desk.Millis(in.Clock.Now())
	if customer.Normal(l.mail.From.Address) == "" {
		return customer.Nobody(tx, in.Log, desk.System("intake"), now, l.mail.From.Name)
	}
	return customer.ByAddress(tx, in.Log, desk.System("intake"), now, address(l.mail.From))
}

// join adds a letter to the ticket it belongs to and brings that back to work.
func (in *Intake) join(tx core.App, l *letter, who *customer.Customer, f found) error {
	t := f.ticket
	m := in.message(l, t, who, f.reason)
	if err := in.store(tx, l, t, m); err != nil {
		return err
	}
	speaker := "customer"
	if l.entry.Origin == file.OriginBackfill {
		return in.joinOlder(tx, l, t, m)
	}
	if l.mail.AutoReply {
		speaker = "system" // a machine waits for nobody
	}
	for _, number := range f.looksLike {
		if !slices.Contains(t.LooksLike, number) && len(t.LooksLike) < maxTwins {
			t.LooksLike = append(t.LooksLike, number)
		}
	}
	said := ticket.Said{From: speaker, Preview: preview(m.VisibleText), At: m.Created, Arrived: m.Arrived, HasFiles: hasFiles(l)}
	if err := in.Tickets.Touch(tx, t, said); err != nil {
		return err
	}
	if l.mail.AutoReply || t.Status.Active() {
		return nil
	}
	return in.Tickets.Reopen(tx, desk.Customer(who.ID), t, "customer_wrote")
}

// open1 opens a ticket for a letter.
func (in *Intake) open1(tx core.App, l *letter, who *customer.Customer, f found) error {
	box, err := in.Mailboxes.TeamOf(tx, l.entry.Mailbox)
	if err != nil {
		return err
	}
	if box == "" {
		if box, err = team.First(tx); err != nil {
			return err
		}
	}
	subject := l.mail.Subject
	if subject == "" {
		subject = preview(l.shown)
	}
	if subject == "" {
		subject = "(no subject)"
	}
	status, arrived := desk.Status(""), l.at
	if l.entry.Origin == file.OriginBackfill { // nobody waits for an answer any more
		status, arrived, f.reason = desk.StatusSolved, l.entry.Received, desk.Reason{Code: "older"}
	}
	t, err := in.Tickets.Open(tx, desk.Customer(who.ID), ticket.Opening{
		Status: status, Subject: subject, Channel: l.entry.Channel, Mailbox: l.entry.Mailbox, Team: box, Customer: who.ID, LooksLike: f.looksLike,
		Preview: preview(l.shown), HasFiles: hasFiles(l), At: l.entry.Received, Arrived: arrived, Reason: f.reason.Code,
	})
	if err != nil {
		return err
	}
	if who.Email != "" {
		if err := ticket.Join(tx, t.ID, address(l.mail.From), l.entry.Received); err != nil {
			return err
		}
	}
	return in.store(tx, l, t, in.message(l, t, who, f.reason))
}

func hasFiles(l *letter) bool {
	for _, f := range l.files {
		if !f.Inline {
			return true
		}
	}
	return false
}

func (in *Intake) message(l *letter, t *ticket.Ticket, who *customer.Customer, reason desk.Reason) *message.Message {
	m := l.mail
	inReplyTo := ""
	if len(m.InReplyTo) > 0 {
		inReplyTo = m.InReplyTo[0]
	}
	text, shown := l.text, l.shown
	if l.entry.TooLarge {
		text = fmt.Sprintf("This mail is too large to be fetched (%d MB). It stays in the mailbox; open it there.", l.entry.Size>>20)
		shown = text
	}
	return &message.Message{
		ID: desk.NewID(in.Clock.Now()), Ticket: t.ID, Kind: desk.KindCustomer, Author: desk.Customer(who.ID),
		From: address(m.From), ReplyTo: addresses(m.ReplyTo), To: addresses(m.To), Cc: addresses(m.Cc), Subject: m.Subject,
		Text: text, VisibleText: shown, HTML: l.html, HTMLQuoted: l.quoted, MessageID: m.MessageID, InReplyTo: inReplyTo,
		References: m.References, Authentication: l.auth.Result, Reason: l.proven(reason), AutoReply: m.AutoReply, MayAutoRespond: l.mayAnswer(),
		Ledger: l.entry.ID, ContentKey: l.key, Sent: desk.Millis(m.Date), Created: l.entry.Received, Arrived: l.at,
	}
}

// store writes the message with its files and event, and settles the ledger row.
func (in *Intake) store(tx core.App, l *letter, t *ticket.Ticket, m *message.Message) error {
	if err := message.Add(tx, m, desk.Millis(in.Clock.Now())); err != nil {
		return err
	}
	for _, f := range l.files {
		if err := in.Files.Commit(tx, f, t.ID, m.ID); err != nil {
			return err
		}
	}
	if err := file.Settle(tx, l.entry, file.StateDone, m.ID, "", l.key); err != nil {
		return err
	}
	kind := "message.received"
	if m.Kind == desk.KindReply {
		kind = "message.replied"
	}
	_, err := in.Log.Append(tx, desk.Event{
		Kind: kind, At: m.Created, Ticket: t.ID, Message: m.ID, Subject: l.entry.Mailbox,
		Actor: m.Author, Reason: m.Reason.Code,
	})
	return err
}
