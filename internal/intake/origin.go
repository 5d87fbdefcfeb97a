package intake

import (
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// ReasonNoTicket is why mail of a folder of sent mail was not kept.
const ReasonNoTicket = "no_ticket"

// Entered implements email.Threads.
func (in *Intake) Entered() (bool, error) {
	waits, err := file.Unentered(in.App)
	return !waits && err == nil, err
}

// Known implements email.Threads.
func (in *Intake) Known(messageID string) (bool, error) {
	refs, err := message.ByMessageID(in.App, messageID)
	return len(refs) > 0, err
}

// Belongs implements email.Threads.
func (in *Intake) Belongs(messageID string, refs []string) (bool, error) {
	if messageID != "" {
		if in.Tokens.OfMessageID(messageID) != 0 {
			return false, nil // the desk sent it itself
		}
		if known, err := in.Known(messageID); known || err != nil {
			return false, err
		}
	}
	for _, id := range refs[:min(len(refs), maxRefs)] {
		if in.Tokens.OfMessageID(id) != 0 {
			return true, nil
		}
		if known, err := in.Known(id); known || err != nil {
			return known, err
		}
	}
	return false, nil
}

// receiveSent enters what somebody of ours answered with another program: it
// becomes an answer in the ticket, stops its clock, and is never sent again.
func (in *Intake) receiveSent(tx core.App, l *letter) error {
	if settled, err := in.seenBefore(tx, l); settled || err != nil {
		return err
	}
	t, c, err := in.answered(tx, l)
	if err != nil {
		return err
	}
	if t == nil {
		return file.Settle(tx, l.entry, file.StateRefused, "", ReasonNoTicket, l.key)
	}
	m := in.message(l, t, &customer.Customer{}, desk.Reason{Code: "sent_elsewhere", Detail: map[string]any{"message": c.message}})
	m.Kind, m.Author = desk.KindReply, desk.Agent("") // somebody of ours; the mailbox does not say who
	if err := in.store(tx, l, t, m); err != nil {
		return err
	}
	for _, a := range append(append([]desk.Address{}, m.To...), m.Cc...) {
		ours, err := in.Mailboxes.Ours(tx, a.Address)
		if err != nil {
			return err
		}
		if !ours {
			if err := ticket.Join(tx, t.ID, a, m.Created); err != nil {
				return err
			}
		}
	}
	if older(m, t) { // the customer wrote again since
		return in.Tickets.Noted(tx, t)
	}
	said := ticket.Said{From: "agent", Preview: preview(m.VisibleText), At: m.Created, Arrived: m.Arrived, HasFiles: hasFiles(l)}
	if err := in.Tickets.Touch(tx, t, said); err != nil || t.Status != desk.StatusNew {
		return err
	}
	open := desk.StatusOpen
	return in.Tickets.Change(tx, m.Author, t, ticket.Change{Status: &open, Reason: "sent_elsewhere"})
}

// older reports whether a customer wrote to t after an answer was sent. The
// program's own date is the better one unless its clock is wrong.
func older(m *message.Message, t *ticket.Ticket) bool {
	sent := m.Created
	if m.Sent <= sent && sent-m.Sent < 10*time.Minute.Milliseconds() {
		sent = m.Sent
	}
	return t.WaitingSince > sent
}

// answered is the ticket that a sent mail answers, nil for none.
func (in *Intake) answered(tx core.App, l *letter) (*ticket.Ticket, candidate, error) {
	candidates, err := in.candidates(tx, l)
	if err != nil || in.Tokens.OfMessageID(l.mail.MessageID) != 0 {
		return nil, candidate{}, err
	}
	for _, c := range candidates {
		t, err := c.load(tx)
		if err != nil || t != nil {
			return t, c, err
		}
	}
	return nil, candidate{}, nil
}

// joinOlder adds mail from before the connection to the ticket it belongs to,
// whose state it does not touch.
func (in *Intake) joinOlder(tx core.App, l *letter, t *ticket.Ticket, m *message.Message) error {
	if t.Status.Active() || m.Arrived < t.LastAt {
		return in.Tickets.Noted(tx, t)
	}
	return in.Tickets.Touch(tx, t, ticket.Said{From: "system", Preview: preview(m.VisibleText), At: m.Created, Arrived: m.Arrived, HasFiles: hasFiles(l)})
}

// mayAnswer reports whether the desk may answer a letter by itself: no machine,
// list or filter for spam has had a hand in it, and it is news.
func (l *letter) mayAnswer() bool {
	nobody := l.entry.Peer != "" && (l.entry.MailFrom == "" || mail.Robot(l.entry.MailFrom)) // the envelope says it
	spam := strings.HasPrefix(strings.ToLower(l.mail.Header.Get("X-Spam-Flag")), "yes") || strings.HasPrefix(strings.ToLower(l.mail.Header.Get("X-Spam-Status")), "yes")
	return l.mail.MayAutoRespond && !nobody && !spam && l.auth.Result != desk.AuthFail && l.entry.Origin == file.OriginLive && !l.entry.Old
}

// proven adds to a reason what was found out about the sender.
func (l *letter) proven(r desk.Reason) desk.Reason {
	if l.entry.Origin != file.OriginLive || l.auth.Why == "" {
		return r
	}
	detail := map[string]any{"sender": l.auth.Why}
	if l.auth.Domain != "" {
		detail["sender_domain"] = l.auth.Domain
	}
	for k, v := range r.Detail {
		detail[k] = v
	}
	return desk.Reason{Code: r.Code, Detail: detail}
}
