package email

import (
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/reply"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// maxAcknowledgement bounds the text of an acknowledgement, in bytes of HTML.
const maxAcknowledgement = 20_000

// Acknowledgement is with what a mailbox answers the first mail of a new ticket
// by itself.
type Acknowledgement struct {
	On           bool   `json:"on"`
	Text         string `json:"text"`          // HTML with reply.Variables
	OutsideHours bool   `json:"outside_hours"` // only while the desk is closed
}

// shownAcknowledgement adds what the text may name.
type shownAcknowledgement struct {
	Acknowledgement
	Variables []string `json:"variables"`
}

// Acknowledgement is what was set for a mailbox; the zero value when nothing was.
func (m *Mailboxes) Acknowledgement(app core.App, mailbox string) (a Acknowledgement, err error) {
	_, err = sqlite.One(app, []any{&a.On, &a.Text, &a.OutsideHours},
		"SELECT active, body, outside_hours FROM acknowledgements WHERE mailbox = ?", mailbox)
	return a, err
}

// AcknowledgementOf is the text with which a mailbox answers a new ticket, ""
// for nothing, and whether only outside of business hours.
func (m *Mailboxes) AcknowledgementOf(app core.App, mailbox string) (text string, outsideHours bool, err error) {
	a, err := m.Acknowledgement(app, mailbox)
	if err != nil || !a.On {
		return "", false, err
	}
	return a.Text, a.OutsideHours, nil
}

// SetAcknowledgement stores the acknowledgement of a mailbox, its text made safe.
func (m *Mailboxes) SetAcknowledgement(by desk.Actor, mailbox string, a Acknowledgement) error {
	a.Text = richtext.SanitizeCompose(a.Text)
	if len(a.Text) > maxAcknowledgement {
		return invalid("text", "The text is too long; shorten it.")
	}
	if err := reply.CheckText(a.Text); err != nil {
		return invalid("text", "%s", err)
	}
	if a.On && strings.TrimSpace(richtext.Text(a.Text)) == "" {
		return invalid("text", "Write the text that customers get.")
	}
	return m.app.RunInTransaction(func(tx core.App) error {
		if _, err := m.stored(tx, mailbox); err != nil {
			return err
		}
		old, err := m.Acknowledgement(tx, mailbox)
		if err != nil || old == a {
			return err
		}
		err = sqlite.Exec(tx, `INSERT OR REPLACE INTO acknowledgements (mailbox, active, body, outside_hours, updated) VALUES (?,?,?,?,?)`,
			mailbox, a.On, a.Text, a.OutsideHours, desk.Millis(m.clock.Now()))
		if err != nil {
			return err
		}
		_, err = m.log.Append(tx, desk.Event{Kind: "mailbox.acknowledgement_changed", Subject: mailbox, Actor: by, Old: old.word(), New: a.word()})
		return err
	})
}

func (a Acknowledgement) word() string {
	switch {
	case !a.On:
		return "off"
	case a.OutsideHours:
		return "outside_hours"
	}
	return "always"
}

func (s *Service) acknowledgementRoutes(t *route.Table) {
	const path = "/api/desk/mailboxes/{id}/acknowledgement"
	route.Add(t, route.Route{Method: "GET", Path: path, Permission: "channel.read", Summary: "With what a mailbox answers a new ticket by itself"},
		func(c *route.Call, _ route.None) (shownAcknowledgement, error) {
			if _, err := s.mailboxes.stored(c.App, c.Param("id")); err != nil {
				return shownAcknowledgement{}, err
			}
			a, err := s.mailboxes.Acknowledgement(c.App, c.Param("id"))
			return shownAcknowledgement{a, reply.Variables}, err
		})
	route.Add(t, route.Route{Method: "PUT", Path: path, Permission: "channel.write", Summary: "Have a mailbox answer the first mail of a new ticket by itself, or not"},
		func(c *route.Call, in Acknowledgement) (shownAcknowledgement, error) {
			if err := s.mailboxes.SetAcknowledgement(c.Caller.Actor, c.Param("id"), in); err != nil {
				return shownAcknowledgement{}, err
			}
			a, err := s.mailboxes.Acknowledgement(c.App, c.Param("id"))
			return shownAcknowledgement{a, reply.Variables}, err
		})
}
