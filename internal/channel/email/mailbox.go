package email

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// Mailboxes are the mailboxes of one desk. Every change appends its event and
// tells the listeners of OnChange after its commit.
type Mailboxes struct {
	app   core.App
	log   *event.Log
	box   *secret.Box
	clock desk.Clock

	grants *grants  // of the mailboxes that sign in by OAuth2
	names  []string // of the desk in the domain name system

	cached   atomic.Pointer[directory]
	changes  atomic.Int64
	mu       sync.Mutex
	onChange []func()
	sandbox  *Sandbox // nil while there is none
}

// Sandbox are the servers of the running sandbox. They belong to its mailbox as
// long as it runs and are never stored.
type Sandbox struct{ IMAP, SMTP Server }

// NewMailboxes returns the mailboxes of app; box seals their passwords.
func NewMailboxes(app core.App, log *event.Log, box *secret.Box, clock desk.Clock) *Mailboxes {
	m := &Mailboxes{app: app, log: log, box: box, clock: clock, grants: newGrants(app, box, clock)}
	m.watch(app)
	return m
}

// OnChange registers f to be called after a mailbox was added, changed or removed.
func (m *Mailboxes) OnChange(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onChange = append(m.onChange, f)
}

// SetSandbox gives the mailbox of the sandbox its servers, or with nil takes
// them away.
func (m *Mailboxes) SetSandbox(s *Sandbox) {
	m.mu.Lock()
	m.sandbox = s
	m.mu.Unlock()
	m.tell()
}

// All lists the mailboxes, the oldest first.
func (m *Mailboxes) All(app core.App) ([]Mailbox, error) { return m.where(app, "1 = 1") }

