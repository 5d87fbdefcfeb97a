// Package intake turns what lies in the ledger into messages of tickets.
//
// The bytes are durable before intake looks at them. Run takes what waits,
// reads it outside of any transaction, and enters a batch in one: message,
// ticket, customer, events and the end of the ledger row together. A mail that
// can't be entered is tried alone, again after growing pauses, and at last
// quarantined where a person sees it; nothing is dropped.
//
// A mail joins a ticket by a signed token of ours or by reference to a message
// seen or sent, and only from somebody who takes part in that ticket. Nothing
// joins by its subject. The reason stands on the message.
package intake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

const (
	batch     = 48              // mails read at a time
	perTx     = 16              // mails in one transaction: agents' writes come in between
	fullPause = 5 * time.Second // between tries while the disk is full
	readers   = 2               // mails parsed at once
)

// pauses are the waits after each failed try of one mail; after the last try it
// is quarantined.
var pauses = []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}

// Codes of why a ledger row is quarantined or refused.
const (
	ReasonUnreadable = "unreadable"
	ReasonOwnAddress = "own_address"
	ReasonError      = "error"
	ReasonOwnMail    = "own_mail"
	ReasonProbe      = "probe"
	ReasonAutoAnswer = "auto_answer"   // a machine answered a notice to an agent
	ReasonNotice     = "notice_bounce" // a report about a notice to an agent
)

// Mailboxes is what intake asks about our mailboxes.
type Mailboxes interface {
	// TeamOf is the team that a mailbox's mail goes to, "" for none.
	TeamOf(app core.App, mailbox string) (string, error)
	// Ours reports whether an address is one of our mailboxes.
	Ours(app core.App, address string) (bool, error)
	// IsProbe reports whether a mail is one that the mailbox test sent.
	IsProbe(h *mail.Header) bool
	// OwnDomain reports whether an address is of a domain of our own.
	OwnDomain(address string) (bool, error)
	// AuthServersOf are the servers whose checks of senders a mailbox believes.
	AuthServersOf(mailbox string) ([]string, error)
}

// Notices knows the mails by which agents were told of tickets.
type Notices interface {
	// Named reports whether a Message-ID is, or claims to be, of such a mail.
	Named(messageID string) bool
	// Take uses up in tx what a mail answers. refusal is why it must not count as
	// the agent's answer, one of desk.Answer..., "" when it does.
	Take(tx core.App, a desk.NoticeAnswer) (refusal string, err error)
	// DeliveryOf is the id of the delivery that carries a Message-ID, "" for none.
	DeliveryOf(app core.App, messageID string) (string, error)
}

// Judge says who really wrote a mail; *mailauth.Judge is one.
type Judge interface {
	Judge(ctx context.Context, m mailauth.Mail) mailauth.Verdict
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
	Judge     Judge
	Notices   Notices
}

// Intake reads the ledger of one desk.
type Intake struct{ Deps }

// New returns the intake of a desk; nothing is read before Run.
func New(d Deps) *Intake { return &Intake{d} }

// Run enters what waits in the ledger until ctx ends.
func (in *Intake) Run(ctx context.Context) error {
	if err := in.describeAll(ctx); err != nil {
		return err
	}
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

// wait returns when mail was stored, or one that pauses is to be tried again.
func (in *Intake) wait(ctx context.Context) {
	next, err := file.NextWaiting(in.App)
	if err != nil {
		in.App.Logger().Error("the ledger could not be read", "error", err)
		next = desk.Millis(in.Clock.Now().Add(fullPause))
	}
	_ = desk.Sleep(ctx, in.Clock, desk.Time(next), in.Ledger.Stored())
}

// step enters one batch and answers how many entries it looked at.
func (in *Intake) step(ctx context.Context) (int, error) {
	entries, err := file.Waiting(in.App, desk.Millis(in.Clock.Now()), batch)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	entries = fitting(entries)
	letters := in.read(entries)
	in.judgeAll(ctx, letters)
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
			if err := in.receiveSafely(tx, l); err != nil {
				return fmt.Errorf("enter ledger entry %s: %w", l.entry.ID, err)
			}
		}
		return nil
	})
}

// receiveSafely is receive with a panic as an error: one mail must not hold up
// the others.
func (in *Intake) receiveSafely(tx core.App, l *letter) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return in.receive(tx, l)
}

// enterAlone tries one letter by itself; when that fails it pauses, and when it
// keeps failing it is quarantined.
func (in *Intake) enterAlone(l *letter) (int, error) {
	_, err := in.enter([]*letter{l})
	if err == nil || file.IsFull(err) {
		return 1, err
	}
	in.App.Logger().Error("a mail could not be entered", "entry", l.entry.ID, "try", l.entry.Tries+1, "error", err)
	in.discard([]*letter{l}) // it is read again, with new files
	if l.entry.Tries < len(pauses) {
		return 1, file.Tried(in.App, l.entry, desk.Millis(in.Clock.Now().Add(pauses[l.entry.Tries])))
	}
	return 1, in.App.RunInTransaction(func(tx core.App) error {
		if err := file.Tried(tx, l.entry, 0); err != nil {
			return err
		}
		return in.quarantine(tx, l, desk.System("intake"), ReasonError)
	})
}
