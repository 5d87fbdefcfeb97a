package message

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const columns = "id, ticket, thread, kind, author_kind, author, `from`, reply_to, `to`, cc, bcc, subject, text, visible_text, html, html_quoted," +
	" message_id, in_reply_to, `references`, authentication, reason, auto_reply, may_auto_respond, bounce, ledger, content_key, sent, created, arrived, shortened"

func insert(tx core.App, m *Message) error {
	return sqlite.Exec(tx, "INSERT INTO messages ("+columns+") VALUES ("+sqlite.Marks(30)+")",
		m.ID, m.Ticket, m.Thread, string(m.Kind), string(m.Author.Kind), m.Author.ID, encode(m.From), addresses(m.ReplyTo), addresses(m.To), addresses(m.Cc), addresses(m.Bcc),
		m.Subject, m.Text, m.VisibleText, m.HTML, m.HTMLQuoted, m.MessageID, m.InReplyTo, refs(m.References), string(m.Authentication),
		encode(m.Reason), m.AutoReply, m.MayAutoRespond, bounceText(m.Bounce), m.Ledger, m.ContentKey, m.Sent, m.Created, m.Arrived, m.Shortened)
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("message: encode %T: %v", v, err)) // only what cannot be JSON at all does this
	}
	return string(b)
}

func addresses(list []desk.Address) string {
	if len(list) == 0 {
		return "[]"
	}
	return encode(list)
}

func refs(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return encode(list)
}

func bounceText(b *Bounce) string {
	if b == nil {
		return "null"
	}
	return encode(b)
}

func where(app core.App, cond string, args ...any) ([]*Message, error) {
	var out []*Message
	err := sqlite.Each(app, func(r *sql.Rows) error {
		m, err := scan(r)
		out = append(out, m)
		return err
	}, "SELECT "+columns+" FROM messages WHERE "+cond, args...)
	return out, err
}

func scan(r *sql.Rows) (*Message, error) {
	m := &Message{}
	var from, replyTo, to, cc, bcc, references, reason, bounce string
	err := r.Scan(&m.ID, &m.Ticket, &m.Thread, (*string)(&m.Kind), (*string)(&m.Author.Kind), &m.Author.ID, &from, &replyTo, &to, &cc, &bcc,
		&m.Subject, &m.Text, &m.VisibleText, &m.HTML, &m.HTMLQuoted, &m.MessageID, &m.InReplyTo, &references, (*string)(&m.Authentication),
		&reason, &m.AutoReply, &m.MayAutoRespond, &bounce, &m.Ledger, &m.ContentKey, &m.Sent, &m.Created, &m.Arrived, &m.Shortened)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		text string
		to   any
	}{{from, &m.From}, {replyTo, &m.ReplyTo}, {to, &m.To}, {cc, &m.Cc}, {bcc, &m.Bcc}, {references, &m.References}, {reason, &m.Reason}, {bounce, &m.Bounce}} {
		if part.text == "" || part.text == "[]" || part.text == "null" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.to); err != nil {
			return nil, fmt.Errorf("read message %s: %w", m.ID, err)
		}
	}
	if m.Arrived == 0 { // older than the column
		m.Arrived = m.Created
	}
	return m, nil
}

// Find returns one message, nil when there is none.
func Find(app core.App, id string) (*Message, error) { return first(where(app, "id = ?", id)) }

// ByContent returns the message whose content has the given key, nil for none.
func ByContent(app core.App, key string) (id, ticket string, err error) {
	_, err = sqlite.One(app, []any{&id, &ticket}, "SELECT id, ticket FROM messages WHERE content_key = ? AND content_key <> ''", key)
	return id, ticket, err
}

// Page lists up to limit messages of a ticket's thread, oldest first within the
// page, newest page first; before is the id to go on below, "" for the newest.
func Page(app core.App, ticket, before string, limit int) (page []*Message, more bool, err error) {
	cond, args := "ticket = ? ", []any{ticket}
	if before != "" {
		cond += "AND (created, id) < (SELECT created, id FROM messages WHERE id = ?) "
		args = append(args, before)
	}
	page, err = where(app, cond+"ORDER BY created DESC, id DESC LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, false, err
	}
	if len(page) > limit {
		page, more = page[:limit], true
	}
	for i, j := 0, len(page)-1; i < j; i, j = i+1, j-1 {
		page[i], page[j] = page[j], page[i]
	}
	return page, more, nil
}

