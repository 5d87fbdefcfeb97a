package ticket

import (
	"database/sql"
	"encoding/json"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Draft is what an agent has begun to write in a ticket; each agent has one
// for each ticket, on every device.
type Draft struct {
	Kind          string   `json:"kind"` // "reply" or "note"
	Body          string   `json:"body"` // HTML
	To            []string `json:"to"`
	Cc            []string `json:"cc"`
	Bcc           []string `json:"bcc"`
	Attachments   []string `json:"attachments"` // file ids
	SeenMessageID string   `json:"seen_message_id"`
	Updated       string   `json:"updated"`
}

// SaveDraft keeps the draft of an agent; preview is its text, shown in lists.
func SaveDraft(app core.App, agent, ticket string, d Draft, preview string, now int64) error {
	d.Updated = desk.MustStamp(now)
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return sqlite.Exec(app, `INSERT INTO drafts (agent, ticket, updated, preview, json) VALUES (?,?,?,?,?)
		ON CONFLICT (agent, ticket) DO UPDATE SET updated = excluded.updated, preview = excluded.preview, json = excluded.json`,
		agent, ticket, now, preview, string(b))
}

// FindDraft returns the draft of an agent in a ticket, nil when there is none.
func FindDraft(app core.App, agent, ticket string) (*Draft, error) {
	var text string
	found, err := sqlite.One(app, []any{&text}, "SELECT json FROM drafts WHERE agent = ? AND ticket = ?", agent, ticket)
	if err != nil || !found {
		return nil, err
	}
	d := &Draft{}
	return d, json.Unmarshal([]byte(text), d)
}

// DropDraft forgets the draft of an agent in a ticket.
func DropDraft(app core.App, agent, ticket string) error {
	return sqlite.Exec(app, "DELETE FROM drafts WHERE agent = ? AND ticket = ?", agent, ticket)
}

// DraftPreviews maps the tickets in which an agent has a draft to its beginning.
func DraftPreviews(app core.App, agent string) (map[string]string, error) {
	out := map[string]string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var ticket, preview string
		err := r.Scan(&ticket, &preview)
		out[ticket] = preview
		return err
	}, "SELECT ticket, preview FROM drafts WHERE agent = ?", agent)
	return out, err
}
