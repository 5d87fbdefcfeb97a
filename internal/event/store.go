package event

import (
	"database/sql"
	"encoding/json"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const columns = "seq, at, kind, ticket, message, subject, actor_kind, actor, reason, old, new, digest, hash"

func lastRow(app core.App) (seq int64, hash []byte, err error) {
	_, err = sqlite.One(app, []any{&seq, &hash}, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
	return seq, hash, err
}

func writeRow(tx core.App, e desk.Event, digest, hash []byte) error {
	return sqlite.Exec(tx, "INSERT INTO events ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
		e.Seq, e.At, e.Kind, e.Ticket, e.Message, e.Subject, string(e.Actor.Kind), e.Actor.ID, e.Reason, e.Old, e.New, digest, hash)
}

// writeDetail stores what is personal and returns its digest, nil for no detail.
func writeDetail(tx core.App, seq int64, detail map[string]any) ([]byte, error) {
	if len(detail) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(saltedDetail{Salt: desk.NewToken(), Detail: detail})
	if err != nil {
		return nil, err
	}
	return digestOf(text), sqlite.Exec(tx, "INSERT INTO event_details (seq, json) VALUES (?,?)", seq, string(text))
}

func eachRow(app core.App, where string, args []any, f func(e desk.Event, digest, hash []byte) error) error {
	return sqlite.Each(app, func(r *sql.Rows) error {
		var e desk.Event
		var kind string
		var digest, hash []byte
		err := r.Scan(&e.Seq, &e.At, &e.Kind, &e.Ticket, &e.Message, &e.Subject, &kind, &e.Actor.ID,
			&e.Reason, &e.Old, &e.New, &digest, &hash)
		if err != nil {
			return err
		}
		e.Actor.Kind = desk.ActorKind(kind)
		return f(e, digest, hash)
	}, "SELECT "+columns+" FROM events "+where, args...)
}

func eachDetail(app core.App, f func(seq int64, text string, digest []byte) error) error {
	return sqlite.Each(app, func(r *sql.Rows) error {
		var seq int64
		var text string
		var digest []byte
		if err := r.Scan(&seq, &text, &digest); err != nil {
			return err
		}
		return f(seq, text, digest)
	}, "SELECT d.seq, d.json, e.digest FROM event_details d JOIN events e ON e.seq = d.seq ORDER BY d.seq")
}

// addDetails reads the details of events that have one still.
func addDetails(app core.App, events []desk.Event) error {
	if len(events) == 0 {
		return nil
	}
	at := map[int64]int{}
	args := make([]any, len(events))
	for i, e := range events {
		at[e.Seq], args[i] = i, e.Seq
	}
	return sqlite.Each(app, func(r *sql.Rows) error {
		var seq int64
		var text string
		if err := r.Scan(&seq, &text); err != nil {
			return err
		}
		detail, err := parseDetail(text)
		events[at[seq]].Detail = detail
		return err
	}, "SELECT seq, json FROM event_details WHERE seq IN ("+sqlite.Marks(len(args))+")", args...)
}

func cursor(app core.App, name string) (seq int64, found bool, err error) {
	found, err = sqlite.One(app, []any{&seq}, "SELECT seq FROM event_cursors WHERE name = ?", name)
	return seq, found, err
}

func setCursor(app core.App, name string, seq int64) error {
	return sqlite.Exec(app, "INSERT INTO event_cursors (name, seq) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", name, seq)
}
