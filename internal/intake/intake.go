// Package intake turns what lies in the ledger into messages of tickets.
//
// The bytes are durable before intake looks at them. Run takes what waits,
// reads it outside of any transaction, and enters a batch in one: message,
// ticket, customer, events and the end of the ledger row together. A mail that
// can't be entered is tried alone, and after that quarantined where a person
// sees it; nothing is dropped.
//
// A mail joins a ticket by a signed token of ours or by reference to a message
// seen or sent, and only from somebody who takes part in that ticket. Nothing
// joins by its subject. The reason stands on the message.
package intake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

const (
	batch     = 48              // mails read at a time
	perTx     = 16              // mails in one transaction: agents' writes come in between
	maxTries  = 3               // of one mail before it is quarantined
	fullPause = 5 * time.Second // between tries while the disk is full
	readers   = 2               // mails parsed at once
)

// Codes of why a ledger row is quarantined or refused.
const (
	ReasonUnreadable = "unreadable"
	ReasonOwnAddress = "own_address"
	ReasonError      = "error"
	ReasonOwnMail    = "own_mail"
	ReasonProbe      = "probe"
)

// Mailboxes is what intake asks about our mailboxes.
type Mailboxes interface {
	// TeamOf is the team that a mailbox's mail goes to, "" for none.
	TeamOf(app core.App, mailbox string) (string, error)
	// Ours reports whether an address is one of our mailboxes.
	Ours(app core.App, address string) (bool, error)
	// IsProbe reports whether a mail is one that the mailbox test sent.
	IsProbe(h *mail.Header) bool
}

// Deps are the parts that intake works on.
type Deps struct {
	App       core.App
	Log       *event.Log
	Clock     desk.Clock
	Ledger    *file.Ledger
	Files     *file.Files
	Tickets   *ticket.Tickets
	Tokens    ticket.Tokens
	Outbox    *outbox.Outbox
	Mailboxes Mailboxes
}

// Intake reads the ledger of one desk.
type Intake struct {
	Deps
	wake chan struct{}
}

// New returns the intake of a desk; nothing is read before Run.
func New(d Deps) *Intake { return &Intake{Deps: d, wake: make(chan struct{}, 1)} }

// Run enters what waits in the ledger until ctx ends.
func (in *Intake) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := in.step(ctx)
		switch {
		case err != nil:
			in.App.Logger().Error("intake failed", "error", err)
			_ = desk.Sleep(ctx, in.Clock, in.Clock.Now().Add(fullPause), nil)
		case n == 0:
			in.wait(ctx)
		}
	}
	return nil
}

func (in *Intake) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-in.Ledger.Stored():
	case <-in.wake:
	}
}

// step enters one batch and answers how many entries it looked at.
func (in *Intake) step(ctx context.Context) (int, error) {
	entries, err := file.Waiting(in.App, batch)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	entries = fitting(entries)
	letters := in.read(entries)
	for len(letters) > 0 && ctx.Err() == nil {
		done, err := in.enter(letters)
		if err != nil {
			if !file.IsFull(err) {
				done, err = in.enterAlone(letters[0])
			}
			if err != nil { // all of them are read again, with new files
				in.discard(letters)
				return 0, err
			}
		}
		letters = letters[done:]
	}
	return len(entries), nil
}

// discard removes the files of letters that were not entered.
func (in *Intake) discard(letters []*letter) {
	for _, l := range letters {
		for _, f := range l.files {
			in.Files.Discard(f)
		}
	}
}

// batchBytes bounds the mail that is held in memory at once, by its size.
const batchBytes = 32 << 20

// fitting is the beginning of entries that fits into batchBytes, at least one.
func fitting(entries []*file.Entry) []*file.Entry {
	var sum int64
	for i, e := range entries {
		if sum += e.Size; sum > batchBytes && i > 0 {
			return entries[:i]
		}
	}
	return entries
}

// read parses entries, several at once, outside of any transaction.
func (in *Intake) read(entries []*file.Entry) []*letter {
	out := make([]*letter, len(entries))
	var wg sync.WaitGroup
	next := make(chan int, len(entries))
	for i := range entries {
		next <- i
	}
	close(next)
	for range min(readers, len(entries)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				out[i] = in.open(entries[i])
			}
		}()
	}
	wg.Wait()
	return out
}

// enter puts letters into tickets in one transaction and answers how many it
// took.
func (in *Intake) enter(letters []*letter) (done int, err error) {
	letters = letters[:min(len(letters), perTx)]
	return len(letters), in.App.RunInTransaction(func(tx core.App) error {
		for _, l := range letters {
			if err := in.receive(tx, l); err != nil {
				return fmt.Errorf("enter ledger entry %s: %w", l.entry.ID, err)
			}
		}
		return nil
	})
}

// enterAlone tries one letter by itself and quarantines it when it keeps failing.
func (in *Intake) enterAlone(l *letter) (int, error) {
	_, err := in.enter([]*letter{l})
	if err == nil || file.IsFull(err) {
		return 1, err
	}
	in.App.Logger().Error("a mail could not be entered", "entry", l.entry.ID, "try", l.entry.Tries+1, "error", err)
	if l.entry.Tries+1 < maxTries {
		return 1, file.Tried(in.App, l.entry)
	}
	return 1, in.App.RunInTransaction(func(tx core.App) error { return in.quarantine(tx, l, ReasonError) })
}

func (in *Intake) quarantine(tx core.App, l *letter, reason string) error {
	if err := file.Settle(tx, l.entry, file.StateQuarantined, "", reason, l.key); err != nil {
		return err
	}
	_, err := in.Log.Append(tx, desk.Event{Kind: "mail.quarantined", Subject: l.entry.ID, Actor: desk.System("intake"), Reason: reason})
	return err
}

// Retry makes intake look at a quarantined entry again; force enters it as a
// ticket of its own whatever was against it.
func (in *Intake) Retry(by desk.Actor, id string) error {
	err := in.App.RunInTransaction(func(tx core.App) error {
		e, err := file.FindEntry(tx, id)
		if err != nil {
			return err
		}
		if e == nil || e.State != file.StateQuarantined {
			return desk.Errorf(desk.NotFound, "This mail is not in quarantine any more.")
		}
		raw, err := in.Ledger.Raw(e)
		if err != nil {
			return err
		}
		l := in.letter(e, raw)
		l.forced = true
		if err := in.receive(tx, l); err != nil {
			var told *desk.Error
			if errors.As(err, &told) {
				return err
			}
			in.App.Logger().Error("a quarantined mail still can't be entered", "entry", id, "error", err)
			return desk.Errorf(desk.Refused, "This mail still can't be read; look at its original.")
		}
		_, err = in.Log.Append(tx, desk.Event{Kind: "mail.retried", Subject: id, Actor: by, Message: e.Message})
		return err
	})
	return err
}
