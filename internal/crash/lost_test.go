//go:build unix

package crash_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// TestNothingLostNothingDoubled is the promise of the house: while the desk is
// killed time and again, every mail it took is one message in one ticket, and
// every reply it acknowledged is accepted once by the server, or shown as
// possibly sent.
func TestNothingLostNothingDoubled(t *testing.T) {
	t.Parallel()
	s := size{mails: 500, replies: 100, kills: 15, length: 32 * time.Second}
	switch {
	case *full:
		s = size{mails: 2000, replies: 500, kills: 40, length: 2 * time.Minute}
	case testing.Short():
		s = size{mails: 120, replies: 30, kills: 5, length: 9 * time.Second}
	}
	w := newWorld(t, s)
	old := fillBefore(t, w.box)
	w.box.Create(t, archive)
	w.d = setUp(t, options{sink: w.sink, imap: w.box})
	w.killer = newKiller(w.d, w.rand(1), s.kills, s.length*4/5/time.Duration(s.kills))
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan struct{})
	go func() { defer close(kept); w.d.keep(ctx, w.rand(3)) }()
	defer cancel()
	if _, _, err := w.d.where(); err != nil {
		t.Fatal(err)
	}
	w.d.signIn()

	w.live()
	w.quiet()
	found := w.collect()
	w.checkMails(found)
	w.checkAnswers(found)
	w.checkLedger(found)
	w.checkReplies(found)
	if n := w.box.Unseen(t); n != old+w.appended()-int(w.moved.Load()) {
		t.Errorf("%d mails in the inbox are unread, not %d less %d that were moved: the desk must not mark any", n, old+w.appended(), w.moved.Load())
	}
	w.checkCommands()

	cancel()
	if code, took := w.d.process.terminate(12 * time.Second); code != 0 || took > 10*time.Second {
		t.Errorf("SIGTERM: exit %d after %s", code, took)
	}
	<-kept
	checkDatabase(t, w.d.o.dir)
	w.checkPairing()
	t.Log(w.report(found))
}

func newWorld(t *testing.T, s size) *world {
	return &world{
		t: t, size: s, sink: smtptest.New(t, smtptest.Options{}), box: imaptest.New(t, imaptest.Options{}),
		letters: map[string]*letter{}, accepted: map[string]string{}, replies: map[string]*reply{},
	}
}

// fillBefore puts mails into the mailbox that came before it was connected and
// must never become tickets.
func fillBefore(t *testing.T, box *imaptest.Server) int {
	for i := range 3 {
		box.AppendAt(t, fmt.Sprintf("From: old%d@customers.test\r\nTo: %s\r\nSubject: from before\r\n\r\nlong answered\r\n", i, address), time.Now().Add(-2*time.Hour))
	}
	return 3
}

// quiet waits until nothing is on its way any more; what a server refused for
// now is tried again, as an agent would press.
func (w *world) quiet() {
	w.t.Helper()
	if err := w.d.ended; err != nil {
		w.t.Fatal(err)
	}
	calm, last := 0, -1
	w.d.eventually("everything has come to rest", time.Minute, func() bool {
		var deferred struct{ Items []struct{ ID string } }
		w.d.get("/api/desk/outbox?state=deferred", &deferred)
		for _, d := range deferred.Items {
			w.d.call("POST", "/api/desk/outbox/"+d.ID+"/retry", map[string]any{}, 200, nil)
		}
		var h struct {
			Intake struct{ Oldest *string }
			Outbox struct{ Waiting int }
		}
		w.d.get("/api/desk/health", &h)
		rows := len(w.ledger())
		if h.Intake.Oldest != nil || h.Outbox.Waiting > 0 || rows != last || rows < len(w.accepted) {
			calm, last = 0, rows
			return false
		}
		calm++
		return calm >= 12
	})
}

// appended is how many mails were put into the mailbox since it was connected.
func (w *world) appended() int { return w.size.mails / 2 }

// report tells what the test did.
func (w *world) report(found *found) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	answers, files := 0, 0
	for _, l := range w.letters {
		files += len(l.files)
		if l.answer != nil {
			answers++
		}
	}
	states := map[string]int{}
	for _, m := range found.messages {
		if m.Delivery != nil {
			states[m.Delivery.State]++
		}
	}
	var slowest, total time.Duration
	for _, s := range w.d.starts {
		slowest, total = max(slowest, s), total+s
	}
	ledger := map[string]int{}
	for _, row := range found.ledger {
		ledger[row.State]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d mails (%d answers to replies, %d files), brought %d times by SMTP and %d by IMAP, %d of them moved away by another client, UIDVALIDITY changed %d times, %d IMAP connections\n",
		w.size.mails, answers, files, w.offers.Load(), w.appended(), w.moved.Load(), w.renews.Load(), w.box.Connections())
	fmt.Fprintf(&b, "%d tickets, ledger %v\n", len(found.tickets), ledger)
	fmt.Fprintf(&b, "%d replies, the sink took %d mails, deliveries %v\n", len(w.replies), len(w.sink.Mails()), states)
	fmt.Fprintf(&b, "killed %d times: %s\n", w.d.kills, w.killer.report())
	fmt.Fprintf(&b, "%d starts, ready after %s on average and %s at most\n", len(w.d.starts), (total / time.Duration(len(w.d.starts))).Round(time.Millisecond), slowest.Round(time.Millisecond))
	fmt.Fprintf(&b, "seed %d, all of it in %s", *seed, time.Since(w.begun).Round(100*time.Millisecond))
	return b.String()
}
