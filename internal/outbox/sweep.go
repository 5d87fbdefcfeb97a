package outbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

const (
	workers    = 8                // mails on their way at once
	perMailbox = 2                // of them through one mailbox: replies are paced, not held
	look       = 2 * perMailbox   // recipients read at a time; those being claimed may be among them
	pauseLook  = 20 * time.Second // between looks whether a pause is over
)

// inFlight knows which recipients are being sent to right now.
type inFlight struct {
	mu        *sync.Mutex
	ids       map[string]bool
	mailboxes map[string]int
}

func newInFlight() inFlight {
	return inFlight{mu: &sync.Mutex{}, ids: map[string]bool{}, mailboxes: map[string]int{}}
}

func (f inFlight) take(id, mailbox string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids[id] || f.mailboxes[mailbox] >= perMailbox {
		return false
	}
	f.ids[id] = true
	f.mailboxes[mailbox]++
	return true
}

// full reports whether a mailbox sends as much at once as it may.
func (f inFlight) full(mailbox string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mailboxes[mailbox] >= perMailbox
}

func (f inFlight) give(id, mailbox string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.ids, id)
	f.mailboxes[mailbox]--
}

// Run sends what is due until ctx ends, then waits for what is on its way.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.recover(); err != nil {
		return fmt.Errorf("recover the outbox: %w", err)
	}
	slots := make(chan struct{}, workers)
	var wg sync.WaitGroup
	for ctx.Err() == nil {
		next, err := o.sweep(ctx, slots, &wg)
		if err != nil {
			o.app.Logger().Error("outbox sweep failed", "error", err)
			next = o.clock.Now().Add(5 * time.Second)
		}
		_ = desk.Sleep(ctx, o.clock, next, o.wake)
	}
	wg.Wait()
	return nil
}

// recover settles what was on its way when the desk died.
func (o *Outbox) recover() error {
	return o.app.RunInTransaction(func(tx core.App) error {
		died, err := recipientsWhere(tx, "r.state IN ('sending','data')")
		if err != nil {
			return err
		}
		now := desk.Millis(o.clock.Now())
		for _, r := range died {
			if r.State == desk.SendSending {
				r.State, r.NextTry = desk.SendQueued, now
			} else {
				r.State, r.NextTry = desk.SendUncertain, 0
				r.Answer = "The desk was stopped while the mail went out; the server's answer was not seen."
			}
			if err := o.settle(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweep starts what is due, replies before automatic mail, and returns when to
// look again. What finds no room is started when something else has ended.
func (o *Outbox) sweep(ctx context.Context, slots chan struct{}, wg *sync.WaitGroup) (time.Time, error) {
	now := o.clock.Now()
	paused, err := o.release()
	if err != nil {
		return time.Time{}, err
	}
	boxes, err := busyMailboxes(o.app)
	if err != nil {
		return time.Time{}, err
	}
	o.turn++
	for _, auto := range []bool{false, true} {
		for i := range boxes {
			if err := o.sendDue(ctx, boxes[(i+o.turn)%len(boxes)], auto, now, slots, wg); err != nil {
				return time.Time{}, err
			}
		}
	}
	next, err := o.nextDue(now)
	if again := now.Add(pauseLook); paused && (next.IsZero() || again.Before(next)) {
		next = again
	}
	return next, err
}

// sendDue starts what is due behind one mailbox, as far as there is room.
func (o *Outbox) sendDue(ctx context.Context, mailbox string, auto bool, now time.Time, slots chan struct{}, wg *sync.WaitGroup) error {
	for ctx.Err() == nil && len(slots) < cap(slots) && !o.busy.full(mailbox) {
		found, err := dueBehind(o.app, mailbox, auto, desk.Millis(now), look)
		if err != nil {
			return err
		}
		moved := false
		for _, r := range found {
			if ctx.Err() != nil || len(slots) == cap(slots) || !o.busy.take(r.ID, mailbox) {
				continue
			}
			held, err := o.heldBack(r, now)
			if err != nil {
				o.busy.give(r.ID, mailbox)
				return err
			}
			if moved = true; held {
				o.busy.give(r.ID, mailbox)
				continue
			}
			o.send(ctx, r, slots, wg)
		}
		if len(found) < look || !moved {
			return nil
		}
	}
	return nil
}

// send tries one recipient on its own; the caller has taken it and seen that
// there is a slot, and nobody else fills slots.
func (o *Outbox) send(ctx context.Context, r *due, slots chan struct{}, wg *sync.WaitGroup) {
	slots <- struct{}{}
	wg.Go(func() {
		defer func() { <-slots; o.busy.give(r.ID, r.mailbox); o.Wake() }()
		o.try(ctx, r)
	})
}

// release lets go what a pause held back once the pause is over, however it was
// ended; it answers whether something waits for that still.
func (o *Outbox) release() (waits bool, err error) {
	ids, err := heldByPause(o.app)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	if o.limits.AutoPaused() {
		return true, nil
	}
	return false, o.app.RunInTransaction(func(tx core.App) error { return o.Resume(tx, desk.System("outbox")) })
}

func (o *Outbox) nextDue(now time.Time) (time.Time, error) {
	ms, err := nextTry(o.app, desk.Millis(now))
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return desk.Time(ms), nil
}

// hold decides whether an automatic mail has to wait, and until when; a zero
// time waits for a person.
func (o *Outbox) hold(r *due, now time.Time) (by string, until time.Time, err error) {
	if !r.auto {
		return "", time.Time{}, nil
	}
	if o.limits.AutoPaused() {
		return HeldByPause, time.Time{}, nil
	}
	n, err := autoSince(o.app, r.mailbox, desk.Millis(now.Add(-time.Minute)))
	if err != nil || n < o.limits.AutoPerMinute() {
		return "", time.Time{}, err
	}
	return HeldByBreaker, now.Add(20 * time.Second), nil
}

// heldBack makes a mail wait that has to, and reports whether it does. The
// caller has taken r, so nobody is sending it.
func (o *Outbox) heldBack(r *due, now time.Time) (bool, error) {
	by, until, err := o.hold(r, now)
	if err != nil || by == "" {
		return false, err
	}
	return true, o.app.RunInTransaction(func(tx core.App) error {
		first, before := r.State != desk.SendHeld || r.heldBy != by, r.Recipient
		r.State, r.NextTry = desk.SendHeld, desk.Millis(until)
		if n, err := advance(tx, r, before, desk.Millis(now)); err != nil || n == 0 {
			return err // n == 0: it moved on since the sweep read it
		}
		if err := setHeldBy(tx, r.Delivery, by); err != nil {
			return err
		}
		if err := refresh(tx, r.Delivery, desk.Millis(now)); err != nil || !first {
			return err
		}
		_, err := o.log.Append(tx, desk.Event{
			Kind: "delivery.held", Ticket: r.ticket, Message: r.message, Subject: r.Delivery,
			Actor: desk.System("outbox"), Reason: by,
		})
		return err
	})
}
