package email

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-imap/v2"
)

const (
	reconcileBack  = 7 * 24 * time.Hour // how far back server and ledger are compared
	reconcileSlack = 2 * time.Minute    // by which a server's clock may be off
)

// Gap is mail that was at its server and not in the ledger.
type Gap struct {
	Mailbox string // id
	Mails   int
	At      time.Time // when it was noticed
}

// Reconcile compares for every fetched mailbox what its server has with what
// the ledger has, takes in what is missing and keeps it as a Gap. It errs when a
// mailbox could not be compared; the others are.
func (s *Service) Reconcile(ctx context.Context) error {
	all, err := s.mailboxes.All(s.app)
	if err != nil {
		return err
	}
	var failed []error
	for _, box := range all {
		if box.IMAP == nil || box.locked || box.Kind == KindSandbox || !s.trustsDates() {
			continue
		}
		n, err := s.reconcile(ctx, box)
		if err != nil {
			text, _ := explain(err, *box.IMAP, "imap")
			failed = append(failed, desk.Errorf(desk.Refused, "%s could not be compared: %s", box.Address, text))
		}
		if n > 0 {
			if err := s.noteGap(box, n); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

func (s *Service) noteGap(box Mailbox, n int) error {
	s.logger.Error("mail was missing from the ledger", "mailbox", box.ID, "mails", n)
	s.mu.Lock()
	s.gaps[box.ID] = Gap{Mailbox: box.ID, Mails: n, At: s.clock.Now()}
	s.mu.Unlock()
	_, err := s.mailboxes.log.Append(s.app, desk.Event{Kind: "mailbox.gap", Subject: box.ID, Actor: desk.System("email"), New: fmt.Sprint(n)})
	return err
}

// Gaps are the gaps noticed within the last day, by mailbox.
func (s *Service) Gaps() []Gap {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Gap
	for id, g := range s.gaps {
		if s.clock.Now().Sub(g.At) > 24*time.Hour {
			delete(s.gaps, id)
			continue
		}
		out = append(out, g)
	}
	return out
}

// reconcile returns how many mails of a mailbox it had to take in.
func (s *Service) reconcile(ctx context.Context, box Mailbox) (n int, err error) {
	c, err := s.dialer.openIMAP(ctx, *box.IMAP)
	if err != nil {
		return 0, err
	}
	defer c.close()
	r := &fetcher{service: s, box: box, tries: map[uint32]int{}}
	for _, name := range append([]string{inbox}, box.Folders...) {
		some, err := r.fillGap(ctx, c, name)
		n += some
		if err != nil && !errors.Is(err, errFolderGone) { // which the mailbox's state tells already
			return n, err
		}
	}
	return n, nil
}

// fillGap takes in what a folder has below its position and the ledger has not.
func (r *fetcher) fillGap(ctx context.Context, c *imapConn, name string) (int, error) {
	f, err := loadFolder(r.service.app, r.box.ID, name)
	if err != nil || f.next <= 1 {
		return 0, err
	}
	sel, err := c.open(ctx, name)
	if err != nil {
		return 0, gone(err)
	}
	if sel.UIDValidity != f.validity || f.until > f.next {
		return 0, nil // numbered anew, or still being read: the fetcher is at it
	}
	lost, err := r.lost(ctx, c, f)
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	mails, err := c.fetch(ctx, lost, r.service.options.MaxSize, false)
	if err != nil {
		return 0, err
	}
	var in []desk.Inbound
	for _, k := range lost {
		if m, ok := mails[k.uid]; ok {
			in = append(in, r.inbound(f, k, m))
		}
	}
	if err := r.service.ledger.Store(ctx, in...); err != nil {
		return 0, &ledgerError{err}
	}
	return len(in), nil
}

// lost lists at most a batch of mails that came after the connection and are
// not in the ledger.
func (r *fetcher) lost(ctx context.Context, c *imapConn, f folder) ([]card, error) {
	since := r.box.Since.Add(reconcileSlack)
	if back := r.service.clock.Now().Add(-reconcileBack); back.After(since) {
		since = back
	}
	uids, err := c.searchSince(ctx, 1, f.next-1, since)
	if err != nil || len(uids) == 0 {
		return nil, err
	}
	ids, at := make([]string, len(uids)), map[string]imap.UID{}
	for i, uid := range uids {
		ids[i] = f.source(uint32(uid))
		at[ids[i]] = uid
	}
	missing, err := r.service.ledger.Missing(r.box.ID, ids)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	var set imap.UIDSet
	for _, id := range missing[:min(len(missing), maxBatch)] {
		set.AddNum(at[id])
	}
	cards, err := c.cards(ctx, set, true)
	var out []card
	for _, k := range cards {
		if !k.date.IsZero() && k.date.After(since) {
			out = append(out, k)
		}
	}
	return out, err
}
