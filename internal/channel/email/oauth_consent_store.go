package email

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

func insertConsent(tx core.App, c consent) error {
	return sqlite.Exec(tx, `INSERT INTO mailbox_consents (id, state_hash, cookie_hash, agent, session, mailbox, redirect, draft, created, used, outcome, outcome_text)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`,
		c.id, c.state[:], c.cookie[:], c.agent, c.session, c.mailbox, c.redirect, c.draft, desk.Millis(c.created))
}

// loadConsent reads a consent, nil when there is none.
func loadConsent(app core.App, id string) (*consent, error) {
	var c *consent
	err := sqlite.Each(app, func(r *sql.Rows) error {
		c = &consent{}
		var state, cookie []byte
		var created int64
		err := r.Scan(&c.id, &state, &cookie, &c.agent, &c.session, &c.mailbox, &c.redirect, &c.draft, &created, &c.used, &c.outcome, &c.text)
		copy(c.state[:], state)
		copy(c.cookie[:], cookie)
		c.created = desk.Time(created)
		return err
	}, `SELECT id, state_hash, cookie_hash, agent, session, mailbox, redirect, draft, created, used <> 0, outcome, outcome_text
		FROM mailbox_consents WHERE id = ?`, id)
	if err != nil {
		return nil, fmt.Errorf("read consent %s: %w", id, err)
	}
	return c, nil
}

// useConsent notes that somebody came back; it tells whether that was the first time.
func useConsent(app core.App, id string, now time.Time) (first bool, err error) {
	n, err := sqlite.Changed(app, `UPDATE mailbox_consents SET used = ? WHERE id = ? AND used = 0`, desk.Millis(now), id)
	return n > 0, err
}

// endConsent stores how a consent ended; draft is what is kept to try again, ""
// for nothing.
func endConsent(app core.App, id, outcome, text, mailbox, draft string) error {
	return sqlite.Exec(app, `UPDATE mailbox_consents SET outcome = ?, outcome_text = ?, mailbox = ?, draft = ? WHERE id = ?`,
		outcome, text, mailbox, draft, id)
}

func forgetConsents(tx core.App, before time.Time) error {
	return sqlite.Exec(tx, `DELETE FROM mailbox_consents WHERE created < ?`, desk.Millis(before))
}

func sealDraft(box *secret.Box, consent string, d draft) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("write the draft of consent %s: %w", consent, err)
	}
	return box.Seal(draftPurpose(consent), string(raw))
}

func openDraft(box *secret.Box, consent, sealed string) (*draft, error) {
	raw, err := box.Open(draftPurpose(consent), sealed)
	if err != nil {
		return nil, err
	}
	d := &draft{}
	if err := json.Unmarshal([]byte(raw), d); err != nil {
		return nil, fmt.Errorf("read the draft of consent %s: %w", consent, err)
	}
	return d, nil
}
