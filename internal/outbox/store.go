package outbox

import (
	"database/sql"
	"encoding/json"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const columns = "d.id, d.kind, d.auto, d.ticket, d.message, d.mailbox, d.sender, d.reply_to, d.`to`, d.cc, d.bcc, d.subject, d.text, d.html, d.message_id," +
	" d.in_reply_to, d.`references`, d.files, d.state, d.held_by, d.not_before, d.attempts, d.next_try, d.answer, d.author, d.before, d.put_away, d.created, d.updated"

// waits is the condition of those who may become due, as the index says it.
const waits = "r.state IN ('queued','deferred','held','scheduled')"

const recipientColumns = "r.id, r.delivery, r.role, r.address, r.name, r.state, r.attempts, r.next_try, r.answer, r.created, r.updated"

// due is a recipient with what the sender asks about its delivery.
type due struct {
	Recipient
	auto    bool
	mailbox string
	ticket  string
	message string
	heldBy  string

	notBefore int64 // ms
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil || string(b) == "null" {
		return "[]"
	}
	return string(b)
}

func insert(tx core.App, d *Delivery) error {
	before := ""
	if d.Before != nil {
		before = asText(d.Before)
	}
	err := sqlite.Exec(tx, "INSERT INTO deliveries (id, kind, auto, ticket, message, mailbox, sender, reply_to, `to`, cc, bcc, subject, text, html, message_id,"+
		" in_reply_to, `references`, files, state, held_by, not_before, attempts, next_try, answer, author, before, created, updated)"+
		" VALUES ("+sqlite.Marks(28)+")",
		d.ID, d.Kind, d.Auto, d.Ticket, d.Message, d.Mailbox, asText(d.From), asText(d.ReplyTo), asText(d.To), asText(d.Cc), asText(d.Bcc), d.Subject, d.Text, d.HTML,
		d.MessageID, d.InReplyTo, asText(d.References), asText(d.Files), string(d.State), d.HeldBy, d.NotBefore, d.Attempts, d.NextTry, d.Answer,
		d.Author, before, d.Created, d.Updated)
	for i := range d.Recipients {
		if err != nil {
			return err
		}
		r := &d.Recipients[i]
		err = sqlite.Exec(tx, "INSERT INTO delivery_recipients (id, delivery, mailbox, auto, role, address, name, state, attempts, next_try, answer, created, updated)"+
			" VALUES ("+sqlite.Marks(13)+")",
			r.ID, r.Delivery, d.Mailbox, d.Auto, r.Role, r.Address, r.Name, string(r.State), r.Attempts, r.NextTry, r.Answer, r.Created, r.Updated)
	}
	return err
}

func scanDelivery(r *sql.Rows) (*Delivery, error) {
	d := &Delivery{}
	var from, replyTo, to, cc, bcc, refs, files, before string
	err := r.Scan(&d.ID, &d.Kind, &d.Auto, &d.Ticket, &d.Message, &d.Mailbox, &from, &replyTo, &to, &cc, &bcc, &d.Subject, &d.Text, &d.HTML, &d.MessageID,
		&d.InReplyTo, &refs, &files, (*string)(&d.State), &d.HeldBy, &d.NotBefore, &d.Attempts, &d.NextTry, &d.Answer, &d.Author, &before,
		&d.PutAway, &d.Created, &d.Updated)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		text string
		to   any
	}{{from, &d.From}, {replyTo, &d.ReplyTo}, {to, &d.To}, {cc, &d.Cc}, {bcc, &d.Bcc}, {refs, &d.References}, {files, &d.Files}, {before, &d.Before}} {
		if part.text == "" || part.text == "[]" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.to); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Find returns a delivery with its recipients, nil when there is none.
func Find(app core.App, id string) (*Delivery, error) {
	found, err := deliveriesWhere(app, "d.id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// OfMessages returns the deliveries of messages by message id.
func OfMessages(app core.App, messages []string) (map[string]*Delivery, error) {
	out := map[string]*Delivery{}
	if len(messages) == 0 {
		return out, nil
	}
	args := make([]any, len(messages))
	for i, m := range messages {
		args[i] = m
	}
	found, err := deliveriesWhere(app, "d.message <> '' AND d.message IN ("+sqlite.Marks(len(args))+")", args...)
	for _, d := range found {
		out[d.Message] = d
	}
	return out, err
}

// ByMessageID returns the delivery that carries a Message-ID, nil for none.
func ByMessageID(app core.App, messageID string) (*Delivery, error) {
	found, err := deliveriesWhere(app, "d.message_id = ?", messageID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func deliveriesWhere(app core.App, where string, args ...any) ([]*Delivery, error) {
	var out []*Delivery
	err := sqlite.Each(app, func(r *sql.Rows) error {
		d, err := scanDelivery(r)
		out = append(out, d)
		return err
	}, "SELECT "+columns+" FROM deliveries d WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	return out, addRecipients(app, out)
}

func countWhere(app core.App, where string, args ...any) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM deliveries d WHERE "+where, args...)
	return n, err
}

// countStates adds to out how many deliveries there are of each state.
func countStates(app core.App, out map[string]int, where string, args ...any) error {
	return sqlite.Each(app, func(r *sql.Rows) error {
		var state string
		var n int
		err := r.Scan(&state, &n)
		out[state] = n
		return err
	}, "SELECT d.state, count(*) FROM deliveries d WHERE "+where+" GROUP BY d.state", args...)
}

// Waiting is how many deliveries are on their way and since when the oldest is.
func Waiting(app core.App) (n int, oldest int64, err error) {
	_, err = sqlite.One(app, []any{&n, &oldest},
		"SELECT count(*), coalesce(min(created), 0) FROM deliveries WHERE state IN ('queued','sending','deferred','held','scheduled')")
	return n, oldest, err
}

// AutoThisMinute is how much automatic mail the mailboxes sent in the minute after since.
func AutoThisMinute(app core.App, since int64) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, `SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM deliveries d JOIN delivery_recipients r ON r.delivery = d.id
		WHERE d.updated > ? AND d.auto = 1 AND r.attempts > 0 AND r.updated > ? GROUP BY d.mailbox)`, since, since)
	return n, err
}

func addRecipients(app core.App, deliveries []*Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	at, args := map[string]*Delivery{}, make([]any, len(deliveries))
	for i, d := range deliveries {
		at[d.ID], args[i] = d, d.ID
	}
	return sqlite.Each(app, func(rows *sql.Rows) error {
		var r Recipient
		err := rows.Scan(&r.ID, &r.Delivery, &r.Role, &r.Address, &r.Name, (*string)(&r.State), &r.Attempts, &r.NextTry, &r.Answer, &r.Created, &r.Updated)
		d := at[r.Delivery]
		d.Recipients = append(d.Recipients, r)
		return err
	}, "SELECT "+recipientColumns+" FROM delivery_recipients r WHERE r.delivery IN ("+sqlite.Marks(len(args))+") ORDER BY r.rowid", args...)
}

func recipientsWhere(app core.App, where string, args ...any) ([]*due, error) {
	var out []*due
	err := sqlite.Each(app, func(rows *sql.Rows) error {
		r := &due{}
		err := rows.Scan(&r.ID, &r.Delivery, &r.Role, &r.Address, &r.Name, (*string)(&r.State), &r.Attempts, &r.NextTry, &r.Answer, &r.Created, &r.Updated,
			&r.auto, &r.mailbox, &r.ticket, &r.message, &r.heldBy, &r.notBefore)
		out = append(out, r)
		return err
	}, "SELECT "+recipientColumns+", d.auto, d.mailbox, d.ticket, d.message, d.held_by, d.not_before FROM delivery_recipients r JOIN deliveries d ON d.id = r.delivery WHERE "+where, args...)
	return out, err
}

// mailboxesBusy lists the mailboxes behind which somebody waits, due or not. It
// steps from one mailbox to the next in the index, however many wait behind each.
const mailboxesBusy = `WITH RECURSIVE box (id) AS (
	SELECT (SELECT r.mailbox FROM delivery_recipients r INDEXED BY idx_delivery_recipients_waiting WHERE ` + waits + ` ORDER BY r.mailbox LIMIT 1)
	UNION ALL SELECT (SELECT r.mailbox FROM delivery_recipients r INDEXED BY idx_delivery_recipients_waiting
		WHERE ` + waits + ` AND r.mailbox > box.id ORDER BY r.mailbox LIMIT 1) FROM box WHERE box.id IS NOT NULL)
	SELECT id FROM box WHERE id IS NOT NULL`

func busyMailboxes(app core.App) ([]string, error) { return texts(app, mailboxesBusy) }

// dueBehind lists up to limit recipients that are due behind a mailbox, the
// longest due first.
func dueBehind(app core.App, mailbox string, auto bool, now int64, limit int) ([]*due, error) {
	return recipientsWhere(app, "r.mailbox = ? AND r.auto = ? AND "+waits+" AND r.next_try > 0 AND r.next_try <= ? ORDER BY r.next_try LIMIT ?",
		mailbox, auto, now, limit)
}

func texts(app core.App, query string, args ...any) ([]string, error) {
	var out []string
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}, query, args...)
	return out, err
}

// soonest finds when the next recipient becomes due, by one step into the index
// for each state.
const soonest = `SELECT coalesce(min(t), 0) FROM (
	SELECT min(next_try) AS t FROM delivery_recipients WHERE state = 'queued' AND next_try > ?1
	UNION ALL SELECT min(next_try) FROM delivery_recipients WHERE state = 'deferred' AND next_try > ?1
	UNION ALL SELECT min(next_try) FROM delivery_recipients WHERE state = 'held' AND next_try > ?1
	UNION ALL SELECT min(next_try) FROM delivery_recipients WHERE state = 'scheduled' AND next_try > ?1)`

// nextTry is when the next recipient becomes due after now, 0 for none.
func nextTry(app core.App, now int64) (ms int64, err error) {
	_, err = sqlite.One(app, []any{&ms}, soonest, now)
	return ms, err
}

// autoSince counts what a mailbox sent automatically since a time.
func autoSince(app core.App, mailbox string, since int64) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, `SELECT count(*) FROM deliveries d JOIN delivery_recipients r ON r.delivery = d.id
		WHERE d.updated > ? AND d.auto = 1 AND d.mailbox = ? AND r.attempts > 0 AND r.updated > ?`, since, mailbox, since)
	return n, err
}

