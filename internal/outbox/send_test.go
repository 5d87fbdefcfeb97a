package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// send is a Sender made of a function.
type send func(stage func(desk.SendState) error) desk.SendResult

func (f send) Send(_ context.Context, _ desk.Outbound, _ desk.Address, stage func(desk.SendState) error) desk.SendResult {
	return f(stage)
}

type noFiles struct{}

func (noFiles) Attachments([]string) ([]desk.Attachment, error) { return nil, nil }

// limits count how often they are asked, once in every look at an automatic mail.
type limits struct{ asked atomic.Int64 }

func (l *limits) AutoPerMinute() int { return 100 }
func (l *limits) AutoPaused() bool   { l.asked.Add(1); return false }

// kit is an outbox that runs with one mail in it.
type kit struct {
	t      *testing.T
	app    core.App
	clock  *desk.TestClock
	limits limits
	outbox *outbox.Outbox
	id     string
}

func start(t *testing.T, f send, before ...string) *kit {
	t.Helper()
	app, err := boot.Bootstrap(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{t: t, app: app, clock: desk.NewTestClock(time.Now())}
	o := outbox.New(app, event.New(app, k.clock), k.clock, f, noFiles{}, &k.limits)
	k.outbox = o
	for _, query := range before {
		k.exec(query)
	}
	d := &outbox.Delivery{Kind: outbox.KindAuto, Auto: true, Mailbox: "box", Subject: "x", MessageID: "x@desk.test", To: []desk.Address{{Address: "a@a.test"}}}
	if err := app.RunInTransaction(func(tx core.App) error { return o.Enqueue(tx, d) }); err != nil {
		t.Fatal(err)
	}
	k.id = d.ID
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = app.ResetBootstrapState()
	})
	return k
}

func (k *kit) exec(query string) {
	k.t.Helper()
	if err := sqlite.Exec(k.app, query); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kit) wait(state desk.SendState) *outbox.Delivery {
	k.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		d, err := outbox.Find(k.app, k.id)
		if err != nil {
			k.t.Fatal(err)
		}
		if d.State == state {
			return d
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("the mail is %s, not %s: %s", d.State, state, d.Answer)
		}
	}
}

// noRoom makes every write of a recipient in one state fail as on a full disk.
func noRoom(state desk.SendState) string {
	return "CREATE TRIGGER no_room BEFORE UPDATE ON delivery_recipients WHEN new.state = '" + string(state) + "' BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
}

func TestAMailSentOnAFullDiskIsSentOnceThereIsRoom(t *testing.T) {
	var sent atomic.Int64
	k := start(t, func(stage func(desk.SendState) error) desk.SendResult {
		if err := stage(desk.SendData); err != nil {
			t.Error(err)
		}
		sent.Add(1)
		return desk.SendResult{State: desk.SendSent, Answer: "250 ok"}
	}, noRoom(desk.SendSent))
	k.wait(desk.SendSending)
	for sent.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	k.clock.Advance(6 * time.Second) // still no room
	time.Sleep(100 * time.Millisecond)
	k.exec("DROP TRIGGER no_room")
	k.clock.Advance(6 * time.Second)
	if d := k.wait(desk.SendSent); d.Answer != "250 ok" || sent.Load() != 1 {
		t.Errorf("%q after %d mails", d.Answer, sent.Load())
	}
}

func TestAMailThatCantBeClaimedIsNotTriedInAHurry(t *testing.T) {
	var sent atomic.Int64
	k := start(t, func(stage func(desk.SendState) error) desk.SendResult {
		sent.Add(1)
		return desk.SendResult{State: desk.SendSent}
	}, noRoom(desk.SendSending))
	time.Sleep(500 * time.Millisecond)
	if n := k.limits.asked.Load(); n == 0 || n > 3 || sent.Load() != 0 {
		t.Errorf("looked at %d times in half a second, sent %d times", n, sent.Load())
	}
	k.exec("DROP TRIGGER no_room")
	k.clock.Advance(6 * time.Second)
	k.wait(desk.SendSent)
}

func TestASenderThatPanicsIsAnError(t *testing.T) {
	for _, c := range []struct {
		at   desk.SendState
		want desk.SendState
	}{{desk.SendSending, desk.SendDeferred}, {desk.SendData, desk.SendUncertain}} {
		k := start(t, func(stage func(desk.SendState) error) desk.SendResult {
			if c.at == desk.SendData {
				_ = stage(desk.SendData)
			}
			panic("of a library")
		})
		k.wait(c.want)
	}
}
