package ticket

import (
	"encoding/json"
	"regexp"

	"github.com/deskbell/deskbell/internal/desk"
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
	return putDraft(app, agent, ticket, preview, string(b), now)
}

// FindDraft returns the draft of an agent in a ticket, nil when there is none.
func FindDraft(app core.App, agent, ticket string) (*Draft, error) {
	text, found, err := draftText(app, agent, ticket)
	if err != nil || !found {
		return nil, err
	}
	d := &Draft{}
	return d, json.Unmarshal([]byte(text), d)
}

var fileInBody = regexp.MustCompile(`/api/desk/files/([a-z0-9]{15})`)

// DraftFiles is the set of the files that drafts name, as attachments or as
// pictures of their text.
func DraftFiles(app core.App) (map[string]bool, error) {
	ids := map[string]bool{}
	err := eachDraft(app, func(text string) error {
		var d Draft
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			return err
		}
		for _, id := range d.Attachments {
			ids[id] = true
		}
		for _, found := range fileInBody.FindAllStringSubmatch(d.Body, -1) {
			ids[found[1]] = true
		}
		return nil
	})
	return ids, err
}
