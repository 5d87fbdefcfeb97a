package email

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// timing is how patient the service is; tests are less so.
type timing struct {
	other time.Duration // between two looks into the folders beside the inbox
	idle  time.Duration // longest time between two looks while IDLE runs; RFC 2177 wants it begun anew within 29 minutes
	poll  time.Duration // between two looks at a server without IDLE
	retry time.Duration // before the first new try, doubled up to most
	most  time.Duration // under a minute: mail comes in within one once what was wrong is mended
	probe time.Duration // how long a test mail may take to arrive
}

var usualTiming = timing{other: 15 * time.Second, idle: 2 * time.Minute, poll: 30 * time.Second, retry: time.Second, most: 50 * time.Second, probe: 20 * time.Second}

const (
	firstPause = time.Second
	justNow    = time.Minute
	// After so many tries, each over a new connection, a mail that breaks the
	// dialogue is taken in as its header, and at last as a note that it is
	// there; the mails behind it must not wait for ever. The original stays.
	triesForHeader = 10
	triesForNote   = 14
)

// fetcher keeps one mailbox's folder read.
type fetcher struct {
	service *Service
	box     Mailbox

	careful  bool // a batch failed: one mail at a time
	tries    map[uint32]int
	quiet    time.Duration // how long the next IDLE may last; see pause
	noDates  bool          // INTERNALDATE breaks the dialogue: do without
	progress bool          // something worked since the last failure

	places     []place // folders beside the inbox
	looked     bool    // places is known
	missing    string  // a folder that was chosen and is not there, "" for none
	nextOthers time.Time

	found     bool   // the last look found mail
	uidNext   uint32 // of the inbox as it was opened last
	searched  uint32 // below this UID what is not in the inbox was searched elsewhere
	moved     bool   // mails of the inbox were moved away before they were read
	movedFrom folder // where the inbox was read to then
}

// run fetches until ctx ends, over a new connection whenever one breaks.
func (r *fetcher) run(ctx context.Context) {
	if r.box.locked {
		r.service.setState(r.box.ID, StateFailing, lockedText)
		return // a new password starts another fetcher
	}
	r.tries = map[uint32]int{}
	r.service.setState(r.box.ID, StateConnecting, "")
	for failures := 0; ; {
		r.progress = false
		err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if r.progress {
			failures = 0
		}
		failures++
		r.report(err, failures)
		if desk.Sleep(ctx, r.service.clock, r.service.clock.Now().Add(r.delay(failures)), nil) != nil {
			return
		}
	}
}

const lockedText = "The password can't be read any more because the desk's key has changed. Enter it again."

// delay doubles up to most and is spread, so that many mailboxes at one
// server do not come back all at once.
func (r *fetcher) delay(failures int) time.Duration {
	d := r.service.timing.retry << min(failures-1, 16)
	d = min(d, r.service.timing.most)
	return d/2 + rand.N(d/2+1)
}

// report shows a failure. A connection that broke once after it worked is
// nothing to tell: servers do that.
func (r *fetcher) report(err error, failures int) {
	var own *ledgerError
	text := ""
	switch {
	case errors.As(err, &own):
		text = own.sentence()
	case failures == 1 && r.progress && !errors.Is(err, errSignIn):
		return
	default:
		text, _ = explain(err, *r.box.IMAP, "imap")
	}
	r.service.logger.Warn("mailbox not fetched", "mailbox", r.box.ID, "failures", failures, "error", err)
	r.service.setState(r.box.ID, StateFailing, text)
}

// ledgerError is a problem on our side: the mail stays at its server.
type ledgerError struct{ err error }

func (e *ledgerError) Error() string { return "store mail: " + e.err.Error() }
func (e *ledgerError) Unwrap() error { return e.err }

func (e *ledgerError) sentence() string {
	var own *desk.Error
	if errors.As(e.err, &own) {
		return own.Text
	}
	return "The desk can't store mail right now; it waits at its server until the desk can."
}

