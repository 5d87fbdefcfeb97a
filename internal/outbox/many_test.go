package outbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/pocketbase/pocketbase/core"
)

// through is a Sender that is told the mailbox and the recipient.
type through func(ctx context.Context, mailbox, to string) desk.SendResult

func (f through) Send(ctx context.Context, out desk.Outbound, rcpt desk.Address, _ func(desk.SendState) error) desk.SendResult {
	return f(ctx, out.Mailbox, rcpt.Address)
}

// many is an outbox that runs, for tests with several mails.
type many struct {
	*testing.T
	app core.App
	box *outbox.Outbox
}

func startMany(t *testing.T, f through) *many {
	t.Helper()
	app, err := boot.Bootstrap(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := desk.NewTestClock(time.Now())
	m := &many{t, app, outbox.New(app, event.New(app, clock), clock, f, noFiles{}, &limits{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = app.ResetBootstrapState()
	})
	return m
}

// enqueue puts a mail through a mailbox to n recipients into the outbox.
func (m *many) enqueue(mailbox string, n int) string {
	m.Helper()
	d := &outbox.Delivery{Kind: outbox.KindReply, Mailbox: mailbox, Subject: "x", MessageID: desk.NewToken() + "@desk.test"}
	for i := range n {
		d.To = append(d.To, desk.Address{Address: fmt.Sprintf("%d@%s.test", i, mailbox)})
	}
	m.within(func(tx core.App) error { return m.box.Enqueue(tx, d) })
	return d.ID
}

func (m *many) within(f func(tx core.App) error) {
	m.Helper()
	if err := m.app.RunInTransaction(f); err != nil {
		m.Fatal(err)
	}
}

func (m *many) wait(id string, state desk.SendState) *outbox.Delivery {
	m.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		d, err := outbox.Find(m.app, id)
		if err != nil {
			m.Fatal(err)
		}
		if d.State == state {
			return d
		}
		if time.Now().After(deadline) {
			m.Fatalf("the mail is %s, not %s: %s", d.State, state, d.Answer)
		}
	}
}

func TestADeadMailboxHoldsUpNoOther(t *testing.T) {
	var mu sync.Mutex
	hanging := map[string]int{}
	m := startMany(t, func(ctx context.Context, mailbox, _ string) desk.SendResult {
		if mailbox == "alive" {
			return desk.SendResult{State: desk.SendSent}
		}
		mu.Lock()
		hanging[mailbox]++
		mu.Unlock()
		<-ctx.Done()
		return desk.SendResult{State: desk.SendDeferred, Answer: "no answer"}
	})
	for _, dead := range []string{"a-dead", "b-dead", "z-dead"} {
		m.enqueue(dead, 150)
	}
	for range 3 {
		m.wait(m.enqueue("alive", 5), desk.SendSent)
	}
	mu.Lock()
	defer mu.Unlock()
	for mailbox, n := range hanging {
		if n > 2 {
			t.Errorf("%s tries %d at once", mailbox, n)
		}
	}
}

func TestEverybodyBehindAMailboxIsSentTo(t *testing.T) {
	var mu sync.Mutex
	sent := map[string]int{}
	m := startMany(t, func(_ context.Context, _, to string) desk.SendResult {
		mu.Lock()
		defer mu.Unlock()
		sent[to]++
		return desk.SendResult{State: desk.SendSent}
	})
	m.wait(m.enqueue("one", 120), desk.SendSent)
	mu.Lock()
	defer mu.Unlock()
	if len(sent) != 120 {
		t.Errorf("%d of 120 got it", len(sent))
	}
	for to, n := range sent {
		if n != 1 {
			t.Errorf("%s got it %d times", to, n)
		}
	}
}

func TestWhatFailedIsPutAwayUntilItFailsAgain(t *testing.T) {
	m := startMany(t, func(_ context.Context, _, to string) desk.SendResult {
		if to == "0@box.test" {
			return desk.SendResult{State: desk.SendFailed, Answer: "550 no such user"}
		}
		return desk.SendResult{State: desk.SendSent}
	})
	by := desk.Agent("agent0000000000")
	id := m.enqueue("box", 2)
	m.wait(id, desk.SendFailed)
	counts := func(want int, when string) {
		t.Helper()
		n, err := outbox.CountAttention(m.app, outbox.Scope{})
		states, err2 := outbox.Counts(m.app, outbox.Scope{})
		list, err3 := outbox.List(m.app, outbox.Filter{State: outbox.StateAttention, Limit: 9})
		if err != nil || err2 != nil || err3 != nil || n != want || states["failed"] != want || len(list) != want {
			t.Fatalf("%s: %d need a person, %v, %d listed, not %d (%v %v %v)", when, n, states, len(list), want, err, err2, err3)
		}
	}
	counts(1, "failed")
	m.within(func(tx core.App) error { return m.box.PutAway(tx, by, id) })
	m.within(func(tx core.App) error { return m.box.PutAway(tx, by, id) }) // twice is once
	counts(0, "put away")
	if away, err := outbox.List(m.app, outbox.Filter{State: outbox.StatePutAway, Limit: 9}); err != nil || len(away) != 1 || away[0].Show().PutAway == nil || away[0].State != desk.SendFailed {
		t.Errorf("put away: %+v, %v", away, err)
	}
	m.within(func(tx core.App) error { return m.box.Retry(tx, by, id) })
	m.wait(id, desk.SendFailed)
	counts(1, "failed again")
	m.within(func(tx core.App) error { return m.box.PutAway(tx, by, id) })
	m.within(func(tx core.App) error {
		d, err := outbox.Find(tx, id)
		if err != nil {
			return err
		}
		_, err = m.box.Bounced(tx, d, []string{"1@box.test"}, "550 gone")
		return err
	})
	counts(1, "the other one came back")
	sent := m.enqueue("other", 1)
	m.wait(sent, desk.SendSent)
	err := m.app.RunInTransaction(func(tx core.App) error { return m.box.PutAway(tx, by, sent) })
	if desk.CodeOf(err) != desk.Conflict {
		t.Errorf("what was sent is put away: %v", err)
	}
	if n := m.events("delivery.put_away", id); n != 2 {
		t.Errorf("%d events of putting away, not 2", n)
	}
}

func (m *many) events(kind, delivery string) (n int) {
	m.Helper()
	all, err := event.Since(m.app, 0, 1000)
	if err != nil {
		m.Fatal(err)
	}
	for _, e := range all {
		if e.Kind == kind && e.Subject == delivery {
			n++
		}
	}
	return n
}
