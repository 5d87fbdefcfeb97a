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

// Retry sends now what waits, failed, or may have been sent: for an uncertain
// one it is a person's decision to send it once more.
func (o *Outbox) Retry(by desk.Actor, id string) error {
	return o.app.RunInTransaction(func(tx core.App) error {
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
		if err := refresh(tx, id, now); err != nil {
			return err
		}
		o.wakeAfter(tx)
		_, err = o.log.Append(tx, desk.Event{Kind: "delivery.retried", Ticket: d.Ticket, Message: d.Message, Subject: id, Actor: by, Old: string(d.State)})
		return err
	})
}

// CountAsSent settles an uncertain delivery as sent, which a person decides.
func (o *Outbox) CountAsSent(by desk.Actor, id string) error {
	return o.app.RunInTransaction(func(tx core.App) error {
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
	})
}

// Resume lets go what a pause held back.
func (o *Outbox) Resume(tx core.App) error {
	now := desk.Millis(o.clock.Now())
	ids, err := heldByPause(tx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		d, err := mustFind(tx, id)
		if err != nil {
			return err
		}
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
	}
	o.wakeAfter(tx)
	return nil
}

// SentTo lists the addresses a delivery certainly or possibly reached.
func (d *Delivery) SentTo() []string {
	var out []string
	for _, r := range d.Recipients {
		if r.State == desk.SendSent || r.State == desk.SendUncertain {
			out = append(out, r.Address)
		}
	}
	return out
}

func mustFind(app core.App, id string) (*Delivery, error) {
	d, err := Find(app, id)
	if err == nil && d == nil {
		err = desk.Errorf(desk.NotFound, "There is no such mail in the outbox.")
	}
	return d, err
}

// Bounced marks the recipients that a mail system reported as not reached; with
// an empty list all of them. It answers whether anything changed.
func (o *Outbox) Bounced(tx core.App, d *Delivery, addresses []string, answer string) (bool, error) {
	now, changed := desk.Millis(o.clock.Now()), false
	for i := range d.Recipients {
		r := &d.Recipients[i]
		if len(addresses) > 0 && !containsFold(addresses, r.Address) || r.State != desk.SendSent && r.State != desk.SendUncertain {
			continue
		}
		r.State, r.Answer, r.NextTry, changed = desk.SendFailed, answer, 0, true
		if err := updateRecipient(tx, r, now); err != nil {
			return false, err
		}
	}
	if !changed {
		return false, nil
	}
	if err := refresh(tx, d.ID, now); err != nil {
		return false, err
	}
	_, err := o.log.Append(tx, desk.Event{
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