// Find returns one mailbox, nil when there is none.
func (m *Mailboxes) Find(app core.App, id string) (*Mailbox, error) {
	found, err := m.where(app, "id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func (m *Mailboxes) where(app core.App, cond string, args ...any) ([]Mailbox, error) {
	all, err := m.list(app, cond, args...)
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range all {
		if all[i].Kind == KindSandbox && m.sandbox != nil {
			imap, smtp := m.sandbox.IMAP, m.sandbox.SMTP
			all[i].IMAP, all[i].SMTP = &imap, &smtp
		}
	}
	return all, err
}

// Default returns the mailbox that sends what belongs to no other: the oldest
// that can send, else the oldest, nil when there is none at all.
func (m *Mailboxes) Default(app core.App) (*Mailbox, error) {
	all, err := m.All(app)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	best := &all[0]
	for i := range all {
		if rank(all[i]) > rank(*best) {
			best = &all[i]
		}
	}
	return best, nil
}

func rank(m Mailbox) int {
	switch {
	case m.Kind == KindSandbox:
		return 0
	case m.SMTP == nil:
		return 1
	default:
		return 2
	}
}

// Add connects a mailbox in tx. What arrived there before is never taken in:
// before the look, if Service.Look could have one, else before now.
func (m *Mailboxes) Add(tx core.App, by desk.Actor, in Input, look Look) (*Mailbox, error) {
	now := m.clock.Now()
	box, err := in.mailbox(nil)
	if err != nil {
		return nil, err
	}
	box.ID, box.Since = desk.NewID(now), now
	if box.Backfill, err = backfill(in.BackfillDays, now); err != nil {
		return nil, err
	}
	if err := m.add(tx, by, box); err != nil {
		return nil, err
	}
	if look.position == nil || box.IMAP == nil {
		return box, nil
	}
	return box, saveFolder(tx, box.ID, *look.position)
}

// AddSandbox makes a mailbox of the sandbox in tx; it has no servers of its own.
func (m *Mailboxes) AddSandbox(tx core.App, by desk.Actor, address, name, team string) (*Mailbox, error) {
	clean, err := cleanAddress(address)
	if err != nil {
		return nil, err
	}
	box := &Mailbox{ID: desk.NewID(m.clock.Now()), Address: clean, Name: oneLine(name), Team: team, Kind: KindSandbox}
	return box, m.add(tx, by, box)
}

func (m *Mailboxes) add(tx core.App, by desk.Actor, box *Mailbox) error {
	box.State = StateOff
	if err := m.check(tx, box); err != nil {
		return err
	}
	if err := insert(tx, m.box, *box, m.clock.Now()); err != nil {
		return err
	}
	return m.changed(tx, desk.Event{Kind: "mailbox.connected", Subject: box.ID, Actor: by, New: string(box.Kind)})
}

// Change alters a mailbox. A password left out stays as it is, but only for the
// same server and user: to another server it has to be given anew.
//
// For another IMAP account what arrived there before look, or before now, is
// never taken in.
func (m *Mailboxes) Change(by desk.Actor, id string, p Patch, look Look) (*Mailbox, error) {
	err := m.app.RunInTransaction(func(tx core.App) error { return m.change(tx, by, id, p, look) })
	if err != nil {
		return nil, err
	}
	return m.Find(m.app, id)
}

func (m *Mailboxes) change(tx core.App, by desk.Actor, id string, p Patch, look Look) error {
	old, err := m.stored(tx, id)
	if err != nil {
		return err
	}
	box, err := p.apply(*old)
	if err != nil {
		return err
	}
	if err := m.check(tx, box); err != nil {
		return err
	}
	if err := m.newAccount(tx, old, box, look); err != nil {
		return err
	}
	if err := m.dropGrant(tx, *box); err != nil {
		return err
	}
	if err := update(tx, m.box, *box, m.clock.Now()); err != nil {
		return err
	}
	return m.changed(tx, desk.Event{Kind: "mailbox.changed", Subject: id, Actor: by, Old: string(old.Kind), New: string(box.Kind)})
}

// newAccount begins anew when the mail comes from another account.
func (m *Mailboxes) newAccount(tx core.App, old, box *Mailbox, look Look) error {
	if box.IMAP == nil || old.IMAP != nil && sameAccount(*old.IMAP, *box.IMAP) {
		return nil
	}
	box.Since = m.clock.Now()
	if err := forgetFolders(tx, box.ID); err != nil || look.position == nil {
		return err
	}
	return saveFolder(tx, box.ID, *look.position)
}

// Remove disconnects a mailbox; its tickets stay.
func (m *Mailboxes) Remove(by desk.Actor, id string) error {
	return m.app.RunInTransaction(func(tx core.App) error {
		old, err := m.stored(tx, id)
		if err != nil {
			return err
		}
		if err := remove(tx, id); err != nil {
			return err
		}
		return m.changed(tx, desk.Event{Kind: "mailbox.removed", Subject: id, Actor: by, Old: string(old.Kind)})
	})
}

// stored reads a mailbox as it is in its row, without the sandbox's servers.
func (m *Mailboxes) stored(tx core.App, id string) (*Mailbox, error) {
	found, err := m.list(tx, "id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, desk.Errorf(desk.NotFound, "There is no such mailbox.")
	}
	return &found[0], nil
}

// check completes the team and refuses what the other rows forbid.
func (m *Mailboxes) check(tx core.App, box *Mailbox) error {
	if box.Team == "" {
		first, err := team.First(tx)
		if err != nil {
			return err
		}
		box.Team = first
	}
	if found, err := team.Find(tx, box.Team); err != nil || found == nil {
		if err == nil {
			err = invalid("team", "Choose a team: this one does not exist.")
		}
		return err
	}
	all, err := m.All(tx)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.ID != box.ID && o.Kind != KindSandbox && box.Kind != KindSandbox && key(o.Address) == key(box.Address) {
			return invalid("address", "The mailbox %s is connected already.", o.Address)
		}
	}
	return nil
}

// changed appends the event and tells the listeners once tx has committed.
func (m *Mailboxes) changed(tx core.App, e desk.Event) error {
	if _, err := m.log.Append(tx, e); err != nil {
		return err
	}
	info := tx.TxInfo()
	if info == nil {
		m.tell()
		return nil
	}
	info.OnComplete(func(err error) error {
		if err == nil {
			m.tell()
		}
		return nil
	})
	return nil
}

func (m *Mailboxes) tell() {
	m.changes.Add(1)
	m.cached.Store(nil)
	m.mu.Lock()
	listeners := m.onChange
	m.mu.Unlock()
	for _, f := range listeners {
		f()
	}
}

func sameAccount(a, b Server) bool {
	return strings.EqualFold(a.Host, b.Host) && a.User == b.User
}
