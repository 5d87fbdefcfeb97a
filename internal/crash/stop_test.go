//go:build unix

package crash_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// TestStopInTraffic holds that SIGTERM ends the desk with 0 within ten seconds
// while mail comes in both ways and replies are on their way out, and that
// nothing of it is lost or doubled.
func TestStopInTraffic(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(){
		"slow server":   func() { time.Sleep(1500 * time.Millisecond) },
		"silent server": func() { time.Sleep(40 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopInTraffic(t, slow)
		})
	}
}

func stopInTraffic(t *testing.T, slow func()) {
	ended := make(chan struct{})
	w := newWorld(t, size{})
	w.sink.SetScript(func(step, _ string) string {
		if step == smtptest.Body {
			wait := make(chan struct{})
			go func() { defer close(wait); slow() }()
			select {
			case <-wait:
			case <-ended:
			}
		}
		return ""
	})
	w.d = setUp(t, options{sink: w.sink, imap: w.box})
	w.killer = &killer{d: w.d}
	w.d.start()
	r := w.rand(1)
	stopFeeding := feed(w, w.rand(2))
	w.d.eventually("there are tickets", 20*time.Second, func() bool { return len(pages[struct{ Number int64 }](w.d, "/api/desk/tickets?")) > 10 })
	for i := range 8 {
		w.answer(r, 2*i) // no undo: they are on their way
	}
	time.Sleep(500 * time.Millisecond)
	code, took := w.d.process.terminate(15 * time.Second)
	close(ended)
	if code != 0 || took > 10*time.Second {
		t.Errorf("SIGTERM: exit %d after %s: %s", code, took, w.d.process.out.String())
	}
	t.Logf("stopped within %s", took.Round(time.Millisecond))
	w.d.down()
	w.sink.SetScript(nil)
	w.d.start()
	stopFeeding()
	w.size = size{mails: len(w.letters), replies: 8, kills: 4}
	w.quiet()
	f := w.collect()
	w.checkMails(f)
	w.checkLedger(f)
	w.checkReplies(f)
}

// feed brings mail both ways until the function it answers is called.
func feed(w *world, r *rand.Rand) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	letters := make(chan *letter)
	for i := range 4 {
		all.Go(func() { w.courier(letters, w.rand(10+uint64(i))) })
	}
	all.Go(func() {
		defer close(letters)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			l := w.write(rand.New(rand.NewPCG(uint64(i), r.Uint64())), i)
			if i%2 == 0 {
				letters <- l
			} else {
				w.appendMail(l, l.raw, false)
			}
		}
	})
	return func() { close(done); all.Wait() }
}
