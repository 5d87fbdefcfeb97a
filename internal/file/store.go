package file

import (
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const entryColumns = `seq, id, channel, mailbox, source_id, received, sha256, size, mail_from, rcpt_to,
	old, too_large, state, message, reason, tries, next_try, content_key, path, coalesce(sender, ''), coalesce(subject, ''), origin, peer, helo, reason_text`

func insertEntry(tx core.App, e *Entry) error {
	return sqlite.Exec(tx, `INSERT INTO ledger (id, channel, mailbox, source_id, received, sha256, size, mail_from, rcpt_to,
		old, too_large, state, message, reason, tries, content_key, path, raw, origin, peer, helo) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'','',0,'',?,?,?,?,?)
		ON CONFLICT (channel, mailbox, source_id) DO NOTHING`,
		e.ID, string(e.Channel), e.Mailbox, e.SourceID, e.Received, e.SHA256, e.Size, e.MailFrom, marshalList(e.RcptTo),
		e.Old, e.TooLarge, string(e.State), e.path, e.raw, string(e.Origin), e.Peer, e.Helo)
}

func entriesWhere(app core.App, withRaw bool, where string, args ...any) ([]*Entry, error) {
	columns := entryColumns + ", NULL"
	if withRaw {
		columns = entryColumns + ", raw"
	}
	var out []*Entry
	err := sqlite.Each(app, func(r *sql.Rows) error {
		e := &Entry{}
		var rcpt, sender string
		err := r.Scan(&e.Seq, &e.ID, (*string)(&e.Channel), &e.Mailbox, &e.SourceID, &e.Received, &e.SHA256, &e.Size,
			&e.MailFrom, &rcpt, &e.Old, &e.TooLarge, (*string)(&e.State), &e.Message, &e.Reason, &e.Tries, &e.NextTry,
			&e.ContentKey, &e.path, &sender, &e.Subject, (*string)(&e.Origin), &e.Peer, &e.Helo, &e.ReasonText, &e.raw)
		if err != nil {
			return err
		}
		out = append(out, e)
		if sender != "" {
			if err := json.Unmarshal([]byte(sender), &e.Sender); err != nil {
				return err
			}
		}
		return json.Unmarshal([]byte(rcpt), &e.RcptTo)
	}, "SELECT "+columns+" FROM ledger WHERE "+where, args...)
	return out, err
}

// ledgered notes in there which of a mailbox's source ids have a row.
func ledgered(app core.App, mailbox string, sourceIDs []string, there map[string]bool) error {
	args := []any{string(desk.ChannelEmail), mailbox}
	for _, id := range sourceIDs {
		args = append(args, id)
	}
	return sqlite.Each(app, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		there[id] = true
		return err
	}, "SELECT source_id FROM ledger WHERE channel = ? AND mailbox = ? AND source_id IN ("+sqlite.Marks(len(sourceIDs))+")", args...)
}

// Unentered reports whether there are entries that intake has not settled.
func Unentered(app core.App) (bool, error) {
	return sqlite.One(app, []any{new(int)}, "SELECT 1 FROM ledger WHERE state = 'stored' LIMIT 1")
}

// Waiting lists up to limit entries that intake has to look at now, oldest
// first, with their bytes.
func Waiting(app core.App, now int64, limit int) ([]*Entry, error) {
	return entriesWhere(app, true, "state = 'stored' AND next_try <= ? ORDER BY seq LIMIT ?", now, limit)
}

// NextWaiting is when the next entry that pauses is to be looked at, ms; 0 = none pauses.
func NextWaiting(app core.App) (ms int64, err error) {
	_, err = sqlite.One(app, []any{&ms}, "SELECT coalesce(min(next_try), 0) FROM ledger WHERE state = 'stored' AND next_try > 0")
	return ms, err
}