// Messages are written in the order in which they are learned, so the rowid
// tells what came after what, whatever the dates and the clock say.

// LastPublic returns the message of a ticket that was learned last and that a
// person said to another, no note and no automatic mail of ours; nil for none.
func LastPublic(app core.App, ticket string) (*Message, error) {
	return first(where(app, "ticket = ? AND kind NOT IN ('note','system','auto') AND thread = 'main' ORDER BY rowid DESC LIMIT 1", ticket))
}

// LastFromCustomer returns the message of a customer that was learned last, nil
// for none.
func LastFromCustomer(app core.App, ticket string) (*Message, error) {
	return first(where(app, "ticket = ? AND kind = 'customer' AND thread = 'main' ORDER BY rowid DESC LIMIT 1", ticket))
}

// NewerFromOutside returns the first message of a customer that was learned
// after the given one, whenever it was written; nil for none. known is false
// when the ticket has no such message.
func NewerFromOutside(app core.App, ticket, seen string) (newer *Message, known bool, err error) {
	if known, err = sqlite.One(app, []any{new(string)}, "SELECT id FROM messages WHERE id = ? AND ticket = ?", seen, ticket); err != nil || !known {
		return nil, false, err
	}
	newer, err = first(where(app, `ticket = ? AND kind = 'customer' AND rowid > (SELECT rowid FROM messages WHERE id = ?)
		ORDER BY rowid LIMIT 1`, ticket, seen))
	return newer, true, err
}

// RepliedAfter reports whether a person of ours wrote to the customer after the
// given message.
func RepliedAfter(app core.App, ticket, message string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, `SELECT id FROM messages WHERE ticket = ? AND kind = 'reply'
		AND rowid > (SELECT rowid FROM messages WHERE id = ?)`, ticket, message)
}

// First returns the message of a ticket that was learned first, nil for none.
func First(app core.App, ticket string) (*Message, error) {
	return first(where(app, "ticket = ? ORDER BY rowid LIMIT 1", ticket))
}

// IsFirst reports whether nothing was learned in a ticket before a message of it.
func IsFirst(app core.App, ticket, message string) (bool, error) {
	before, err := sqlite.One(app, []any{new(string)}, `SELECT id FROM messages WHERE ticket = ?
		AND rowid < (SELECT rowid FROM messages WHERE id = ?) LIMIT 1`, ticket, message)
	return !before, err
}

// Automatic lists the automatic mails of ours in a ticket, oldest first.
func Automatic(app core.App, ticket string) ([]*Message, error) {
	return where(app, "ticket = ? AND kind = 'auto' ORDER BY rowid", ticket)
}

// IDs lists the ids of all messages of a ticket.
func IDs(app core.App, ticket string) ([]string, error) {
	var ids []string
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM messages WHERE ticket = ?", ticket)
	return ids, err
}

func first(found []*Message, err error) (*Message, error) {
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// AddID records that a Message-ID, seen or sent, belongs to a message.
func AddID(tx core.App, messageID, message, ticket string) error {
	return sqlite.Exec(tx, "INSERT INTO message_ids (message_id, message, ticket) VALUES (?,?,?) ON CONFLICT DO NOTHING", messageID, message, ticket)
}

// Ref is a message that a Message-ID belongs to.
type Ref struct{ Message, Ticket string }

// ByMessageID lists the messages that carry a Message-ID; more than one when
// different mails came under the same id.
func ByMessageID(app core.App, messageID string) ([]Ref, error) {
	var out []Ref
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var ref Ref
		err := r.Scan(&ref.Message, &ref.Ticket)
		out = append(out, ref)
		return err
	}, "SELECT message, ticket FROM message_ids WHERE message_id = ?", messageID)
	return out, err
}

func setBounce(tx core.App, id string, b *Bounce) error {
	return sqlite.Exec(tx, "UPDATE messages SET bounce = ? WHERE id = ?", bounceText(b), id)
}

// Remove deletes a message that never left the desk: an undone reply.
func Remove(tx core.App, id string) error {
	if err := sqlite.Exec(tx, "DELETE FROM message_ids WHERE message = ?", id); err != nil {
		return err
	}
	return sqlite.Exec(tx, "DELETE FROM messages WHERE id = ?", id)
}
