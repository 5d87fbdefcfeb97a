package intake

import (
	"context"
	"errors"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// describeBatch is how many mails are looked at in one transaction.
const describeBatch = 16

// quarantine settles a letter in tx as one that needs a person, who is told whom
// it says it is from.
func (in *Intake) quarantine(tx core.App, l *letter, by desk.Actor, reason string) error {
	if err := file.Settle(tx, l.entry, file.StateQuarantined, "", reason, l.key); err != nil {
		return err
	}
	if err := describe(tx, l.entry, l.mail); err != nil {
		return err
	}
	_, err := in.Log.Append(tx, desk.Event{Kind: "mail.quarantined", Subject: l.entry.ID, Actor: by, Reason: reason})
	return err
}

// describe notes sender and subject of an entry; of a mail that could not be
// read there are none.
func describe(tx core.App, e *file.Entry, m *mail.Mail) error {
	if m == nil {
		return file.Describe(tx, e, desk.Address{}, "")
	}
	return file.Describe(tx, e, address(m.From), ticket.CleanSubject(m.Subject))
}

// describeAll looks at what was quarantined before sender and subject were kept.
func (in *Intake) describeAll(ctx context.Context) error {
	for ctx.Err() == nil {
		entries, err := file.Undescribed(in.App, describeBatch)
		if err != nil || len(entries) == 0 {
			return err
		}
		mails := make([]*mail.Mail, len(entries))
		for i, e := range entries {
			if raw, err := in.Ledger.Raw(e); err == nil {
				mails[i] = mail.Parse(raw)
			}
		}
		err = in.App.RunInTransaction(func(tx core.App) error {
			for i, e := range entries {
				if err := describe(tx, e, mails[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var errNotInQuarantine = desk.Errorf(desk.NotFound, "This mail is not in quarantine any more.")

// Retry enters a quarantined entry now, whatever of its own speaks against it:
// by decides that it is a message. One that still can't be entered stays in
// quarantine.
func (in *Intake) Retry(by desk.Actor, id string) error {
	e, err := inQuarantine(in.App, id)
	if err != nil {
		return err
	}
	l := in.open(e) // outside of the transaction: reading may take long
	in.judge(context.Background(), l)
	l.forced = true
	err = in.App.RunInTransaction(func(tx core.App) error {
		if l.entry, err = inQuarantine(tx, id); err != nil { // somebody may have been faster
			return err
		}
		if err := in.receiveSafely(tx, l); err != nil {
			return err
		}
		_, err := in.Log.Append(tx, desk.Event{Kind: "mail.retried", Subject: id, Actor: by, Message: l.entry.Message})
		return err
	})
	if err == nil {
		return nil
	}
	in.discard([]*letter{l})
	var told *desk.Error
	if errors.As(err, &told) || file.IsFull(err) {
		return err
	}
	return in.stillQuarantined(by, l, err)
}

// stillQuarantined notes that another try failed, and why.
func (in *Intake) stillQuarantined(by desk.Actor, l *letter, why error) error {
	in.App.Logger().Error("a quarantined mail still can't be entered", "entry", l.entry.ID, "error", why)
	err := in.App.RunInTransaction(func(tx core.App) error {
		e, err := inQuarantine(tx, l.entry.ID)
		if err != nil {
			return err
		}
		l.entry = e
		if err := file.Tried(tx, e, 0); err != nil {
			return err
		}
		return in.quarantine(tx, l, by, ReasonError)
	})
	if err != nil {
		return err
	}
	return desk.Errorf(desk.Refused, "This mail still can't be read; look at its original.")
}

func inQuarantine(app core.App, id string) (*file.Entry, error) {
	e, err := file.FindEntry(app, id)
	if err == nil && (e == nil || e.State != file.StateQuarantined) {
		err = errNotInQuarantine
	}
	return e, err
}
