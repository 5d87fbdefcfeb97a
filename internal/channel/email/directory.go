package email

import (
	"fmt"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/pocketbase/pocketbase/core"
)

// directory is what is asked for every mail, kept in memory.
type directory struct {
	byKey map[string]string // key of an address -> mailbox id
	teams map[string]string // mailbox id -> team id
}

// current returns the directory and reads it when there is none yet.
func (m *Mailboxes) current() (*directory, error) {
	if d := m.cached.Load(); d != nil {
		return d, nil
	}
	return m.read()
}

// read renews the directory. Of two mailboxes with one address the one that is
// no sandbox wins.
func (m *Mailboxes) read() (*directory, error) {
	before := m.changes.Load()
	all, err := m.All(m.app)
	if err != nil {
		return nil, err
	}
	d := &directory{byKey: map[string]string{}, teams: map[string]string{}}
	for _, box := range all {
		d.teams[box.ID] = box.Team
		k := key(box.Address)
		if _, taken := d.byKey[k]; !taken || box.Kind != KindSandbox {
			d.byKey[k] = box.ID
		}
		for _, name := range m.names {
			d.byKey[key(builtIn(box.ID, name))] = box.ID
		}
	}
	if m.cached.Store(d); m.changes.Load() != before {
		m.cached.Store(nil) // it may be of before the change
	}
	return d, nil
}

// setNames says by which names the desk is known, so that mail which is
// forwarded to a built-in address is taken.
func (m *Mailboxes) setNames(names []string) {
	m.names = names
	m.tell()
}

// For is the mailbox that gets mail for address, with or without a tag ("+x").
func (m *Mailboxes) For(address string) (id string, ok bool, err error) {
	d, err := m.current()
	if err != nil {
		return "", false, err
	}
	id, ok = d.byKey[key(address)]
	return id, ok, nil
}

// Ours reports whether address is one of the desk's own, with or without a tag.
func (m *Mailboxes) Ours(_ core.App, address string) (bool, error) {
	_, ok, err := m.For(address)
	return ok, err
}

// TeamOf is the team that a mailbox's mail goes to, "" for an unknown mailbox.
func (m *Mailboxes) TeamOf(_ core.App, mailbox string) (string, error) {
	d, err := m.current()
	if err != nil {
		return "", err
	}
	return d.teams[mailbox], nil
}

// IsProbe reports whether a mail is one that a mailbox test sent.
func (m *Mailboxes) IsProbe(h *mail.Header) bool {
	value := h.Get(ProbeHeader)
	return value != "" && IsProbe(m.box, idText(h.Get("Message-ID")), value)
}

// SenderOf is the mailbox that answers mail of the given one: itself, or the
// default when it is gone. plus tells whether plus-addresses surely reach it. It
// errs with a sentence when it can't send.
func (m *Mailboxes) SenderOf(app core.App, mailbox string) (id string, from desk.Address, plus bool, err error) {
	box, err := m.Find(app, mailbox)
	if err == nil && box == nil {
		box, err = m.Default(app)
	}
	if err != nil {
		return "", from, false, fmt.Errorf("find the sending mailbox: %w", err)
	}
	switch {
	case box == nil:
		return "", from, false, desk.Errorf(desk.Refused, "No mailbox is connected to send from. Connect one first.")
	case box.SMTP == nil && box.Kind == KindSandbox:
		return "", from, false, desk.Errorf(desk.Refused, "This belongs to the sandbox, whose customers are pretend ones, and the sandbox is off now.")
	case box.SMTP == nil:
		return "", from, false, desk.Errorf(desk.Refused, "The mailbox %s has no server for sending. Enter one first.", box.Address)
	}
	return box.ID, box.From(), box.takesTags(), nil
}

// takesTags tells whether mail to "support+tag@..." surely arrives: at the
// sandbox and at providers known for it. Elsewhere such an answer could bounce.
func (m Mailbox) takesTags() bool {
	if m.Kind == KindSandbox {
		return true
	}
	if m.IMAP == nil {
		return false
	}
	for _, known := range []string{".gmail.com", ".googlemail.com", ".fastmail.com", ".office365.com", ".mail.me.com"} {
		if strings.HasSuffix("."+strings.ToLower(m.IMAP.Host), known) {
			return true
		}
	}
	return false
}

// watch notices changes that others make to the rows, in PocketBase's admin UI
// or SDK; our own code writes past these hooks.
func (m *Mailboxes) watch(app core.App) {
	changed := func(e *core.RecordEvent) error {
		m.tell()
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(collection).BindFunc(changed)
	app.OnRecordAfterUpdateSuccess(collection).BindFunc(changed)
	app.OnRecordAfterDeleteSuccess(collection).BindFunc(changed)
}
