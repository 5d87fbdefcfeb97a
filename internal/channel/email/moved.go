package email

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/emersion/go-imap/v2"
)

// A server gives out the numbers of the inbox one after another. Numbers that
// were given and are not there belonged to mails that somebody moved away, on a
// phone or by a rule, before the desk read them. They keep their date when they
// are moved, so they can be found in the other folders.

const (
	movedSlack = time.Hour // by which the dates of one server's mails may be out of order
	movedMost  = 200       // mails looked at in one folder
)

// skippedPlaces hold what nobody wants as a ticket: mail of ours, and what
// somebody or the server threw away.
var skippedPlaces = []string{"draft", "entw", "trash", "papierkorb", "gelöscht", "deleted", "corbeille", "junk", "spam", "bulk"}

// searches reports whether mail can be found in other folders: by dates that
// mean something, and only if it can be told what the desk has.
func (r *fetcher) searches() bool {
	return r.service.options.Threads != nil && r.service.trustsDates() && r.box.Kind != KindSandbox
}

// gap notes whether numbers from the position on were given out and are gone.
func (r *fetcher) gap(f folder, cards []card) bool {
	if !r.searches() {
		return false
	}
	from, next, n := max(f.next, f.until, r.searched, 1), r.uidNext, 0
	for _, k := range cards {
		if k.uid >= from {
			n++
			next = max(next, k.uid+1)
		}
	}
	if int(next)-int(from) <= n {
		return false
	}
	r.moved, r.movedFrom, r.searched = true, f, next
	return true
}

// findMoved takes in mails of the inbox that were moved to other folders before
// they were read. Afterwards the inbox has to be opened again.
func (r *fetcher) findMoved(ctx context.Context, c *imapConn, f folder) error {
	if !r.searches() {
		return nil
	}
	all, err := c.folders(ctx)
	if err != nil {
		return err
	}
	since := f.last.Add(-movedSlack)
	if since.Before(r.box.Since) {
		since = r.box.Since
	}
	sent := sentFolder(all)
	for _, l := range all {
		if strings.EqualFold(l.name, inbox) || l.name == sent || l.sent || l.skip {
			continue
		}
		err := r.movedTo(ctx, c, l.name, since)
		if err != nil && !errors.Is(err, errFolderGone) {
			return err
		}
	}
	return nil
}

// movedTo takes in the mails of a folder that reached the mailbox since then
// and are not in the desk.
func (r *fetcher) movedTo(ctx context.Context, c *imapConn, name string, since time.Time) error {
	sel, err := c.open(ctx, name)
	if err != nil {
		return gone(err)
	}
	if sel.NumMessages == 0 || sel.UIDNext <= 1 {
		return nil
	}
	uids, err := c.searchSince(ctx, 1, uint32(sel.UIDNext)-1, since)
	if err != nil || len(uids) == 0 {
		return err
	}
	cards, err := c.cards(ctx, imap.UIDSetNum(uids[max(0, len(uids)-movedMost):]...), true)
	if err != nil {
		return err
	}
	cards = after(cards, since)
	if len(cards) == 0 {
		return nil
	}
	if cards, err = r.unknown(ctx, c, cards); err != nil || len(cards) == 0 {
		return err
	}
	f := folder{name: name, validity: sel.UIDValidity}
	mails, err := c.fetch(ctx, cards, r.service.options.MaxSize, false)
	if err != nil {
		return err
	}
	var in []desk.Inbound
	for _, k := range cards {
		if m, ok := mails[k.uid]; ok {
			in = append(in, r.inbound(f, k, m))
		}
	}
	if err := r.service.ledger.Store(ctx, in...); err != nil {
		return &ledgerError{err}
	}
	return nil
}

func after(cards []card, since time.Time) []card {
	var out []card
	for _, k := range cards {
		if k.date.After(since) {
			out = append(out, k)
		}
	}
	return out
}

// unknown picks the mails to the mailbox's address that the desk does not have.
func (r *fetcher) unknown(ctx context.Context, c *imapConn, cards []card) ([]card, error) {
	heads, err := c.heads(ctx, cards, "Message-ID", "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
	if err != nil {
		return nil, err
	}
	var out []card
	for _, k := range cards {
		if !bytes.Contains(bytes.ToLower(heads[k.uid]), []byte(key(r.box.Address))) {
			continue
		}
		id := mail.Parse(heads[k.uid]).MessageID
		known := false
		if id != "" {
			if known, err = r.service.options.Threads.Known(id); err != nil {
				return nil, &ledgerError{err}
			}
		}
		if !known {
			out = append(out, k)
		}
	}
	return out, nil
}