// FindEntry returns one entry with its bytes, nil when there is none.
func FindEntry(app core.App, id string) (*Entry, error) {
	found, err := entriesWhere(app, true, "id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Quarantined pages through the entries that need a person, newest first;
// before is the Seq to go on below, 0 for the start.
func Quarantined(app core.App, before int64, limit int) ([]*Entry, error) {
	return entriesWhere(app, false, "state = 'quarantined' AND seq < ? ORDER BY seq DESC LIMIT ?", below(before), limit)
}

// Undescribed lists up to limit entries in quarantine of which nobody knows yet
// who they are from, with their bytes.
func Undescribed(app core.App, limit int) ([]*Entry, error) {
	return entriesWhere(app, true, "state = 'quarantined' AND sender IS NULL ORDER BY seq LIMIT ?", limit)
}

// Describe notes who an entry says it is from, and what about.
func Describe(tx core.App, e *Entry, sender desk.Address, subject string) error {
	e.Sender, e.Subject = sender, subject
	text, _ := json.Marshal(sender) // strings always marshal
	return sqlite.Exec(tx, "UPDATE ledger SET sender = ?, subject = ? WHERE seq = ?", string(text), subject, e.Seq)
}

func below(before int64) int64 {
	if before == 0 {
		return 1 << 62
	}
	return before
}

// CountQuarantined is how many entries need a person.
func CountQuarantined(app core.App) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM ledger WHERE state = 'quarantined'")
	return n, err
}

// Entries pages through the ledger, newest first; before is the Seq to go on
// below, 0 for the start.
func Entries(app core.App, before int64, limit int) ([]*Entry, error) {
	return entriesWhere(app, false, "seq < ? ORDER BY seq DESC LIMIT ?", below(before), limit)
}

// OriginOf is how the mail of an entry came.
func OriginOf(app core.App, id string) (origin Origin, err error) {
	_, err = sqlite.One(app, []any{(*string)(&origin)}, "SELECT origin FROM ledger WHERE id = ?", id)
	return origin, err
}

// Explain notes what the desk says about why an entry is in quarantine.
func Explain(tx core.App, e *Entry, text string) error {
	e.ReasonText = text
	return sqlite.Exec(tx, "UPDATE ledger SET reason_text = ? WHERE seq = ?", text, e.Seq)
}

// Settle records in tx what became of an entry.
func Settle(tx core.App, e *Entry, state State, message, reason, contentKey string) error {
	e.State, e.Message, e.Reason, e.ContentKey = state, message, reason, contentKey
	return sqlite.Exec(tx, "UPDATE ledger SET state = ?, message = ?, reason = ?, content_key = ? WHERE seq = ?",
		string(state), message, reason, contentKey, e.Seq)
}

// Tried counts a failed try of an entry, which is to be tried again at next.
func Tried(app core.App, e *Entry, next int64) error {
	e.Tries, e.NextTry = e.Tries+1, next
	return sqlite.Exec(app, "UPDATE ledger SET tries = ?, next_try = ? WHERE seq = ?", e.Tries, next, e.Seq)
}

// OldestWaiting is when the oldest entry that waits for intake came, ms; 0 = none waits.
func OldestWaiting(app core.App) (ms int64, err error) {
	_, err = sqlite.One(app, []any{&ms}, "SELECT received FROM ledger WHERE state = 'stored' ORDER BY seq LIMIT 1")
	return ms, err
}

const fileColumns = "id, file, name, content_type, size, sha256, ticket, message, content_id, inline, uploaded_by, created"

func insertFile(tx core.App, f *File) error {
	return sqlite.Exec(tx, "INSERT INTO files ("+fileColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
		f.ID, f.stored, f.Name, f.ContentType, f.Size, f.SHA256, f.Ticket, f.Message, f.ContentID, f.Inline, f.UploadedBy, f.Created)
}

func filesWhere(app core.App, where string, args ...any) ([]File, error) {
	var out []File
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var f File
		err := r.Scan(&f.ID, &f.stored, &f.Name, &f.ContentType, &f.Size, &f.SHA256, &f.Ticket, &f.Message,
			&f.ContentID, &f.Inline, &f.UploadedBy, &f.Created)
		out = append(out, f)
		return err
	}, "SELECT "+fileColumns+" FROM files WHERE "+where, args...)
	return out, err
}

// FindFile returns one file, nil when there is none.
func FindFile(app core.App, id string) (*File, error) {
	found, err := filesWhere(app, "id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// OfMessages lists the files of messages in the order in which they were added.
func OfMessages(app core.App, messages []string) (map[string][]File, error) {
	out := map[string][]File{}
	if len(messages) == 0 {
		return out, nil
	}
	args := make([]any, len(messages))
	for i, m := range messages {
		args[i] = m
	}
	found, err := filesWhere(app, "message IN ("+sqlite.Marks(len(args))+") AND message <> '' ORDER BY rowid", args...)
	for _, f := range found {
		out[f.Message] = append(out[f.Message], f)
	}
	return out, err
}

// Attach gives loose files to a message of a ticket, in tx; an id that stands
// there twice is one. Only whoever uploaded a file may attach it, and only once.
func Attach(tx core.App, ids []string, ticket, message, uploadedBy string) error {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		n, err := sqlite.Changed(tx, "UPDATE files SET ticket = ?, message = ? WHERE id = ? AND message = '' AND uploaded_by = ?",
			ticket, message, id, uploadedBy)
		if err != nil {
			return err
		}
		if n == 0 {
			return desk.Errorf(desk.Invalid, "One of the attached files is not there any more; attach it again.")
		}
	}
	return nil
}

// Detach makes the files of a message loose again, in tx, as if by had uploaded
// them now, so that who undoes a reply can send it again.
func Detach(tx core.App, message, by string, now int64) error {
	return sqlite.Exec(tx, "UPDATE files SET ticket = '', message = '', uploaded_by = ?, created = ? WHERE message = ?", by, now, message)
}

// MarkInline makes files parts of the text of their mail.
func MarkInline(tx core.App, ids []string) error {
	for _, id := range ids {
		if err := sqlite.Exec(tx, "UPDATE files SET inline = 1, content_id = ? WHERE id = ?", InlineID(id), id); err != nil {
			return err
		}
	}
	return nil
}

// InlineID is the Content-ID of a file that a mail of ours shows.
func InlineID(id string) string { return id + "@deskbell" }

// looseBefore lists the uploads that no message took and that are older than before.
func looseBefore(app core.App, before int64) ([]string, error) {
	var ids []string
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM files WHERE message = '' AND created < ?", before)
	return ids, err
}

func dropLoose(tx core.App, id string) error {
	return sqlite.Exec(tx, "DELETE FROM files WHERE id = ? AND message = ''", id)
}

func ledgerHasFile(app core.App, id, path string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM ledger WHERE id = ? AND path = ?", id, path)
}
