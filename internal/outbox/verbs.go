package outbox

import (
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Cancel takes back a delivery in tx that nobody has been tried for yet; it
// errs with a desk.Conflict when it is too late.
func (o *Outbox) Cancel(tx core.App, by desk.Actor, id string) (*Delivery, error) {
	d, err := mustFind(tx, id)
	if err != nil {
		return nil, err
	}
	now := desk.Millis(o.clock.Now())
	for i := range d.Recipients {
		r := &d.Recipients[i]
		if r.Attempts > 0 || final(r.State) {
			return nil, desk.Errorf(desk.Conflict, "This mail is on its way already and can't be taken back.")
		}
		r.State, r.NextTry = desk.SendCancelled, 0
		if err := updateRecipient(tx, r, now); err != nil {
			return nil, err
		}
	}
	if err := refresh(tx, id, now); err != nil {
		return nil, err
	}
	_, err = o.log.Append(tx, desk.Event{Kind: "delivery.cancelled", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by})
	return d, err
}

// Retry sends now in tx what waits, failed, or may have been sent: for an
// uncertain one it is a person's decision to send it once more.
func (o *Outbox) Retry(tx core.App, by desk.Actor, id string) error {
	d, err := mustFind(tx, id)
	if err != nil {
		return err
	}
	now, touched := desk.Millis(o.clock.Now()), false
	for i := range d.Recipients {
		r := &d.Recipients[i]
		switch r.State {
		case desk.SendHeld, desk.SendScheduled, desk.SendDeferred, desk.SendFailed, desk.SendUncertain:
			r.State, r.NextTry, touched = desk.SendQueued, now, true
			if err := updateRecipient(tx, r, now); err != nil {
				return err
			}
		}
	}
	if !touched {
		return desk.Errorf(desk.Conflict, "There is nothing to try again: this mail is %s.", d.State)
	}
	if err := requeue(tx, d); err != nil {
		return err
	}
	if err := refresh(tx, id, now); err != nil {
		return err
	}
	o.wakeAfter(tx)
	_, err = o.log.Append(tx, desk.Event{Kind: "delivery.retried", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by, Old: string(d.State)})
	return err
}

// Hurry makes what waits for another try through a mailbox be tried now, as when
// what kept it from sending was mended.
func (o *Outbox) Hurry(mailbox string) error {
	return o.app.RunInTransaction(func(tx core.App) error {
		waiting, err := recipientsWhere(tx, "r.state = 'deferred' AND r.mailbox = ?", mailbox)
		if err != nil {
			return err
		}
		now := desk.Millis(o.clock.Now())
		for _, r := range waiting {
			before := r.Recipient
			r.NextTry = now
			if _, err := advance(tx, r, before, now); err != nil {
				return err
			}
			if err := refresh(tx, r.Delivery, now); err != nil {
				return err
			}
		}
		o.wakeAfter(tx)
		return nil
	})
}

// CountAsSent settles an uncertain delivery as sent in tx, which a person decides.
func (o *Outbox) CountAsSent(tx core.App, by desk.Actor, id string) error {
	d, err := mustFind(tx, id)
	if err != nil {
		return err
	}
	if d.State != desk.SendUncertain {
		return desk.Errorf(desk.Conflict, "Only a mail that was possibly sent can be counted as sent; this one is %s.", d.State)
	}
	now := desk.Millis(o.clock.Now())
	for i := range d.Recipients {
		r := &d.Recipients[i]
		if r.State != desk.SendUncertain {
			continue
		}
		r.State, r.Answer = desk.SendSent, "Counted as sent by a person."
		if err := updateRecipient(tx, r, now); err != nil {
			return err
		}
	}
	if err := refresh(tx, id, now); err != nil {
		return err
	}
	_, err = o.log.Append(tx, desk.Event{Kind: "delivery.sent", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by, Reason: "counted"})
	return err
}

// PutAway notes in tx that a person has seen to a delivery that failed or may
// have been sent: it stays what it is and no longer asks for attention, until
// another of its recipients fails. A second time changes nothing.
func (o *Outbox) PutAway(tx core.App, by desk.Actor, id string) error {
	d, err := mustFind(tx, id)
	if err != nil || d.PutAway != 0 {
		return err
	}
	if !needsPerson(d.State) {
		return desk.Errorf(desk.Conflict, "Only a mail that failed or was possibly sent can be put away; this one is %s.", d.State)
	}
	now := desk.Millis(o.clock.Now())
	if err := setPutAway(tx, id, now, now); err != nil {
		return err
	}
	_, err = o.log.Append(tx, desk.Event{Kind: "delivery.put_away", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by, Old: string(d.State)})
	return err
}

// Resume lets go in tx what a pause held back.
func (o *Outbox) Resume(tx core.App, by desk.Actor) error {
	ids, err := heldByPause(tx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := o.letGo(tx, by, id); err != nil {
			return err
		}
	}
	o.wakeAfter(tx)
	return nil
}

func (o *Outbox) letGo(tx core.App, by desk.Actor, id string) error {
	d, err := mustFind(tx, id)
	if err != nil {
		return err
	}
	now := desk.Millis(o.clock.Now())
	for i := range d.Recipients {
		if r := &d.Recipients[i]; r.State == desk.SendHeld {
			r.State, r.NextTry = desk.SendQueued, now
			if err := updateRecipient(tx, r, now); err != nil {
				return err
			}
		}
	}
	if err := refresh(tx, id, now); err != nil {
		return err
	}
	_, err = o.log.Append(tx, desk.Event{Kind: "delivery.released", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by, Reason: "pause_over"})
	return err
}

func mustFind(app core.App, id string) (*Delivery, error) {
	d, err := Find(app, id)
	if err == nil && d == nil {
		err = desk.Errorf(desk.NotFound, "There is no such mail in the outbox.")
	}
	return d, err
}

// Bounced marks in tx the recipients that a mail system reported as not
// reached; with an empty list all of them. It answers whether the report is
// about a recipient that the delivery has: a mail to one is about that one, under
// whatever address it was forwarded.
func (o *Outbox) Bounced(tx core.App, d *Delivery, addresses []string, answer string) (known bool, err error) {
	now, changed := desk.Millis(o.clock.Now()), false
	for i := range d.Recipients {
		r := &d.Recipients[i]
		if len(addresses) > 0 && len(d.Recipients) > 1 && !containsFold(addresses, r.Address) {
			continue
		}
		if known = true; r.State != desk.SendSent && r.State != desk.SendUncertain {
			continue
		}
		r.State, r.Answer, r.NextTry, changed = desk.SendFailed, answer, 0, true
		if err := updateRecipient(tx, r, now); err != nil {
			return false, err
		}
	}
	if !changed {
		return known, nil
	}
	if err := setPutAway(tx, d.ID, 0, now); err != nil {
		return false, err
	}
	if err := refresh(tx, d.ID, now); err != nil {
		return false, err
	}
	_, err = o.log.Append(tx, desk.Event{
		Kind: "delivery.failed", Ticket: d.Ticket, Message: d.Message, Subject: d.ID,
		Actor: desk.System("outbox"), Reason: "bounce", Detail: map[string]any{"answer": answer},
	})
	return true, err
}

func containsFold(list []string, s string) bool {
	for _, v := range list {
		if strings.EqualFold(v, s) {
			return true
		}
	}
	return false
}