// session is the life of one connection; it ends with an error.
func (r *fetcher) session(ctx context.Context) error {
	c, err := r.service.dialer.openIMAP(ctx, *r.box.IMAP)
	if err != nil {
		return err
	}
	defer c.close()
	r.quiet, r.looked, r.missing, r.searched = 0, false, "", 0
	for {
		f, err := r.openInbox(ctx, c)
		if err != nil {
			return err
		}
		moved, woken := false, false
		for !moved {
			if err := r.takeAll(ctx, c, &f, place{name: inbox}); err != nil {
				return err
			}
			r.progress = true
			if woken && !r.found {
				break // told of news, and there is none: it may have been moved away already
			}
			if moved, err = r.elsewhere(ctx, c); err != nil {
				return err
			}
			r.showState()
			if moved {
				break
			}
			told, err := c.wait(ctx, r.pause(), r.service.timing.poll)
			if err != nil {
				return err
			}
			woken = told
		}
	}
}

// elsewhere looks into other folders than the inbox where there is reason to;
// opened tells whether it opened one.
func (r *fetcher) elsewhere(ctx context.Context, c *imapConn) (opened bool, err error) {
	if r.moved {
		r.moved, opened = false, true
		if err := r.findMoved(ctx, c, r.movedFrom); err != nil {
			return opened, err
		}
	}
	others, err := r.others(ctx, c)
	return opened || others, err
}

func (r *fetcher) openInbox(ctx context.Context, c *imapConn) (folder, error) {
	sel, err := c.open(ctx, inbox)
	if err != nil {
		return folder{}, err
	}
	f, err := r.resume(ctx, c, sel, inbox)
	r.uidNext = uint32(sel.UIDNext)
	return f, err
}

func (r *fetcher) showState() {
	state := StateOK
	if r.problem() != "" {
		state = StateFailing
	}
	r.service.setState(r.box.ID, state, r.problem())
}

// pause is how long to trust IDLE before looking again. Some servers tell
// nothing of a mail that came just before IDLE began, so it is short at first
// and after each mail, and doubles while nothing comes.
func (r *fetcher) pause() time.Duration {
	r.quiet = min(max(2*r.quiet, firstPause), r.service.timing.idle)
	if len(r.places) > 0 {
		return min(r.quiet, r.service.timing.other)
	}
	return r.quiet
}

// takeAll takes in what waits from the position on.
func (r *fetcher) takeAll(ctx context.Context, c *imapConn, f *folder, p place) error {
	cards, err := c.waiting(ctx, *f, !r.noDates)
	if err != nil {
		r.noDates = r.noDates || strings.Contains(err.Error(), "date-time") // go-imap's word for a date it can't read
		return err
	}
	r.found = len(cards) > 0
	if p.name == inbox && r.gap(*f, cards) {
		return nil // what is here is taken in after the search
	}
	for len(cards) > 0 {
		n := r.batch(cards)
		if err := r.take(ctx, c, f, p, cards[:n]); err != nil {
			return err
		}
		r.progress = true
		cards = cards[n:]
	}
	r.careful = false
	if r.found {
		r.quiet, r.nextOthers = 0, time.Time{}
	}
	end := f.until
	if p.name == inbox {
		end = max(end, r.uidNext)
	}
	if f.next < end {
		f.next = end
		return saveFolder(r.service.app, r.box.ID, *f)
	}
	return nil
}

// batch is how many of the cards are fetched and stored at once.
func (r *fetcher) batch(cards []card) int {
	if r.careful {
		return 1
	}
	bytes := int64(0)
	for i, k := range cards[:min(len(cards), maxBatch)] {
		if k.size <= r.service.options.MaxSize {
			bytes += k.size
		}
		if i > 0 && bytes > maxBatchBytes {
			return i
		}
	}
	return min(len(cards), maxBatch)
}

