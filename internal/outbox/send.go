package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

const (
	sendLimit  = 10 * time.Minute // longest single try
	storePause = 5 * time.Second  // before something that could not be stored is tried again
)

// try makes one try for one recipient and settles it.
func (o *Outbox) try(ctx context.Context, r *due) {
	if claimed, result := o.attemptSafely(ctx, r); claimed {
		o.record(ctx, r, result)
	}
}

// attemptSafely is attempt with a panic as a result: nobody knows whether a mail
// was sent whose last bytes were on their way.
func (o *Outbox) attemptSafely(ctx context.Context, r *due) (claimed bool, result desk.SendResult) {
	defer func() {
		if p := recover(); p != nil {
			o.app.Logger().Error("sending panicked", "delivery", r.Delivery, "panic", p)
			claimed, result = true, desk.SendResult{State: desk.SendDeferred, Answer: "An error of our own; the log says more."}
			if r.State == desk.SendData {
				result.State = desk.SendUncertain
			}
		}
	}()
	return o.attempt(ctx, r)
}

// record stores how a try ended, however long the disk is full: until then the
// row says "sending" and nobody else touches it.
func (o *Outbox) record(ctx context.Context, r *due, result desk.SendResult) {
	for {
		err := o.conclude(r, result)
		if err == nil {
			return
		}
		o.app.Logger().Error("the end of a try could not be stored", "delivery", r.Delivery, "error", err)
		if o.pause(ctx) != nil {
			return // the next start settles it
		}
	}
}

func (o *Outbox) pause(ctx context.Context) error {
	return desk.Sleep(ctx, o.clock, o.clock.Now().Add(storePause), nil)
}

// attempt claims the recipient and sends; claimed is false when the delivery
// was cancelled in between or the claim could not be stored.
func (o *Outbox) attempt(ctx context.Context, r *due) (claimed bool, result desk.SendResult) {
	if err := o.stage(r, desk.SendSending); err != nil {
		if !errors.Is(err, errTakenBack) {
			o.app.Logger().Error("a try could not be begun", "delivery", r.Delivery, "error", err)
			_ = o.pause(ctx) // it is due still, and would be tried again at once
		}
		return false, result
	}
	d, err := Find(o.app, r.Delivery)
	if err != nil || d == nil {
		o.app.Logger().Error("a mail on its way could not be read", "delivery", r.Delivery, "found", d != nil, "error", err)
		return true, desk.SendResult{State: desk.SendDeferred, Answer: "The mail could not be read from the database."}
	}
	files, err := o.files.Attachments(d.Files)
	if err != nil {
		o.app.Logger().Error("an attachment could not be read", "delivery", r.Delivery, "error", err)
		return true, desk.SendResult{State: desk.SendDeferred, Answer: "An attachment could not be read."}
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	return true, o.sender.Send(ctx, d.outbound(files), desk.Address{Name: r.Name, Address: r.Address},
		func(s desk.SendState) error { return o.stage(r, s) })
}

func (d *Delivery) outbound(files []desk.Attachment) desk.Outbound {
	return desk.Outbound{
		ID: d.ID, Mailbox: d.Mailbox, From: d.From, To: d.To, Cc: d.Cc, Bcc: d.Bcc, ReplyTo: d.ReplyTo, Subject: d.Subject, Text: d.Text, HTML: d.HTML,
		MessageID: d.MessageID, InReplyTo: d.InReplyTo, References: d.References, Auto: d.Auto, Date: desk.Time(max(d.Created, d.NotBefore)), Attachments: files,
	}
}

var errTakenBack = errors.New("taken back")

// stage stores durably how far the try has come; it errs, and the try must
// stop, when the recipient is no longer ours to send to.
func (o *Outbox) stage(r *due, s desk.SendState) error {
	before := r.Recipient
	return o.app.RunInTransaction(func(tx core.App) error {
		r.Recipient = before
		if s == desk.SendSending {
			r.Attempts++
		}
		r.State = s
		n, err := advance(tx, r, before, desk.Millis(o.clock.Now()))
		if err == nil && n == 0 {
			err = fmt.Errorf("delivery %s: %w", r.Delivery, errTakenBack)
		}
		if err != nil {
			r.Recipient = before
			return err
		}
		return refresh(tx, r.Delivery, desk.Millis(o.clock.Now()))
	})
}

// conclude stores how a try ended.
func (o *Outbox) conclude(r *due, result desk.SendResult) error {
	now := o.clock.Now()
	r.State, r.Answer, r.NextTry = result.State, result.Answer, 0
	if r.State == desk.SendDeferred {
		if now.Sub(desk.Time(max(r.Created, r.notBefore))) > giveUp {
			r.State = desk.SendFailed
			r.Answer = "Given up after 5 days. The last answer: " + result.Answer
		} else {
			r.NextTry = desk.Millis(now.Add(backoff[min(max(r.Attempts, 1), len(backoff))-1]))
		}
	}
	return o.app.RunInTransaction(func(tx core.App) error { return o.settle(tx, r) })
}

// settle stores a recipient's new state, what its delivery shows, and the event.
func (o *Outbox) settle(tx core.App, r *due) error {
	if err := o.update(tx, r); err != nil {
		return err
	}
	_, err := o.log.Append(tx, desk.Event{
		Kind: "delivery." + string(r.State), Ticket: r.ticket, Message: r.message, Subject: r.Delivery,
		Actor: desk.System("outbox"), New: r.ID, Detail: map[string]any{"recipient": r.Address, "answer": r.Answer},
	})
	return err
}

func (o *Outbox) update(tx core.App, r *due) error {
	now := desk.Millis(o.clock.Now())
	if err := updateRecipient(tx, &r.Recipient, now); err != nil {
		return err
	}
	if needsPerson(r.State) { // news, whatever was put away before
		if err := setPutAway(tx, r.Delivery, 0, now); err != nil {
			return err
		}
	}
	return refresh(tx, r.Delivery, now)
}
