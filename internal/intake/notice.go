package intake

import (
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/pocketbase/pocketbase/core"
)

// notice settles a mail that refers to a notice of ours to an agent. It never
// becomes a customer's message: it is taken as that agent's answer, which the
// owner of the notices then enters, or a person looks at it in quarantine.
func (in *Intake) notice(tx core.App, l *letter) (settled bool, err error) {
	id := in.noticeOf(l)
	switch {
	case id == "":
		return false, nil
	case l.entry.Origin == file.OriginSent:
		return true, file.Settle(tx, l.entry, file.StateRefused, "", ReasonNoTicket, l.key)
	case l.mail.Bounce != nil:
		return true, in.noticeBounced(tx, l, id)
	case l.mail.AutoReply:
		return true, file.Settle(tx, l.entry, file.StateRefused, "", ReasonAutoAnswer, l.key)
	case l.forced:
		return true, desk.Errorf(desk.Refused, "This is a mail to an agent's notification, which is never sent on or made a ticket. Look at its original, and answer in the ticket itself.")
	case l.mail.Unreadable && !l.entry.TooLarge:
		return true, in.quarantine(tx, l, desk.System("intake"), ReasonUnreadable)
	}
	return true, in.take(tx, l, id)
}

// take hands a mail to the owner of the notices and settles what that decides.
func (in *Intake) take(tx core.App, l *letter, id string) error {
	a := desk.NoticeAnswer{
		Notice: id, Proven: l.auth.Result == desk.AuthPass && !l.entry.TooLarge, Ledger: l.entry.ID, ContentKey: l.key,
	}
	if l.mail.FromCount == 1 {
		a.From = l.mail.From.Address
	}
	refusal, err := in.Notices.Take(tx, a)
	switch {
	case err != nil:
		return err
	case refusal == "":
		return file.Settle(tx, l.entry, file.StateDone, "", "", l.key)
	case refusal == desk.AnswerDuplicate:
		return file.Settle(tx, l.entry, file.StateDuplicate, "", "", l.key)
	}
	return in.quarantine(tx, l, desk.System("intake"), refusal)
}

// noticeOf is the notice that a mail refers to, "" for none: what it answers
// counts before what else it is about.
func (in *Intake) noticeOf(l *letter) string {
	refs := slices.Clone(l.mail.References)
	slices.Reverse(refs)
	ids := append(slices.Clone(l.mail.InReplyTo), refs...)
	if b := l.mail.Bounce; b != nil {
		ids = append(ids, b.OriginalMessageID)
	}
	for _, id := range ids {
		if in.Notices.Named(id) {
			return id
		}
	}
	return ""
}

// noticeBounced notes on a notice that it did not arrive. No ticket hears of it.
func (in *Intake) noticeBounced(tx core.App, l *letter, id string) error {
	b := l.mail.Bounce
	delivery, err := in.Notices.DeliveryOf(tx, id)
	if err != nil {
		return err
	}
	if delivery != "" && !b.Delayed {
		d, err := outbox.Find(tx, delivery)
		if err != nil {
			return err
		}
		if d != nil {
			if _, err := in.Outbox.Bounced(tx, d, bounced(b), b.Diagnostic); err != nil {
				return err
			}
		}
	}
	return file.Settle(tx, l.entry, file.StateRefused, "", ReasonNotice, l.key)
}