// advance moves a recipient on from what it was read as, and changes nothing
// when it has moved since.
func advance(tx core.App, r *due, from Recipient, now int64) (int64, error) {
	return sqlite.Changed(tx, "UPDATE delivery_recipients SET state = ?, attempts = ?, next_try = ?, updated = ? WHERE id = ? AND state = ? AND attempts = ?",
		string(r.State), r.Attempts, r.NextTry, now, r.ID, string(from.State), from.Attempts)
}

func updateRecipient(tx core.App, r *Recipient, now int64) error {
	r.Updated = now
	return sqlite.Exec(tx, "UPDATE delivery_recipients SET state = ?, attempts = ?, next_try = ?, answer = ?, updated = ? WHERE id = ?",
		string(r.State), r.Attempts, r.NextTry, r.Answer, now, r.ID)
}

// requeue makes the recipients of a delivery follow its mailbox.
func requeue(tx core.App, d *Delivery) error {
	return sqlite.Exec(tx, "UPDATE delivery_recipients SET mailbox = ?, auto = ? WHERE delivery = ?", d.Mailbox, d.Auto, d.ID)
}

func setHeldBy(tx core.App, delivery, by string) error {
	return sqlite.Exec(tx, "UPDATE deliveries SET held_by = ? WHERE id = ?", by, delivery)
}

func setPutAway(tx core.App, delivery string, at, now int64) error {
	return sqlite.Exec(tx, "UPDATE deliveries SET put_away = ?, updated = ? WHERE id = ?", at, now, delivery)
}

// refresh derives what a delivery shows from its recipients.
func refresh(tx core.App, id string, now int64) error {
	d, err := Find(tx, id)
	if err != nil {
		return err
	}
	d.derive()
	return sqlite.Exec(tx, "UPDATE deliveries SET state = ?, held_by = ?, attempts = ?, next_try = ?, answer = ?, put_away = ?, updated = ? WHERE id = ?",
		string(d.State), d.HeldBy, d.Attempts, d.NextTry, d.Answer, d.PutAway, now, id)
}

func heldByPause(app core.App) ([]string, error) {
	return texts(app, "SELECT DISTINCT delivery FROM delivery_recipients WHERE state = 'held' AND next_try = 0")
}
