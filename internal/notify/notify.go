// Package notify tells agents by mail of a new ticket in their team and of an
// answer in a ticket of theirs, and takes what they answer to such a mail.
//
// Tell follows the log and writes a notice: a row here and an automatic mail in
// the outbox. Its Message-ID is a token that works once, within 14 days, for the
// one agent: 128 random bits with a code over what the notice is about. Only its
// hash is kept, and the mail's copy in the outbox is sealed. Sender puts it on
// when the mail goes out, and lets that go only if the agent may still read the
// ticket.
//
// Intake asks Take about a mail that refers to such a Message-ID, in the
// transaction that settles it; Enter then makes what was taken the agent's reply
// or note. What is not taken is quarantined and never sent on.
package notify

import (
	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Mailboxes is what a notice asks about the mailbox it goes through.
type Mailboxes interface {
	// SenderOf is the mailbox that sends for the given one and its address; it
	// errs with a sentence when none can.
	SenderOf(app core.App, mailbox string) (id string, from desk.Address, plus bool, err error)
	// Ours reports whether an address is one of our mailboxes.
	Ours(app core.App, address string) (bool, error)
}

// Replies is where the answer of an agent goes. Under the same key a second call
// does nothing.
type Replies interface {
	Reply(who *route.Caller, number int64, html string, files []string, key string) (message string, err error)
	Note(who *route.Caller, number int64, html string, files []string, key string) (message string, err error)
}

// Deps are the parts that notices work on.
type Deps struct {
	App       core.App
	Log       *event.Log
	Clock     desk.Clock
	Secrets   Secrets
	Ledger    *file.Ledger
	Files     *file.Files
	Outbox    *outbox.Outbox
	Mailboxes Mailboxes
	Replies   Replies
	Site      func() string // address of the workspace, without a slash at its end
}

// Notices are the notices of one desk.
type Notices struct{ Deps }

// New returns the notices of a desk.
func New(d Deps) *Notices { return &Notices{d} }

// mayNow is the caller that an agent is now, nil when the agent does not work
// here any more or does not hold a permission for the ticket.
func mayNow(app core.App, agent, permission string, t *ticket.Ticket) (*route.Caller, error) {
	who, err := access.CallerIn(app, agent)
	if err != nil || who == nil || t == nil || !access.CanTeam(who, "ticket.read", t.Team) || !access.CanTeam(who, permission, t.Team) {
		return nil, err
	}
	return who, nil
}
