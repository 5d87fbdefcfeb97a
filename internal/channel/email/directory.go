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

	domains map[string]bool     // the desk's own domains
	servers map[string][]string // mailbox id -> whose checks of senders it believes
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
	d := &directory{byKey: map[string]string{}, teams: map[string]string{}, domains: map[string]bool{}, servers: map[string][]string{}}
	for _, box := range all {
		d.teams[box.ID], d.servers[box.ID] = box.Team, box.AuthServers
		if domain := strings.ToLower(domainOf(box.Address)); box.Kind != KindSandbox && !shared[domain] {
			d.domains[domain] = true
		}
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

// shared are domains in which anybody can have an address: having one there
// makes them nobody's own.
var shared = set("gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr ymail.com " +
	"icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de posteo.de mailbox.org " +
	"fastmail.com fastmail.fm proton.me protonmail.com pm.me tutanota.com zoho.com orange.fr free.fr laposte.net wanadoo.fr " +
	"libero.it virgilio.it bluewin.ch hotmail.co.uk hotmail.fr hotmail.de outlook.de live.nl ziggo.nl telenet.be seznam.cz wp.pl o2.pl " +
	"mail.ru yandex.ru qq.com 163.com 126.com comcast.net verizon.net att.net btinternet.com")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// OwnDomain reports whether an address is of a domain in which the desk has a
// mailbox and others can't have one at will.
func (m *Mailboxes) OwnDomain(address string) (bool, error) {
	d, err := m.current()
	if err != nil {
		return false, err
	}
	return d.domains[strings.ToLower(domainOf(address))], nil
}

// AuthServersOf are the servers whose checks of senders a mailbox believes.
func (m *Mailboxes) AuthServersOf(mailbox string) ([]string, error) {
	d, err := m.current()
	if err != nil {
		return nil, err
	}
	return d.servers[mailbox], nil
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
