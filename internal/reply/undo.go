package reply

import (
	"slices"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// before is what a reply to t changes and its undoing gives back, and what its
// writer had seen.
func before(t *ticket.Ticket, in Input) map[string]string {
	return map[string]string{
		"status": string(t.Status), "assignee": t.Assignee, "waiting_since": strconv.FormatInt(t.WaitingSince, 10), "seen": in.SeenMessageID,
	}
}

// Undo takes a delivery back that nobody was tried for. The message of a reply
// becomes the draft of whoever undoes it, above what they have begun to write
// since, and the ticket gets back the status it had. The draft is nil for a
// delivery without a message. A message is given back only to who may reply.
func (r *Replies) Undo(who *route.Caller, delivery string) (draft *ticket.Draft, err error) {
	err = r.App.RunInTransaction(func(tx core.App) error {
		if err := mayUndo(tx, who, delivery); err != nil {
			return err
		}
		d, err := r.Outbox.Cancel(tx, who.Actor, delivery)
		if err != nil || d.Message == "" {
			return err
		}
		m, err := message.Find(tx, d.Message)
		if err != nil || m == nil {
			return err
		}
		t, err := ticket.Find(tx, m.Ticket)
		if err != nil || t == nil {
			return err
		}
		if m.Kind == desk.KindAuto { // nobody wrote it
			return r.takeBack(tx, who.Actor, t, m, d)
		}
		if draft, err = r.draftOf(tx, who.Actor, t, m, d); err != nil {
			return err
		}
		return r.takeBack(tx, who.Actor, t, m, d)
	})
	return draft, err
}

// draftOf makes the draft that a message taken back becomes.
func (r *Replies) draftOf(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, d *outbox.Delivery) (*ticket.Draft, error) {
	html := m.HTML
	if i := strings.LastIndex(html, signatureMark); i >= 0 {
		html = html[:i]
	}
	draft := &ticket.Draft{
		Kind: "reply", Body: html, To: plain(m.To), Cc: plain(m.Cc), Bcc: plain(m.Bcc), Attachments: attached(m, d), SeenMessageID: d.Before["seen"],
	}
	if by.Kind != desk.ActorAgent {
		return draft, nil
	}
	begun, err := ticket.FindDraft(tx, by.ID, t.ID)
	if err != nil {
		return nil, err
	}
	draft = above(draft, begun)
	return draft, ticket.SaveDraft(tx, by.ID, t.ID, *draft, preview(richtext.Text(draft.Body)), desk.Millis(r.Clock.Now()))
}

// attached lists the files of a reply that are no pictures of its text.
func attached(m *message.Message, d *outbox.Delivery) []string {
	inline := imagesOf(m.HTML)
	return slices.DeleteFunc(append([]string{}, d.Files...), func(id string) bool { return slices.Contains(inline, id) })
}

// above puts a reply that was taken back above what was begun since, which may
// be nil. With a note in it the whole is a note: internal text must not become
// part of a reply unseen.
func above(undone, begun *ticket.Draft) *ticket.Draft {
	if begun == nil {
		return undone
	}
	sum := *undone
	if begun.Kind == "note" {
		sum.Kind = "note"
	}
	text := strings.TrimSpace(richtext.Text(begun.Body))
	if begun.Body != undone.Body && (text != "" && text != strings.TrimSpace(richtext.Text(undone.Body)) || strings.Contains(begun.Body, "<img")) {
		sum.Body += "<p><br></p>" + begun.Body
	}
	for _, id := range begun.Attachments {
		if !slices.Contains(sum.Attachments, id) {
			sum.Attachments = append(sum.Attachments, id)
		}
	}
	return &sum
}

func plain(list []desk.Address) []string {
	out := []string{}
	for _, a := range list {
		out = append(out, a.Address)
	}
	return out
}

// takeBack removes a message that never left and makes its ticket what it was
// before, as far as nobody has changed it since.
func (r *Replies) takeBack(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, d *outbox.Delivery) error {
	answered, err := message.RepliedAfter(tx, t.ID, m.ID)
	if err != nil {
		return err
	}
	if err := file.Detach(tx, m.ID, by.ID, desk.Millis(r.Clock.Now())); err != nil {
		return err
	}
	if err := message.Remove(tx, m.ID); err != nil {
		return err
	}
	if _, err := r.Log.Append(tx, desk.Event{Kind: "message.undone", Ticket: t.ID, Message: m.ID, Subject: d.ID, Actor: by}); err != nil {
		return err
	}
	if err := r.restore(tx, by, t.ID, d.Before); err != nil {
		return err
	}
	return r.restoreLast(tx, t.ID, d.Before, answered, len(attached(m, d)) > 0)
}

// restore gives a ticket back what the reply changed on it, as far as nobody
// has changed it since; what is no longer possible stays as it is.
func (r *Replies) restore(tx core.App, by desk.Actor, id string, before map[string]string) error {
	for _, part := range []func(*ticket.Ticket, map[string]string) *ticket.Change{statusBefore, assigneeBefore} {
		t, err := ticket.Find(tx, id)
		if err != nil || t == nil {
			return err
		}
		c := part(t, before)
		if c == nil {
			continue
		}
		if err := r.Tickets.Change(tx, by, t, *c); err != nil && desk.CodeOf(err) == "" {
			return err
		}
	}
	return nil
}

func statusBefore(t *ticket.Ticket, before map[string]string) *ticket.Change {
	was := desk.Status(before["status"])
	if before["status_set"] != string(t.Status) || !was.Valid() {
		return nil
	}
	if was == desk.StatusNew {
		was = desk.StatusOpen
	}
	return &ticket.Change{Status: &was, Reason: "undone"}
}

func assigneeBefore(t *ticket.Ticket, before map[string]string) *ticket.Change {
	was, ok := before["assignee"]
	if set, changed := before["assignee_set"]; !ok || !changed || set != t.Assignee {
		return nil
	}
	return &ticket.Change{Assignee: &was, Reason: "undone"}
}

// restoreLast shows the last message again that is really there, and since when
// the customer waits. answered tells that somebody replied after the message
// that was taken back, files that it had some.
func (r *Replies) restoreLast(tx core.App, id string, before map[string]string, answered, files bool) error {
	t, err := ticket.Find(tx, id)
	if err != nil || t == nil {
		return err
	}
	last, err := message.LastPublic(tx, id)
	if err != nil {
		return err
	}
	said := ticket.Said{HasFiles: t.HasFiles}
	if last != nil {
		said.From, said.Preview, said.At, said.Arrived = speaker(last), preview(last.VisibleText), last.Created, last.Arrived
	}
	if files {
		if said.HasFiles, err = hasFiles(tx, id); err != nil {
			return err
		}
	}
	return r.Tickets.Unsay(tx, t, said, waitsSince(t, said, before, answered))
}

// waitsSince is since when the customer waits once a reply was taken back: since
// before it, unless somebody answered or took the ticket's turn since.
func waitsSince(t *ticket.Ticket, last ticket.Said, before map[string]string, answered bool) int64 {
	if answered || t.Status == desk.StatusPending || t.Status.Finished() {
		return t.WaitingSince
	}
	was, err := strconv.ParseInt(before["waiting_since"], 10, 64)
	if err != nil && last.From == "customer" { // written before this was kept
		was = last.At
	}
	if was == 0 {
		return t.WaitingSince
	}
	return was
}

// speaker is who a message shows as the one who spoke last.
func speaker(m *message.Message) string {
	switch {
	case m.Kind == desk.KindCustomer && !m.AutoReply:
		return "customer"
	case m.Kind == desk.KindReply || m.Kind == desk.KindForward:
		return "agent"
	}
	return "system"
}

// hasFiles reports whether a ticket has a file that is no part of a text.
func hasFiles(app core.App, id string) (bool, error) {
	messages, err := message.IDs(app, id)
	if err != nil {
		return false, err
	}
	byMessage, err := file.OfMessages(app, messages)
	for _, files := range byMessage {
		for _, f := range files {
			if !f.Inline {
				return true, nil
			}
		}
	}
	return false, err
}
