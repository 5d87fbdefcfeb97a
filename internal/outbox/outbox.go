// Package outbox sends mail that must not get lost and must not go out twice.
//
// A delivery is a row written by Enqueue in the transaction of what causes it,
// with one row for each recipient, who is tried in an envelope of its own. Run
// sends what is due. Before connecting the recipient's row says "sending",
// before the last bytes go out it says "data": whoever dies in the first is
// tried again, whoever dies in the second becomes "uncertain", which a person
// decides and nothing ever re-sends by itself.
//
// Mailboxes don't wait for each other: each sends a few at a time, replies
// before automatic mail, whatever lies behind another one.
//
// What failed or may have been sent asks for a person: try it again, count it as
// sent, or put it away. The row is the truth; an event is a hint. The package
// knows mailboxes and tickets by their ids only.
package outbox

import (
	"context"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// Kinds of deliveries.
const (
	KindReply = "reply"
	KindAuto  = "auto"

	KindNotice = "notice" // tells an agent of a ticket; it has no message of its own
)

// Who holds a delivery that is held.
const (
	HeldByUndo    = "undo"    // the sender can still take it back
	HeldByBreaker = "breaker" // too much automatic mail this minute
	HeldByPause   = "pause"   // an admin paused automatic mail
)

// giveUp is how long a refused recipient is tried.
const giveUp = 5 * 24 * time.Hour

// backoff is the wait after each try that was refused for now; the last one
// repeats until giveUp.
var backoff = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Delivery is one mail of ours on its way.
type Delivery struct {
	ID          string
	Kind        string
	Auto        bool   // automatic: may be held by the breaker or a pause
	Ticket      string // id, "" for none
	Message     string // id, "" for none
	Mailbox     string // id of the mailbox that sends it
	From        desk.Address
	To, Cc, Bcc []desk.Address
	ReplyTo     []desk.Address // nil = answers go to From
	Subject     string
	Text, HTML  string
	MessageID   string // without <>, made before the first try and never changed
	InReplyTo   string
	References  []string
	Files       []string // ids
	State       desk.SendState
	HeldBy      string // one of HeldBy..., "" when not held
	NotBefore   int64  // ms
	Attempts    int
	NextTry     int64 // ms, 0 = none
	Answer      string
	Author      string            // agent id, "" for the desk itself
	Before      map[string]string // what to give back when it is undone, nil for nothing
	PutAway     int64             // ms, when a person put it away although it failed or may have been sent; 0 = not
	Created     int64
	Updated     int64
	Recipients  []Recipient
}

// Recipient is one address of a delivery.
type Recipient struct {
	ID       string
	Delivery string
	Role     string // to, cc or bcc
	Address  string
	Name     string
	State    desk.SendState
	Attempts int
	NextTry  int64
	Answer   string
	Created  int64
	Updated  int64
}

// Sender hands one delivery to the server of its mailbox for one recipient.
// It calls stage(desk.SendData) just before the last bytes go out and must not
// send them when that errs.
type Sender interface {
	Send(ctx context.Context, out desk.Outbound, rcpt desk.Address, stage func(desk.SendState) error) desk.SendResult
}

// Attachments reads the files of a delivery.
type Attachments interface {
	Attachments(ids []string) ([]desk.Attachment, error)
}

// Limits tells what an admin has set.
type Limits interface {
	// AutoPerMinute is how much automatic mail a mailbox may send in a minute.
	AutoPerMinute() int
	// AutoPaused reports whether automatic mail is paused.
	AutoPaused() bool
}

// Outbox is the outbox of one desk.
type Outbox struct {
	app    core.App
	log    *event.Log
	clock  desk.Clock
	sender Sender
	files  Attachments
	limits Limits
	wake   chan struct{}
	busy   inFlight
	turn   int // which mailbox the next sweep begins with
}

// New returns the outbox of app; nothing is sent before Run.
func New(app core.App, log *event.Log, clock desk.Clock, sender Sender, files Attachments, limits Limits) *Outbox {
	return &Outbox{
		app: app, log: log, clock: clock, sender: sender, files: files, limits: limits, wake: make(chan struct{}, 1),
		busy: newInFlight(),
	}
}

// Enqueue writes a delivery and its recipients in tx and wakes the sender once
// it has committed. The same address twice is one recipient. It errs with a
// desk.Invalid when there is nobody to send it to.
func (o *Outbox) Enqueue(tx core.App, d *Delivery) error {
	now := o.clock.Now()
	if d.ID == "" {
		d.ID = desk.NewID(now)
	}
	d.Created, d.Updated = desk.Millis(now), desk.Millis(now)
	d.State = desk.SendQueued
	switch {
	case d.HeldBy != "":
		d.State = desk.SendHeld
	case d.NotBefore > d.Created:
		d.State = desk.SendScheduled
	}
	d.NextTry = max(d.NotBefore, d.Created)
	d.addRecipients()
	if len(d.Recipients) == 0 {
		return desk.Errorf(desk.Invalid, "There is nobody to send this to; add a recipient.")
	}
	if err := insert(tx, d); err != nil {
		return err
	}
	o.wakeAfter(tx)
	return nil
}

func (d *Delivery) addRecipients() {
	seen := map[string]bool{}
	for _, list := range []struct {
		role string
		all  []desk.Address
	}{{"to", d.To}, {"cc", d.Cc}, {"bcc", d.Bcc}} {
		for _, a := range list.all {
			key := strings.ToLower(a.Address)
			if key == "" || seen[key] {
				continue
			}
			seen[key] = true
			d.Recipients = append(d.Recipients, Recipient{
				ID: desk.NewID(desk.Time(d.Created)), Delivery: d.ID, Role: list.role,
				Address: a.Address, Name: a.Name, State: d.State, NextTry: d.NextTry, Created: d.Created, Updated: d.Created,
			})
		}
	}
}

func (o *Outbox) wakeAfter(tx core.App) {
	info := tx.TxInfo()
	if info == nil {
		o.Wake()
		return
	}
	info.OnComplete(func(err error) error {
		if err == nil {
			o.Wake()
		}
		return nil
	})
}

// Wake makes the sender look at what is due.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// worst orders states; a delivery shows the worst of its recipients'.
var worst = map[desk.SendState]int{
	desk.SendCancelled: 0, desk.SendSent: 1, desk.SendScheduled: 2, desk.SendHeld: 3, desk.SendQueued: 4,
	desk.SendSending: 5, desk.SendData: 5, desk.SendDeferred: 6, desk.SendFailed: 7, desk.SendUncertain: 8,
}

// derive sets what a delivery shows from its recipients.
func (d *Delivery) derive() {
	d.State, d.Attempts, d.NextTry, d.Answer = desk.SendCancelled, 0, 0, ""
	for _, r := range d.Recipients {
		if worst[r.State] >= worst[d.State] {
			d.State, d.Answer = r.State, r.Answer
		}
		d.Attempts = max(d.Attempts, r.Attempts)
		if r.NextTry != 0 && (d.NextTry == 0 || r.NextTry < d.NextTry) && !final(r.State) {
			d.NextTry = r.NextTry
		}
	}
	if d.State == desk.SendData {
		d.State = desk.SendSending
	}
	if d.State != desk.SendHeld {
		d.HeldBy = ""
	}
	if !needsPerson(d.State) {
		d.PutAway = 0
	}
}

// needsPerson are the states that stay until a person decides.
func needsPerson(s desk.SendState) bool { return s == desk.SendFailed || s == desk.SendUncertain }

func final(s desk.SendState) bool {
	return s == desk.SendSent || s == desk.SendFailed || s == desk.SendUncertain || s == desk.SendCancelled
}
