package intake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/intake"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// broken are mailboxes of which one breaks what is entered through it.
type broken struct {
	*email.Mailboxes
	asked atomic.Int64
	fails atomic.Pointer[func() error] // nil = nothing is broken
}

func (b *broken) TeamOf(app core.App, mailbox string) (string, error) {
	if mailbox != "broken" {
		return b.Mailboxes.TeamOf(app, mailbox)
	}
	b.asked.Add(1)
	if f := b.fails.Load(); f != nil {
		return "", (*f)()
	}
	return "", nil
}

func (b *broken) breakBy(f func() error) { b.fails.Store(&f) }

// kit is an intake of its own that runs over a desk that does not.
type kit struct {
	*testing.T
	*boot.Desk
	clock *desk.TestClock
	boxes *broken
	in    *intake.Intake
	stop  func()
}

func start(t *testing.T) *kit {
	t.Helper()
	clock := desk.NewTestClock(time.Now())
	d, err := boot.Open(boot.Options{Dir: t.TempDir() + "/data", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	_, err = d.Setup.Do(t.Context(), setup.Input{Company: "Intake", Address: "support@desk.test", Owner: setup.Owner{Name: "Owner", Email: "owner@people.test", Password: "correct horse battery"}})
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{T: t, Desk: d, clock: clock, boxes: &broken{Mailboxes: d.Mailboxes}}
	k.in = intake.New(intake.Deps{
		App: d.App, Log: d.Log, Clock: clock, Ledger: d.Ledger, Files: d.Files, Tickets: d.Tickets,
		Tokens: ticket.Tokens{Signer: d.Secrets}, Outbox: d.Outbox, Mailboxes: k.boxes,
	})
	k.run()
	t.Cleanup(func() { k.stop() })
	return k
}

// run starts ledger and intake.
func (k *kit) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- k.Ledger.Run(ctx) }()
	go func() { ended <- k.in.Run(ctx) }()
	k.stop = func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				k.Error(err)
			}
		}
		k.stop = func() {}
	}
}

// store puts a mail with a file into the ledger and returns its entry's id.
func (k *kit) store(mailbox, subject string) string {
	k.Helper()
	raw := "From: Maren <maren@shop.test>\r\nSubject: " + subject + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\n" + subject + "\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--b--\r\n"
	if err := k.Ledger.Store(k.Context(), desk.Inbound{Channel: desk.ChannelEmail, Mailbox: mailbox, Raw: []byte(raw)}); err != nil {
		k.Fatal(err)
	}
	all, err := file.Entries(k.App, 0, 1)
	if err != nil {
		k.Fatal(err)
	}
	return all[0].ID
}

func (k *kit) entry(id string) *file.Entry {
	k.Helper()
	e, err := file.FindEntry(k.App, id)
	if err != nil {
		k.Fatal(err)
	}
	return e
}

func (k *kit) until(what string, f func() bool) {
	k.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.Fatalf("not within 10 s: %s", what)
		}
	}
}

// folders is how many files lie on disk.
func (k *kit) folders() int {
	k.Helper()
	c, err := k.App.FindCollectionByNameOrId("files")
	if err != nil {
		k.Fatal(err)
	}
	all, err := os.ReadDir(filepath.Join(k.App.DataDir(), "storage", c.Id))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		k.Fatal(err)
	}
	return len(all)
}

var ways = map[string]func() error{
	"an error": func() error { return errors.New("out of order") },
	"a panic":  func() error { panic("out of order") },
}

