// Package reply is the way of an answer out: what an agent writes becomes a
// message of the ticket and a delivery in one transaction, held for the undo
// window. It also writes notes, takes replies back, and brings a ticket back
// when its mail did not arrive.
package reply

import (
	"context"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// maxUndo is the longest undo window that can be asked for.
const maxUndo = 60

// Mailboxes is what a reply asks about the mailbox it goes through.
type Mailboxes interface {
	// SenderOf is the mailbox that answers mail of the given one: itself, or
	// another when it is gone; its address with the sender's name; and whether
	// plus-addresses reach it. It errs with a sentence when none can send.
	SenderOf(app core.App, mailbox string) (id string, from desk.Address, plus bool, err error)
	// Ours reports whether an address is one of our mailboxes.
	Ours(app core.App, address string) (bool, error)
	// SignatureOf is the HTML below replies of who has no signature, "" for none.
	SignatureOf(app core.App, mailbox string) (string, error)
	// AcknowledgementOf is the HTML with which a mailbox answers a new ticket by
	// itself, "" for nothing, and whether only outside of business hours.
	AcknowledgementOf(app core.App, mailbox string) (text string, outsideHours bool, err error)
}

// Deps are the parts that replies work on.
type Deps struct {
	App       core.App
	Log       *event.Log
	Clock     desk.Clock
	Tickets   *ticket.Tickets
	Tokens    ticket.Tokens
	Outbox    *outbox.Outbox
	Mailboxes Mailboxes
	// ServerState says how the default mailbox's way out is doing, for people.
	ServerState func(app core.App) (any, error)
	// Paused and SetPaused are the switch that holds automatic mail.
	Paused    func(app core.App) bool
	SetPaused func(tx core.App, by desk.Actor, paused bool) error

	UndoSeconds func() int // seconds a reply is held when the request doesn't say

	Open    func() bool               // whether it is within business hours
	Company func(app core.App) string // the desk's name, for automatic mail
}

// Replies are the replies of one desk.
type Replies struct{ Deps }

// New returns the replies of a desk.
func New(d Deps) *Replies { return &Replies{d} }

// Input is what an agent sends.
type Input struct {
	Body          string       `json:"body"` // HTML
	To            []string     `json:"to"`   // nil = as of the message being answered
	Cc            []string     `json:"cc"`
	Bcc           []string     `json:"bcc"`
	Attachments   []string     `json:"attachments"` // file ids
	Status        *desk.Status `json:"status"`
	SeenMessageID string       `json:"seen_message_id"` // the newest message the writer saw, "" = not checked
	SendAt        string       `json:"send_at"`         // RFC 3339, "" = now
	UndoS         *int         `json:"undo_s"`
}

// Send makes a reply of in for the ticket of a number: message, status, delivery
// and events in one transaction. key is the caller's name for the request: the
// same key again answers with the first message.
func (r *Replies) Send(who *route.Caller, number int64, in Input, key string) (id string, err error) {
	if err := checkLength(in.Body); err != nil {
		return "", err
	}
	return r.once(who, number, "ticket.reply", boundKey("reply", number, key), func(tx core.App, t *ticket.Ticket) (string, error) {
		m, err := r.send(tx, who.Actor, t, in)
		if err != nil {
			return "", err
		}
		return m.ID, nil
	})
}

// once does something to a ticket in one transaction, in which the caller's
// permission is checked, and remembers its result under key.
func (r *Replies) once(who *route.Caller, number int64, permission, key string, do func(tx core.App, t *ticket.Ticket) (string, error)) (result string, err error) {
	err = r.App.RunInTransaction(func(tx core.App) error {
		t, err := ticketFor(tx, who, number, permission)
		if err != nil {
			return err
		}
		if result, err = doneBefore(tx, who.Actor, key); err != nil || result != "" {
			return err
		}
		if result, err = do(tx, t); err != nil {
			return err
		}
		return remember(tx, who.Actor, key, result, desk.Millis(r.Clock.Now()))
	})
	return result, err
}

var errNoTicket = desk.Errorf(desk.NotFound, "There is no such ticket.")

// ticketFor returns the ticket of a number for a caller who holds a permission
// for it; one that may not be seen does not exist.
func ticketFor(app core.App, who *route.Caller, number int64, permission string) (*ticket.Ticket, error) {
	t, err := ticket.ByNumber(app, number)
	if err != nil {
		return nil, err
	}
	if t == nil || !access.CanTeam(who, "ticket.read", t.Team) {
		return nil, errNoTicket
	}
	return t, may(who, permission, t.Team)
}

func may(who *route.Caller, permission, team string) error {
	if !access.CanTeam(who, permission, team) {
		return desk.Errorf(desk.Forbidden, "Your role does not allow this (%s).", permission)
	}
	return nil
}

// checkLength refuses a text that its row could not hold whole.
func checkLength(body string) error {
	if len(body) > message.MaxText {
		return desk.Errorf(desk.TooLarge, "The text is longer than %d MB; put it into a file and attach that.", message.MaxText>>20)
	}
	return nil
}

func (r *Replies) send(tx core.App, by desk.Actor, t *ticket.Ticket, in Input) (*message.Message, error) {
	if err := r.checkFresh(tx, t, in.SeenMessageID); err != nil {
		return nil, err
	}
	notBefore, heldBy, err := r.when(in)
	if err != nil {
		return nil, err
	}
	answered, err := message.LastPublic(tx, t.ID)
	if err != nil {
		return nil, err
	}
	mailbox, from, plus, err := r.Mailboxes.SenderOf(tx, t.Mailbox)
	if err != nil {
		return nil, err
	}
	m, err := r.compose(tx, by, t, in, answered)
	if err != nil {
		return nil, err
	}
	m.From = from
	d := r.deliveryOf(outbox.KindReply, t, m, mailbox, plus)
	d.HeldBy, d.NotBefore, d.Author, d.Before = heldBy, notBefore, authorOf(by), before(t, in)
	if d.HTML, d.Text, d.Files, err = r.outgoing(tx, by, t, m, in, mailbox); err != nil {
		return nil, err
	}
	return m, r.store(tx, by, t, m, d, in)
}

// deliveryOf makes the delivery of a message through a mailbox, whose id the
// message gets; plus tells whether plus-addresses reach the mailbox.
func (r *Replies) deliveryOf(kind string, t *ticket.Ticket, m *message.Message, mailbox string, plus bool) *outbox.Delivery {
	d := &outbox.Delivery{
		ID: desk.NewID(r.Clock.Now()), Kind: kind, Ticket: t.ID, Message: m.ID, Mailbox: mailbox, From: m.From,
		To: m.To, Cc: m.Cc, Bcc: m.Bcc, Subject: m.Subject, InReplyTo: m.InReplyTo, References: m.References,
	}
	d.MessageID = r.Tokens.MessageID(d.ID, t.Number, domainOf(m.From.Address))
	m.MessageID = d.MessageID
	if plus {
		d.ReplyTo = []desk.Address{{Name: m.From.Name, Address: r.Tokens.PlusAddress(m.From.Address, t.Number)}}
	}
	return d
}

// store writes message, delivery, participants and what changes on the ticket.
func (r *Replies) store(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, d *outbox.Delivery, in Input) error {
	now := desk.Millis(r.Clock.Now())
	change := r.changeAfter(tx, by, t, in)
	if change.Status != nil {
		d.Before["status_set"] = string(*change.Status)
	}
	if change.Assignee != nil {
		d.Before["assignee_set"] = *change.Assignee
	}
	if err := message.Add(tx, m, now); err != nil {
		return err
	}
	if err := r.Outbox.Enqueue(tx, d); err != nil {
		return err
	}
	for _, a := range append(append([]desk.Address{}, m.To...), append(m.Cc, m.Bcc...)...) {
		if err := ticket.Join(tx, t.ID, a, now); err != nil {
			return err
		}
	}
	if _, err := r.Log.Append(tx, desk.Event{Kind: "message.replied", Ticket: t.ID, Message: m.ID, Subject: d.ID, Actor: by}); err != nil {
		return err
	}
	if err := r.Tickets.Touch(tx, t, ticket.Said{From: "agent", Preview: preview(m.VisibleText), At: m.Created, Arrived: m.Arrived, HasFiles: len(in.Attachments) > 0}); err != nil {
		return err
	}
	if err := r.Tickets.Change(tx, by, t, change); err != nil {
		return err
	}
	if by.Kind != desk.ActorAgent {
		return nil
	}
	if err := ticket.MarkRead(tx, by.ID, t.ID, t.LastAt); err != nil {
		return err
	}
	return ticket.DropDraft(tx, by.ID, t.ID)
}

// changeAfter is what answering does to a ticket: the wanted status, else a new
// ticket is open now; and who answers an unassigned ticket takes it.
func (r *Replies) changeAfter(tx core.App, by desk.Actor, t *ticket.Ticket, in Input) ticket.Change {
	c := ticket.Change{Status: in.Status, Reason: "answered"}
	if c.Status == nil && t.Status == desk.StatusNew {
		open := desk.StatusOpen
		c.Status = &open
	}
	if t.Assignee == "" && by.Kind == desk.ActorAgent {
		if member, err := r.Tickets.Member(tx, t.Team, by.ID); err == nil && member {
			c.Assignee = &by.ID
		}
	}
	return c
}

// checkFresh refuses a reply to a thread that has gone on.
func (r *Replies) checkFresh(tx core.App, t *ticket.Ticket, seen string) error {
	if seen == "" {
		return nil
	}
	newer, known, err := message.NewerFromOutside(tx, t.ID, seen)
	if err == nil && !known {
		newer, known, err = newerThanUndone(tx, t.ID, seen)
	}
	if err == nil && !known {
		err = desk.Errorf(desk.Invalid, "seen_message_id names no message of this ticket; read the ticket again and answer what it shows then.").
			With("seen_message_id", map[string]string{"code": "unknown", "message": "There is no such message in this ticket."})
	}
	if err != nil || newer == nil {
		return err
	}
	return desk.Errorf(desk.Conflict, "Not sent: %s wrote while you typed.", shown(newer.From)).With("message_id", newer.ID)
}

// newerThanUndone is message.NewerFromOutside for a reply that was seen and then
// taken back: only the log knows of it.
func newerThanUndone(tx core.App, ticketID, seen string) (newer *message.Message, known bool, err error) {
	events, err := event.OfTicket(tx, ticketID)
	if err != nil {
		return nil, false, err
	}
	for _, e := range events {
		switch {
		case e.Kind == "message.replied" && e.Message == seen:
			known = true
		case known && e.Kind == "message.received":
			newer, err = message.Find(tx, e.Message)
			return newer, true, err
		}
	}
	return nil, known, nil
}

func shown(a desk.Address) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Address
}

