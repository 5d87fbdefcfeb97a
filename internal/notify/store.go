package notify

import (
	"database/sql"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// notice is one mail by which an agent was told of a ticket.
type notice struct {
	Hash       string // of the local part of its Message-ID
	Event      int64  // seq of what it tells; with the agent unique
	Agent      string
	Ticket     string // id
	Message    string // id of the message it shows, "" for a ticket without
	Team       string // id of the ticket's team if the agent was a member, else ""
	Delivery   string
	Created    int64
	Expires    int64
	Used       int64  // ms, 0 = not answered
	Ledger     string // id of the mail that answered it
	ContentKey string // of that mail
}

const columns = "hash, event, agent, ticket, message, team, delivery, created, expires, used, ledger, content_key"

func insert(tx core.App, n *notice) error {
	return sqlite.Exec(tx, "INSERT INTO notices ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
		n.Hash, n.Event, n.Agent, n.Ticket, n.Message, n.Team, n.Delivery, n.Created, n.Expires, n.Used, n.Ledger, n.ContentKey)
}

func find(app core.App, where string, args ...any) (*notice, error) {
	var out *notice
	err := sqlite.Each(app, func(r *sql.Rows) error {
		out = &notice{}
		return r.Scan(&out.Hash, &out.Event, &out.Agent, &out.Ticket, &out.Message, &out.Team, &out.Delivery, &out.Created, &out.Expires,
			&out.Used, &out.Ledger, &out.ContentKey)
	}, "SELECT "+columns+" FROM notices WHERE "+where+" LIMIT 1", args...)
	return out, err
}

func byHash(app core.App, hash string) (*notice, error) { return find(app, "hash = ?", hash) }

func byDelivery(app core.App, delivery string) (*notice, error) {
	return find(app, "delivery = ?", delivery)
}

// told reports whether an agent was told of an event.
func told(app core.App, seq int64, agent string) (bool, error) {
	n, err := find(app, "event = ? AND agent = ?", seq, agent)
	return n != nil, err
}

// countSince is how many notices an agent got since a time.
func countSince(app core.App, agent string, since int64) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM notices WHERE agent = ? AND created > ?", agent, since)
	return n, err
}

// use marks a notice as answered, once: first is false when it was before.
func use(tx core.App, hash, ledger, contentKey string, now int64) (first bool, err error) {
	changed, err := sqlite.Changed(tx, "UPDATE notices SET used = ?, ledger = ?, content_key = ? WHERE hash = ? AND used = 0", now, ledger, contentKey, hash)
	return changed == 1, err
}

// forget drops the notices that expired before a time.
func forget(app core.App, before int64) error {
	return sqlite.Exec(app, "DELETE FROM notices WHERE expires < ?", before)
}