// take fetches a batch, hands it to the ledger in one call and moves the
// position on once it is durable there.
func (r *fetcher) take(ctx context.Context, c *imapConn, f *folder, p place, cards []card) error {
	wanted := cards
	if p.sent {
		var err error
		if wanted, err = r.related(ctx, c, cards); err != nil {
			return err
		}
	}
	mails, err := r.read(ctx, c, wanted)
	if err != nil {
		return err
	}
	var in []desk.Inbound
	for _, k := range wanted {
		if m, ok := mails[k.uid]; ok {
			one := r.inbound(*f, k, m)
			one.Sent = p.sent
			in = append(in, one)
		}
	}
	if len(in) > 0 {
		if err := r.service.ledger.Store(ctx, in...); err != nil {
			return &ledgerError{err}
		}
	}
	now := r.service.clock.Now()
	f.next = r.upTo(p, cards, mails)
	for _, k := range cards {
		if k.date.After(f.last) && !k.date.After(now.Add(24*time.Hour)) {
			f.last = k.date
		}
	}
	if len(in) > 0 {
		f.lastMail = now
	}
	clear(r.tries)
	return saveFolder(r.service.app, r.box.ID, *f)
}

// upTo is the position after a batch. A mail of the inbox that was moved away
// between the look and the fetch stops it: the next look finds the gap.
func (r *fetcher) upTo(p place, cards []card, mails map[uint32]fetched) uint32 {
	for _, k := range cards {
		if _, ok := mails[k.uid]; !ok && p.name == inbox && r.searches() && k.uid >= r.searched {
			return k.uid
		}
	}
	return cards[len(cards)-1].uid + 1
}

// read fetches a batch and keeps count of what can't be fetched.
func (r *fetcher) read(ctx context.Context, c *imapConn, cards []card) (map[uint32]fetched, error) {
	if len(cards) == 0 {
		return nil, nil
	}
	uid := cards[0].uid
	tries := r.tries[uid]
	if len(cards) == 1 && tries >= triesForNote {
		return map[uint32]fetched{uid: {raw: []byte(noteHeader), size: cards[0].size, tooLarge: true}}, nil
	}
	mails, err := c.fetch(ctx, cards, r.service.options.MaxSize, tries >= triesForHeader)
	if err != nil && ctx.Err() == nil {
		r.careful = true
		if len(cards) == 1 {
			r.tries[uid]++
		}
	}
	return mails, err
}

// noteHeader stands for a mail that its server never gave out.
const noteHeader = "Subject: A mail that could not be fetched\r\nX-Deskbell-Note: the server lists this mail but breaks off when it is read\r\n\r\n"

// source names a mail of the folder; it reaches the database and stays as it is.
func (f folder) source(uid uint32) string {
	generation := ""
	if f.generation > 0 {
		generation = fmt.Sprintf(".%d", f.generation)
	}
	return fmt.Sprintf("%s/%d%s/%d", f.name, f.validity, generation, uid)
}

func (r *fetcher) inbound(f folder, k card, m fetched) desk.Inbound {
	in := desk.Inbound{
		Channel:  desk.ChannelEmail,
		Mailbox:  r.box.ID,
		SourceID: f.source(k.uid),
		Raw:      m.raw,
		Received: r.received(f, k.date),
		TooLarge: m.tooLarge,
		Backfill: r.older(f, k.date),
		Old:      k.uid < f.until && !f.first.IsZero() && !k.date.After(f.first), // without a date nobody can tell
	}
	if m.tooLarge {
		in.Size = m.size
	}
	return in
}

// older reports whether a mail was there before the mailbox was connected and
// was asked for.
func (r *fetcher) older(f folder, date time.Time) bool {
	return !f.backfilled.IsZero() && !date.IsZero() && date.Before(r.box.Since.Truncate(time.Second))
}

// received is when the mail reached its server, if that can be believed and is
// news: INTERNALDATE knows whole seconds, so a mail of just now gets the zero
// time, which leaves it to the ledger and keeps the order of what happens.
func (r *fetcher) received(f folder, date time.Time) time.Time {
	now := r.service.clock.Now()
	if r.older(f, date) {
		return date
	}
	if !r.service.trustsDates() || date.Before(r.box.Since.Truncate(time.Second)) || date.After(now.Add(-justNow)) {
		return time.Time{}
	}
	return date
}
