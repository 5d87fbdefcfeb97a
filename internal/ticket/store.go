package ticket

import (
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Collection is the name of the tickets' collection, for joins of others.
const Collection = "tickets"

const tagCollection = "tags"

// Columns are the columns that Scan reads, for the queries of others.
const Columns = `t.id, t.number, t.subject, t.status, t.priority, t.type, t.channel, t.mailbox, t.team, t.assignee, t.customer,
	t.tags, t.looks_like, t.preview, t.last_from, t.last_at, t.waiting_since, t.has_files, t.created, t.updated, t.solved, t.event`

// Scan reads a row of Columns.
func Scan(r *sql.Rows, more ...any) (*Ticket, error) {
	t := &Ticket{}
	var tags, like string
	err := r.Scan(append([]any{
		&t.ID, &t.Number, &t.Subject, (*string)(&t.Status), (*string)(&t.Priority), (*string)(&t.Type), (*string)(&t.Channel),
		&t.Mailbox, &t.Team, &t.Assignee, &t.Customer, &tags, &like, &t.Preview, &t.LastFrom, &t.LastAt, &t.WaitingSince,
		&t.HasFiles, &t.Created, &t.Updated, &t.Solved, &t.Event,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	if tags != "" && tags != "[]" {
		err = json.Unmarshal([]byte(tags), &t.Tags)
	}
	if err == nil && like != "" && like != "[]" {
		err = json.Unmarshal([]byte(like), &t.LooksLike)
	}
	return t, err
}

func list[T any](v []T) string {
	if len(v) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(v) // strings and numbers always marshal
	return string(b)
}

var rank = map[desk.Priority]int{desk.PriorityLow: 0, desk.PriorityNormal: 1, desk.PriorityHigh: 2, desk.PriorityUrgent: 3}

func insert(tx core.App, t *Ticket) error {
	if err := sqlite.Exec(tx, "INSERT INTO ticket_numbers (number, ticket) VALUES (?,?)", t.Number, t.ID); err != nil {
		return err
	}
	err := sqlite.Exec(tx, `INSERT INTO tickets (id, number, subject, status, priority, type, channel, mailbox, team, assignee, customer,
		tags, looks_like, preview, last_from, last_at, waiting_since, has_files, rank, created, updated, solved, event)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		t.ID, t.Number, t.Subject, string(t.Status), string(t.Priority), string(t.Type), string(t.Channel), t.Mailbox, t.Team, t.Assignee,
		t.Customer, list(t.Tags), list(t.LooksLike), t.Preview, t.LastFrom, t.LastAt, t.WaitingSince, t.HasFiles, rank[t.Priority],
		t.Created, t.Updated, t.Solved, t.Event)
	if err != nil || len(t.Tags) == 0 {
		return err
	}
	return setTags(tx, t.ID, t.Tags)
}

func update(tx core.App, t *Ticket) error {
	return sqlite.Exec(tx, `UPDATE tickets SET subject = ?, status = ?, priority = ?, type = ?, team = ?, assignee = ?, customer = ?, tags = ?,
		looks_like = ?, preview = ?, last_from = ?, last_at = ?, waiting_since = ?, has_files = ?, rank = ?, updated = ?, solved = ?, event = ? WHERE id = ?`,
		t.Subject, string(t.Status), string(t.Priority), string(t.Type), t.Team, t.Assignee, t.Customer, list(t.Tags), list(t.LooksLike),
		t.Preview, t.LastFrom, t.LastAt, t.WaitingSince, t.HasFiles, rank[t.Priority], t.Updated, t.Solved, t.Event, t.ID)
}

func nextNumber(tx core.App) (n int64, err error) {
	_, err = sqlite.One(tx, []any{&n}, "SELECT coalesce(max(number) + 1, ?) FROM ticket_numbers", firstNumber)
	return n, err
}

// Find returns the ticket of an id, nil when there is none.
func Find(app core.App, id string) (*Ticket, error) { return one(app, "t.id = ?", id) }

// ByNumber returns the ticket that a number leads to, nil when there is none.
func ByNumber(app core.App, number int64) (*Ticket, error) {
	return one(app, "t.id = (SELECT ticket FROM ticket_numbers WHERE number = ?)", number)
}

func one(app core.App, where string, args ...any) (*Ticket, error) {
	found, err := Where(app, where, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Where lists tickets by a condition on the alias t.
func Where(app core.App, where string, args ...any) ([]*Ticket, error) {
	var out []*Ticket
	err := sqlite.Each(app, func(r *sql.Rows) error {
		t, err := Scan(r)
		out = append(out, t)
		return err
	}, "SELECT "+Columns+" FROM tickets t WHERE "+where, args...)
	return out, err
}

func setTags(tx core.App, ticket string, tags []string) error {
	if err := sqlite.Exec(tx, "DELETE FROM ticket_tags WHERE ticket = ?", ticket); err != nil {
		return err
	}
	for _, tag := range tags {
		if err := sqlite.Exec(tx, "INSERT INTO ticket_tags (tag, ticket) VALUES (?,?)", tag, ticket); err != nil {
			return err
		}
	}
	return nil
}

// Join makes an address take part in a ticket: its mail may join the ticket by
// reference.
func Join(tx core.App, ticket string, a desk.Address, now int64) error {
	return sqlite.Exec(tx, "INSERT INTO ticket_participants (ticket, address, name, since) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
		ticket, strings.ToLower(strings.TrimSpace(a.Address)), a.Name, now)
}

// TakesPart reports whether an address takes part in a ticket.
func TakesPart(app core.App, ticket, address string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT address FROM ticket_participants WHERE ticket = ? AND address = ?",
		ticket, strings.ToLower(strings.TrimSpace(address)))
}

// MarkRead notes that an agent has read a ticket up to one of its LastAt; 0
// makes it unread.
func MarkRead(app core.App, agent, ticket string, lastAt int64) error {
	return sqlite.Exec(app, "INSERT INTO ticket_reads (agent, ticket, at) VALUES (?,?,?) ON CONFLICT (agent, ticket) DO UPDATE SET at = excluded.at",
		agent, ticket, lastAt)
}

// InTeams is the condition, for the queries of others, that the ticket whose id
// stands in column belongs to one of teams; none of them matches nothing.
func InTeams(column string, teams []string) (cond string, args []any) {
	for _, t := range teams {
		args = append(args, t)
	}
	return "(SELECT team FROM tickets WHERE id = " + column + ") IN (" + sqlite.Marks(len(teams)) + ")", args
}

// SameSubject lists the numbers of up to limit tickets of a customer with a
// subject, the last changed first.
func SameSubject(app core.App, customer, subject string, limit int) ([]int64, error) {
	var out []int64
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var number int64
		err := r.Scan(&number)
		out = append(out, number)
		return err
	}, "SELECT number FROM tickets WHERE customer = ? AND subject = ? COLLATE NOCASE ORDER BY updated DESC LIMIT ?", customer, subject, limit)
	return out, err
}

// Restore writes a ticket as it stands, without event or check: for data whose
// history is written by hand, such as an import's.
func Restore(tx core.App, t *Ticket) error { return update(tx, t) }

// carriers is how many tickets carry a tag.
func carriers(app core.App, tag string) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM ticket_tags WHERE tag = ?", tag)
	return n, err
}

// tagNamed returns the id of the tag of a name, compared without regard to case.
func tagNamed(app core.App, name string) (id string, found bool, err error) {
	found, err = sqlite.One(app, []any{&id}, "SELECT id FROM tags WHERE name = ? COLLATE NOCASE", name)
	return id, found, err
}

func insertTag(tx core.App, id, name string, now int64) error {
	return sqlite.Exec(tx, "INSERT INTO tags (id, name, created) VALUES (?,?,?)", id, name, now)
}

// Tags lists every tag by name with how many tickets carry it.
func Tags(app core.App) ([]Tag, error) {
	out := []Tag{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var t Tag
		err := r.Scan(&t.ID, &t.Name, &t.Count)
		out = append(out, t)
		return err
	}, "SELECT id, name, (SELECT count(*) FROM ticket_tags WHERE tag = tags.id) FROM tags ORDER BY name COLLATE NOCASE")
	return out, err
}

// TagNames maps the ids of every tag to its name.
func TagNames(app core.App) (map[string]string, error) {
	return pairs(app, "SELECT id, name FROM tags")
}

func pairs(app core.App, query string, args ...any) (map[string]string, error) {
	out := map[string]string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var key, value string
		err := r.Scan(&key, &value)
		out[key] = value
		return err
	}, query, args...)
	return out, err
}

func putDraft(app core.App, agent, ticket, preview, text string, now int64) error {
	return sqlite.Exec(app, `INSERT INTO drafts (agent, ticket, updated, preview, json) VALUES (?,?,?,?,?)
		ON CONFLICT (agent, ticket) DO UPDATE SET updated = excluded.updated, preview = excluded.preview, json = excluded.json`,
		agent, ticket, now, preview, text)
}

func draftText(app core.App, agent, ticket string) (text string, found bool, err error) {
	found, err = sqlite.One(app, []any{&text}, "SELECT json FROM drafts WHERE agent = ? AND ticket = ?", agent, ticket)
	return text, found, err
}

// DropDraft forgets the draft of an agent in a ticket.
func DropDraft(app core.App, agent, ticket string) error {
	return sqlite.Exec(app, "DELETE FROM drafts WHERE agent = ? AND ticket = ?", agent, ticket)
}

// DraftPreviews maps the tickets in which an agent has a draft to its beginning.
func DraftPreviews(app core.App, agent string) (map[string]string, error) {
	return pairs(app, "SELECT ticket, preview FROM drafts WHERE agent = ?", agent)
}

func eachDraft(app core.App, f func(text string) error) error {
	return sqlite.Each(app, func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		return f(text)
	}, "SELECT json FROM drafts")
}
