package email

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	// smallFolder is up to how many mails a folder is read again whole after
	// its numbers changed; of a larger one only what came in the last
	// rescanWindow before the newest mail known.
	smallFolder  = 5000
	rescanWindow = 30 * 24 * time.Hour
	chunk        = 500 // UIDs named in one command
)

// begin is the position of a folder that is looked at for the first time: what
// is there is not taken in, except what came after since (zero: nothing else).
// With everything, all is taken in.
func begin(name string, sel *imap.SelectData, newest time.Time, since time.Time, everything bool) folder {
	f := folder{name: name, validity: sel.UIDValidity, next: uint32(sel.UIDNext), first: newest, last: newest}
	switch {
	case everything:
		f.next, f.first, f.last = 1, time.Time{}, time.Time{}
	case !since.IsZero():
		second := since.Truncate(time.Second) // INTERNALDATE knows no finer
		f.next, f.until, f.cutoff = 1, uint32(sel.UIDNext), second.Add(time.Second)
		if newest.After(second) {
			f.first = second
		}
	}
	return f
}

// renumbered is the position after the server numbered the folder anew: mails
// that came since the connection are looked at again under their new numbers,
// and the ledger and intake know which of them they have.
func (f folder) renumbered(sel *imap.SelectData) folder {
	if f.validity == sel.UIDValidity {
		f.generation++
	} else {
		f.generation = 0
	}
	f.validity = sel.UIDValidity
	f.next, f.until, f.cutoff = 1, uint32(sel.UIDNext), time.Time{}
	if !f.first.IsZero() {
		f.cutoff = f.first.Add(time.Second)
	}
	if window := f.last.Add(-rescanWindow); sel.NumMessages > smallFolder && window.After(f.cutoff) {
		f.cutoff = window
	}
	return f
}

// resume returns where to go on in the folder just opened, and stores it when
// it is new.
func (r *fetcher) resume(ctx context.Context, c *imapConn, sel *imap.SelectData, name string) (folder, error) {
	f, err := loadFolder(r.service.app, r.box.ID, name)
	if err != nil {
		return f, err
	}
	if sel.UIDNext == 0 {
		if sel.UIDNext, err = c.uidNext(ctx, sel.NumMessages); err != nil {
			return f, err
		}
	}
	switch {
	case f.next == 0:
		newest, err := c.newest(ctx, sel.NumMessages)
		if err != nil {
			return f, err
		}
		since := r.box.Since
		if !r.service.trustsDates() {
			since = time.Time{}
		}
		f = begin(name, sel, newest, since, r.box.Kind == KindSandbox)
	case f.validity != sel.UIDValidity, uint32(sel.UIDNext) < f.next:
		if name == inbox {
			r.moved, r.movedFrom = true, f // what was moved away meanwhile left no gap in the new numbers
		}
		f = f.renumbered(sel)
		r.service.logger.Warn("IMAP folder was numbered anew", "mailbox", r.box.ID, "uidvalidity", f.validity)
	case !r.wants(f):
		return f, nil
	}
	if r.wants(f) {
		f = r.backTo(f, sel)
	}
	return f, saveFolder(r.service.app, r.box.ID, f)
}

// waiting lists the mails from the position on, ordered by UID.
func (c *imapConn) waiting(ctx context.Context, f folder, dates bool) ([]card, error) {
	var all []card
	if f.next < f.until {
		old, err := c.waitingBelow(ctx, f, dates)
		if err != nil {
			return nil, err
		}
		all = old
	}
	from := max(f.next, f.until, 1)
	more, err := c.cards(ctx, imap.UIDSet{imap.UIDRange{Start: imap.UID(from)}}, dates)
	for _, k := range more {
		if k.uid >= from { // n:* always names the last mail
			all = append(all, k)
		}
	}
	return all, err
}

// waitingBelow lists the mails below f.until that are not older than f.cutoff.
func (c *imapConn) waitingBelow(ctx context.Context, f folder, dates bool) ([]card, error) {
	if f.cutoff.IsZero() {
		var set imap.UIDSet
		set.AddRange(imap.UID(f.next), imap.UID(f.until-1))
		return c.cards(ctx, set, dates)
	}
	uids, err := c.searchSince(ctx, f.next, f.until-1, f.cutoff)
	if err != nil {
		return nil, err
	}
	var all []card
	for len(uids) > 0 {
		n := min(chunk, len(uids))
		some, err := c.cards(ctx, imap.UIDSetNum(uids[:n]...), dates)
		if err != nil {
			return nil, err
		}
		for _, k := range some {
			if k.date.IsZero() || !k.date.Before(f.cutoff) {
				all = append(all, k)
			}
		}
		uids = uids[n:]
	}
	return all, nil
}

// newest is the latest date among the last mails of the folder, zero for none.
func (c *imapConn) newest(ctx context.Context, messages uint32) (latest time.Time, err error) {
	cards, err := c.lastCards(ctx, messages)
	for _, k := range cards {
		if k.date.After(latest) {
			latest = k.date
		}
	}
	return latest, err
}

// uidNext stands in for a server that does not announce UIDNEXT.
func (c *imapConn) uidNext(ctx context.Context, messages uint32) (next imap.UID, err error) {
	cards, err := c.lastCards(ctx, messages)
	next = 1
	for _, k := range cards {
		next = max(next, imap.UID(k.uid)+1)
	}
	return next, err
}

// lastCards are the cards of the last twenty mails by sequence number.
func (c *imapConn) lastCards(ctx context.Context, messages uint32) (all []card, err error) {
	if messages == 0 {
		return nil, nil
	}
	var set imap.SeqSet
	set.AddRange(max(messages, 20)-19, messages)
	err = c.within(ctx, commandTimeout, func() error {
		list, err := c.client.Fetch(set, &imap.FetchOptions{UID: true, InternalDate: true}).Collect()
		for _, m := range list {
			all = append(all, card{uid: uint32(m.UID), date: m.InternalDate.UTC()})
		}
		return err
	})
	return all, err
}
