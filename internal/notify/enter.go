package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Enter makes the answers that Take took replies and notes; it is a durable
// subscriber of the log. The id of the raw mail is the key of the reply, so that
// an event that comes again sends nothing again.
func (n *Notices) Enter(ctx context.Context) error {
	return n.Log.Follow(ctx, "notify.enter", func(_ context.Context, events []desk.Event) error {
		for _, e := range events {
			if e.Kind != answered {
				continue
			}
			if err := n.enter(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// enter makes one answer a reply or a note. Where the desk refuses it, the mail
// goes into quarantine with what the desk said; an error of ours is tried again.
func (n *Notices) enter(e desk.Event) error {
	entry, err := file.FindEntry(n.App, e.Subject)
	if err != nil || entry == nil || entry.State != file.StateDone || entry.Message != "" {
		return err
	}
	raw, err := n.Ledger.Raw(entry)
	if err != nil {
		return err
	}
	m := mail.Parse(raw)
	id, err := n.postSafely(e, entry, m)
	var told *desk.Error
	if errors.As(err, &told) && told.Code != desk.Unavailable {
		return n.quarantine(entry, m, told.Text)
	}
	if err != nil {
		return err
	}
	return n.App.RunInTransaction(func(tx core.App) error { return file.Settle(tx, entry, file.StateDone, id, "", entry.ContentKey) })
}

// postSafely is post with a panic as a refusal: one mail must not hold up the others.
func (n *Notices) postSafely(e desk.Event, entry *file.Entry, m *mail.Mail) (id string, err error) {
	defer func() {
		if p := recover(); p != nil {
			n.App.Logger().Error("an agent's answer could not be entered", "entry", entry.ID, "panic", p)
			err = desk.Errorf(desk.Invalid, "An error of our own; the log says more.")
		}
	}()
	return n.post(e, entry, m)
}

// post hands what an agent wrote to the replies, as the agent.
func (n *Notices) post(e desk.Event, entry *file.Entry, m *mail.Mail) (string, error) {
	t, err := ticket.Find(n.App, e.Ticket)
	if err != nil {
		return "", err
	}
	who, err := access.CallerIn(n.App, e.Actor.ID)
	if err != nil {
		return "", err
	}
	if who == nil || t == nil {
		return "", desk.Errorf(desk.Forbidden, "The agent does not work here any more.")
	}
	text, note := written(m)
	parts := partsOf(m)
	if text == "" && len(parts) == 0 {
		return "", desk.Errorf(desk.Invalid, "There is nothing in it beside what it quotes.")
	}
	files, err := n.keep(who.Actor, parts)
	if err != nil {
		return "", err
	}
	body, key := richtext.FromText(text), "mail/"+entry.ID
	if note {
		return n.Replies.Note(who, t.Number, body, files, key)
	}
	return n.Replies.Reply(who, t.Number, body, files, key)
}

// written is what an agent wrote above the notice, and whether it is a note.
func written(m *mail.Mail) (text string, note bool) {
	text = aboveFence(mail.Written(m))
	first, rest, _ := strings.Cut(text, "\n")
	if len(first) < len(noteMark) || !strings.EqualFold(first[:len(noteMark)], noteMark) {
		return text, false
	}
	return strings.TrimSpace(strings.TrimLeft(first[len(noteMark):], " \t:-") + "\n" + rest), true
}

// aboveFence cuts a text where the notice is quoted in it, for quotes of kinds
// that nobody has met yet.
func aboveFence(text string) string {
	at := strings.Index(oneSpaced(text), strings.Trim(fence, "- "))
	if at < 0 {
		return text
	}
	head := oneSpaced(text)[:at]
	return strings.TrimSpace(strings.TrimRight(head, "-> |\n"))
}

// oneSpaced is text with unusual blanks made usual.
func oneSpaced(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

// partsOf lists the files of a mail that are part of what was written: not those
// that only its quote or nothing at all shows.
func partsOf(m *mail.Mail) []desk.Attachment {
	visible, _ := mail.SplitQuote(m.HTML)
	var out []desk.Attachment
	for _, p := range m.Parts {
		if p.Inline && p.ContentID != "" && !strings.Contains(visible, "cid:"+p.ContentID) {
			continue
		}
		out = append(out, desk.Attachment{Name: p.Name, ContentType: p.ContentType, Content: p.Content})
	}
	return out
}

// keep stores files as if the agent had uploaded them.
func (n *Notices) keep(by desk.Actor, parts []desk.Attachment) ([]string, error) {
	var ids []string
	for _, p := range parts {
		f, err := n.Files.Prepare(p, by.ID)
		if err != nil {
			return nil, fmt.Errorf("keep a file of an answer: %w", err)
		}
		if err := n.App.RunInTransaction(func(tx core.App) error { return n.Files.Commit(tx, f, "", "") }); err != nil {
			return nil, err
		}
		ids = append(ids, f.ID)
	}
	return ids, nil
}

// quarantine has a person look at an answer that the desk refused, for the reason
// it gave.
func (n *Notices) quarantine(entry *file.Entry, m *mail.Mail, why string) error {
	return n.App.RunInTransaction(func(tx core.App) error {
		if err := file.Settle(tx, entry, file.StateQuarantined, "", desk.AnswerRefused, entry.ContentKey); err != nil {
			return err
		}
		if err := file.Explain(tx, entry, why); err != nil {
			return err
		}
		from := desk.Address{Name: m.From.Name, Address: m.From.Address}
		if err := file.Describe(tx, entry, from, ticket.CleanSubject(m.Subject)); err != nil {
			return err
		}
		_, err := n.Log.Append(tx, desk.Event{Kind: "mail.quarantined", Subject: entry.ID, Actor: desk.System("notify"), Reason: desk.AnswerRefused})
		return err
	})
}