func TestAMailThatCantBeEnteredPausesLongerAndLonger(t *testing.T) {
	for name, f := range ways {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.boxes.breakBy(f)
			bad := k.store("broken", "Breaks")
			good := k.store("", "Goes on")
			k.until("the other mail is entered", func() bool { return k.entry(good).State == file.StateDone })
			for tries, pause := range []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute} {
				k.until(fmt.Sprintf("try %d", tries+1), func() bool { return k.entry(bad).Tries == tries+1 })
				asked := k.boxes.asked.Load()
				k.clock.Advance(pause / 2)
				time.Sleep(50 * time.Millisecond)
				if e := k.entry(bad); e.State != file.StateStored || k.boxes.asked.Load() != asked {
					t.Fatalf("looked at again within half of %s: %s", pause, e.State)
				}
				k.clock.Advance(pause/2 + time.Second)
			}
			k.until("quarantined", func() bool { return k.entry(bad).State == file.StateQuarantined })
			e := k.entry(bad)
			if e.Reason != intake.ReasonError || e.Sender != (desk.Address{Name: "Maren", Address: "maren@shop.test"}) || e.Subject != "Breaks" || e.Tries != 4 {
				t.Errorf("in quarantine: %+v", e)
			}
			if n := k.folders(); n != 1 {
				t.Errorf("%d files on disk, of which the entered mail has 1", n)
			}
		})
	}
}

func TestAMailThatIsEnteredAtASecondTryIsThereOnce(t *testing.T) {
	k := start(t)
	k.boxes.breakBy(ways["an error"])
	id := k.store("broken", "Second try")
	k.until("a first try", func() bool { return k.entry(id).Tries == 1 })
	k.boxes.fails.Store(nil)
	k.clock.Advance(6 * time.Second)
	k.until("entered", func() bool { return k.entry(id).State == file.StateDone })
	if n := k.folders(); n != 1 {
		t.Errorf("%d files on disk", n)
	}
}

func TestTryAgainLeavesInQuarantineWhatStillFails(t *testing.T) {
	for name, f := range ways {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			id := k.store("broken", "Own address")
			k.stop()
			if err := sqlite.Exec(k.App, "UPDATE ledger SET state = 'quarantined', reason = 'own_address', content_key = ''"); err != nil {
				t.Fatal(err)
			}
			for _, query := range []string{"DELETE FROM messages", "DELETE FROM files"} { // it was never entered
				if err := sqlite.Exec(k.App, query); err != nil {
					t.Fatal(err)
				}
			}
			k.boxes.breakBy(f)
			by := desk.Agent("owner0000000000")
			err := k.in.Retry(by, id)
			if desk.CodeOf(err) != desk.Refused || strings.Contains(err.Error(), "out of order") {
				t.Errorf("still fails: %v", err)
			}
			if e := k.entry(id); e.State != file.StateQuarantined || e.Reason != intake.ReasonError || e.Tries != 1 || e.Sender.Address != "maren@shop.test" {
				t.Errorf("after that: %+v", e)
			}
			k.boxes.fails.Store(nil)
			if err := k.in.Retry(by, id); err != nil {
				t.Fatal(err)
			}
			if e := k.entry(id); e.State != file.StateDone || e.Message == "" {
				t.Errorf("then: %+v", e)
			}
			if err := k.in.Retry(by, id); desk.CodeOf(err) != desk.NotFound {
				t.Errorf("once more: %v", err)
			}
			if n := k.count("mail.quarantined", id); n != 1 {
				t.Errorf("%d events of what still fails", n)
			}
		})
	}
}

func (k *kit) count(kind, subject string) (n int) {
	k.Helper()
	all, err := event.Since(k.App, 0, 1000)
	if err != nil {
		k.Fatal(err)
	}
	for _, e := range all {
		if e.Kind == kind && e.Subject == subject {
			n++
		}
	}
	return n
}

func TestWhatWasQuarantinedBeforeGetsItsSender(t *testing.T) {
	k := start(t)
	id := k.store("", "Old one")
	k.until("entered", func() bool { return k.entry(id).State == file.StateDone })
	k.stop()
	if err := sqlite.Exec(k.App, "UPDATE ledger SET state = 'quarantined', sender = NULL, subject = NULL"); err != nil {
		t.Fatal(err)
	}
	k.run()
	k.until("described", func() bool {
		e := k.entry(id)
		return e.Sender.Address == "maren@shop.test" && e.Subject == "Old one"
	})
}
