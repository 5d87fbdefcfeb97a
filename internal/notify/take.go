package notify

import (
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// answered is the kind of the event of an answer that was taken and is to be
// entered. It reaches the database.
const answered = "notice.answered"

// Take uses up in tx the notice that a mail answers, if the mail is the one that
// may answer it, and has Enter do the rest. refusal says why it is not.
func (n *Notices) Take(tx core.App, a desk.NoticeAnswer) (refusal string, err error) {
	row, err := n.lookUp(tx, a.Notice)
	if err != nil {
		return "", err
	}
	if row == nil {
		return desk.AnswerUnknown, nil
	}
	if refusal, err = n.check(tx, row, a); err != nil || refusal != "" {
		return refusal, err
	}
	now := desk.Millis(n.Clock.Now())
	first, err := use(tx, row.Hash, a.Ledger, a.ContentKey, now)
	if err != nil {
		return "", err
	}
	if !first {
		return desk.AnswerUsed, nil
	}
	_, err = n.Log.Append(tx, desk.Event{Kind: answered, Ticket: row.Ticket, Message: row.Message, Subject: a.Ledger, Actor: desk.Agent(row.Agent)})
	return "", err
}

// lookUp returns the notice of a Message-ID, nil for one that was made up.
func (n *Notices) lookUp(app core.App, messageID string) (*notice, error) {
	local, random, given, ok := parts(n.Secrets, messageID)
	if !ok {
		return nil, nil
	}
	row, err := byHash(app, hashOf(local))
	if err != nil || row == nil || !genuine(n.Secrets, random, given, row) {
		return nil, err
	}
	return row, nil
}

// check tells what speaks against an answer, "" for nothing. Who wrote it counts
// first: to anybody else the notice stays what it was.
func (n *Notices) check(tx core.App, row *notice, a desk.NoticeAnswer) (string, error) {
	who, err := access.FindAgent(tx, row.Agent)
	if err != nil {
		return "", err
	}
	switch {
	case row.Used != 0 && row.ContentKey == a.ContentKey:
		return desk.AnswerDuplicate, nil
	case who == nil || !strings.EqualFold(strings.TrimSpace(a.From), who.Email):
		return desk.AnswerStranger, nil
	case !a.Proven:
		return desk.AnswerUnproven, nil
	case row.Used != 0:
		return desk.AnswerUsed, nil
	case desk.Millis(n.Clock.Now()) >= row.Expires:
		return desk.AnswerExpired, nil
	}
	revoked, err := n.revoked(tx, row)
	if err != nil || !revoked {
		return "", err
	}
	return desk.AnswerRevoked, nil
}

// revoked reports whether something happened since a notice was written that
// takes its power away: the agent left, even if back again, left the team, has
// another password or address, or may not answer in the ticket now.
func (n *Notices) revoked(tx core.App, row *notice) (bool, error) {
	happened, err := event.HappenedToAgent(tx, row.Agent, row.Event)
	if err != nil || happened {
		return happened, err
	}
	if row.Team != "" {
		since, err := access.MemberSince(tx, row.Team, row.Agent)
		if err != nil || since == 0 || since > row.Created {
			return true, err
		}
	}
	t, err := ticket.Find(tx, row.Ticket)
	if err != nil {
		return false, err
	}
	who, err := mayNow(tx, row.Agent, "ticket.reply", t)
	return who == nil, err
}

// DeliveryOf is the id of the delivery that carries a Message-ID of ours, "" for
// none.
func (n *Notices) DeliveryOf(app core.App, messageID string) (string, error) {
	row, err := n.lookUp(app, messageID)
	if err != nil || row == nil {
		return "", err
	}
	return row.Delivery, nil
}
