// Package sandbox is a mail world of its own, so that the desk can be tried
// before a real mailbox is connected: an SMTP and an IMAP server inside the
// process, on ephemeral ports of loopback, and a page on which one plays the
// customer.
//
// The sandbox's mailbox is an ordinary one to the rest of the desk: mail goes
// out by SMTP, comes in by IMAP and IDLE, and through the real intake. What is
// sent to anybody but the desk's own address is kept in a table as "arrived at
// the customer"; nothing leaves the machine. The sandbox runs while there is no
// mailbox but its own and no built-in SMTP listener.
package sandbox

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Options are what a Sandbox needs.
type Options struct {
	App          core.App
	Mailboxes    *email.Mailboxes
	Clock        desk.Clock
	SMTPListener bool // the built-in SMTP listener is wanted: no sandbox
}

// Sandbox is the sandbox of one desk.
type Sandbox struct {
	Options
	reload chan struct{}

	mu    sync.Mutex
	world *world // nil while it is off
}

// New returns a Sandbox that is off until Run.
func New(o Options) *Sandbox {
	s := &Sandbox{Options: o, reload: make(chan struct{}, 1)}
	o.Mailboxes.OnChange(s.wake)
	return s
}

func (s *Sandbox) wake() {
	select {
	case s.reload <- struct{}{}:
	default:
	}
}

// On tells whether the sandbox runs now.
func (s *Sandbox) On() bool { return s.current() != nil }

func (s *Sandbox) current() *world {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world
}

// Run switches the sandbox on and off as mailboxes come and go, until ctx ends;
// then it is off.
func (s *Sandbox) Run(ctx context.Context) error {
	defer s.turn(nil)
	for ctx.Err() == nil {
		var retry time.Time
		if err := s.follow(); err != nil {
			s.App.Logger().Error("sandbox not switched", "error", err)
			retry = s.Clock.Now().Add(time.Second)
		}
		_ = desk.Sleep(ctx, s.Clock, retry, s.reload)
	}
	return nil
}

// follow makes the sandbox be as the mailboxes want it.
func (s *Sandbox) follow() error {
	box, err := s.wanted()
	if err != nil {
		return err
	}
	now := s.current()
	if now != nil && box != nil && now.address == box.Address {
		return nil
	}
	s.turn(nil)
	if box == nil {
		return nil
	}
	w, err := s.open(box.Address)
	if err != nil {
		return fmt.Errorf("open the sandbox: %w", err)
	}
	s.turn(w)
	return nil
}

// wanted is the sandbox's mailbox if the sandbox shall run, else nil.
func (s *Sandbox) wanted() (*email.Mailbox, error) {
	if s.SMTPListener {
		return nil, nil
	}
	all, err := s.Mailboxes.All(s.App)
	if err != nil {
		return nil, err
	}
	var own *email.Mailbox
	for i := range all {
		if all[i].Kind != email.KindSandbox {
			return nil, nil
		}
		if own == nil {
			own = &all[i]
		}
	}
	return own, nil
}

// turn puts another world, or none, in place of the current one.
func (s *Sandbox) turn(w *world) {
	s.mu.Lock()
	old := s.world
	s.world = w
	s.mu.Unlock()
	if old == nil && w == nil {
		return
	}
	if w != nil {
		s.Mailboxes.SetSandbox(&email.Sandbox{IMAP: w.imapServer(), SMTP: w.smtpServer()})
	} else {
		s.Mailboxes.SetSandbox(nil)
	}
	if old != nil {
		old.close()
	}
}

// recovered is deferred by every goroutine of the sandbox.
func (s *Sandbox) recovered() {
	if v := recover(); v != nil {
		s.App.Logger().Error("panic in the sandbox", "error", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
}
