package notify

import (
	"fmt"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/pocketbase/pocketbase/core"
)

// fence is the first line of a notice: an answer ends where it is quoted.
const fence = "--- Write your answer above this line ---"

// noteMark at the beginning of an answer makes it an internal note.
const noteMark = "#note"

const (
	maxShown   = 4000 // characters of the message that a notice shows
	maxSubject = 300
)

// enqueue writes the row of a notice and its mail, in tx.
func (n *Notices) enqueue(tx core.App, what *news, a access.Agent, row *notice, mailbox string, from desk.Address) error {
	if what.message != nil {
		row.Message = what.message.ID
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	sealed, err := n.Secrets.Seal(sealedFor(row.Delivery), newID(n.Secrets, row, domain))
	if err != nil {
		return err
	}
	if err := insert(tx, row); err != nil {
		return err
	}
	return n.Outbox.Enqueue(tx, &outbox.Delivery{
		ID: row.Delivery, Kind: outbox.KindNotice, Auto: true, Ticket: row.Ticket, Mailbox: mailbox, From: from,
		To: []desk.Address{{Name: a.Name, Address: a.Email}}, Subject: subject(what), Text: n.text(what), MessageID: sealed,
	})
}

func subject(what *news) string {
	s := what.ticket.Subject
	if r := []rune(s); len(r) > maxSubject {
		s = string(r[:maxSubject-1]) + "…"
	}
	return fmt.Sprintf("[#%d] %s", what.ticket.Number, s)
}

func (n *Notices) text(what *news) string {
	var b strings.Builder
	b.WriteString(fence + "\n\n")
	b.WriteString(headline(what) + "\n")
	if m := what.message; m != nil {
		if m.Authentication == desk.AuthFail {
			b.WriteString("The check of the sender failed: it may be forged.\n")
		}
		b.WriteString("\n" + bounded(m.VisibleText) + "\n")
	}
	fmt.Fprintf(&b, "\nOpen the ticket: %s/inbox/all/%d\n\n", n.Site(), what.ticket.Number)
	b.WriteString("Answer this mail and what you write goes to the customer as your reply. Begin with " + noteMark + " and it becomes an internal note. One answer, within 14 days, from this address.\n")
	return b.String()
}

// headline says who did what.
func headline(what *news) string {
	number := fmt.Sprintf("#%d", what.ticket.Number)
	who := "Somebody"
	if m := what.message; m != nil && m.From.Address != "" {
		if who = m.From.Address; m.From.Name != "" {
			who = oneLine(m.From.Name) + " <" + m.From.Address + ">"
		}
	}
	if what.opened {
		return who + " opened " + number + " in your team."
	}
	return who + " answered in your ticket " + number + "."
}

// bounded is the beginning of a text; a line that looks like the fence is none.
func bounded(text string) string {
	text = strings.ReplaceAll(text, fence, "")
	if r := []rune(text); len(r) > maxShown {
		return string(r[:maxShown-1]) + "…\n\n(The rest is in the ticket.)"
	}
	return text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