// when is the time before which a reply is not sent, and who holds it.
func (r *Replies) when(in Input) (notBefore int64, heldBy string, err error) {
	now := r.Clock.Now()
	if in.SendAt != "" {
		at, err := time.Parse(time.RFC3339, in.SendAt)
		if err != nil || !at.After(now) {
			return 0, "", desk.Errorf(desk.Invalid, "send_at must be a time ahead, such as 2027-01-31T09:00:00Z.")
		}
		return desk.Millis(at), "", nil
	}
	undo := r.UndoSeconds()
	if in.UndoS != nil {
		undo = *in.UndoS
	}
	if undo < 0 || undo > maxUndo {
		return 0, "", desk.Errorf(desk.Invalid, "undo_s must be between 0 and %d seconds.", maxUndo)
	}
	if undo == 0 {
		return 0, "", nil
	}
	return desk.Millis(now.Add(time.Duration(undo) * time.Second)), outbox.HeldByUndo, nil
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	if domain == "" {
		return "localhost"
	}
	return strings.ToLower(domain)
}

func authorOf(by desk.Actor) string {
	if by.Kind == desk.ActorAgent {
		return by.ID
	}
	return ""
}

// preview is the beginning of a text on one line, for lists.
func preview(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return text
}

// Note writes an internal note into a ticket; it never leaves the desk.
func (r *Replies) Note(who *route.Caller, number int64, body string, attachments []string, key string) (id string, err error) {
	if err := checkLength(body); err != nil {
		return "", err
	}
	html := richtext.SanitizeCompose(body)
	text := richtext.Text(html)
	if strings.TrimSpace(text) == "" && len(attachments) == 0 && !strings.Contains(html, "<img") {
		return "", desk.Errorf(desk.Invalid, "The note is empty; write something.")
	}
	return r.once(who, number, "ticket.note", boundKey("note", number, key), func(tx core.App, t *ticket.Ticket) (string, error) {
		by := who.Actor
		m := &message.Message{ID: desk.NewID(r.Clock.Now()), Ticket: t.ID, Kind: desk.KindNote, Author: by, HTML: html, Text: text, VisibleText: text}
		if err := message.Add(tx, m, desk.Millis(r.Clock.Now())); err != nil {
			return "", err
		}
		if err := file.Attach(tx, append(attachments, imagesOf(html)...), t.ID, m.ID, by.ID); err != nil {
			return "", err
		}
		if _, err := r.Log.Append(tx, desk.Event{Kind: "message.noted", Ticket: t.ID, Message: m.ID, Actor: by}); err != nil {
			return "", err
		}
		if err := r.Tickets.Noted(tx, t); err != nil {
			return "", err
		}
		if by.Kind != desk.ActorAgent {
			return m.ID, nil
		}
		return m.ID, ticket.DropDraft(tx, by.ID, t.ID)
	})
}

// Watch brings a ticket back to work when mail of it did not arrive; it is a
// durable subscriber of the log.
func (r *Replies) Watch(ctx context.Context) error {
	return r.Log.Follow(ctx, "reply.failed", func(_ context.Context, events []desk.Event) error {
		for _, e := range events {
			if e.Kind != "delivery."+string(desk.SendFailed) || e.Ticket == "" || e.Message == "" {
				continue // a mail to an agent is none that the customer misses
			}
			if err := r.bringBack(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *Replies) bringBack(e desk.Event) error {
	return r.App.RunInTransaction(func(tx core.App) error {
		t, err := ticket.Find(tx, e.Ticket)
		if err != nil || t == nil || t.Status.Active() {
			return err
		}
		m, err := message.Find(tx, e.Message)
		if err != nil || m != nil && m.Kind == desk.KindAuto { // nobody waits for that one
			return err
		}
		// The log may bring an event again: somebody may have solved it since.
		decided, err := event.Happened(tx, t.ID, e.Seq, "ticket.solved", "ticket.status_changed", "ticket.reopened")
		if err != nil || decided {
			return err
		}
		return r.Tickets.Reopen(tx, desk.System("outbox"), t, "delivery_failed")
	})
}
