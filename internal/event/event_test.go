package event_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
)

func open(t *testing.T) (*core.BaseApp, *event.Log) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error { return nil })
		_ = app.ResetBootstrapState()
	})
	return app, event.New(app, desk.SystemClock{})
}

func sampleEvents() []desk.Event {
	return []desk.Event{
		{Kind: "ticket.opened", Ticket: "t1", Actor: desk.Customer("c1"), New: "new"},
		{Kind: "ticket.renamed", Ticket: "t1", Actor: desk.Agent("a1"), Detail: map[string]any{"old": "Hello", "new": "Invoice of Maren"}},
		{Kind: "ticket.solved", Ticket: "t1", Actor: desk.Agent("a1"), Old: "new", New: "solved"},
	}
}

func TestTheChainHoldsWhenADetailIsErasedAndBreaksWhenARowIsForged(t *testing.T) {
	t.Parallel()
	app, log := open(t)
	if _, err := log.Append(app, sampleEvents()...); err != nil {
		t.Fatal(err)
	}
	verify(t, app, 0)
	if err := sqlite.Exec(app, "DELETE FROM event_details WHERE seq = 2"); err != nil {
		t.Fatal(err)
	}
	verify(t, app, 0)
	events, err := event.OfTicket(app, "t1")
	if err != nil || len(events) != 3 || events[1].Detail != nil {
		t.Fatalf("after erasing a detail: %v, %+v", err, events)
	}
	for _, forge := range []string{"UPDATE events SET new = 'open' WHERE seq = 3", "DELETE FROM events WHERE seq = 2"} {
		if err := sqlite.Exec(app, forge); err == nil {
			t.Errorf("%s was let through", forge)
		}
	}
	for _, script := range []string{"DROP TRIGGER events_no_update", "UPDATE events SET new = 'open' WHERE seq = 3"} {
		if err := sqlite.Exec(app, script); err != nil {
			t.Fatal(err)
		}
	}
	verify(t, app, 3)
}

func TestAForgedDetailIsFound(t *testing.T) {
	t.Parallel()
	app, log := open(t)
	if _, err := log.Append(app, sampleEvents()...); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Exec(app, "UPDATE event_details SET json = replace(json, 'Maren', 'Jonas')"); err != nil {
		t.Fatal(err)
	}
	verify(t, app, 2)
}

func verify(t *testing.T, app core.App, want int64) {
	t.Helper()
	if bad, err := event.Verify(app); err != nil || bad != want {
		t.Errorf("the chain breaks at %d (%v), not %d", bad, err, want)
	}
}

func TestARolledBackEventNeverWas(t *testing.T) {
	t.Parallel()
	app, log := open(t)
	wake := log.Wake()
	boom := errors.New("boom")
	err := app.RunInTransaction(func(tx core.App) error {
		if _, err := log.Append(tx, sampleEvents()...); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	select {
	case <-wake:
		t.Error("subscribers were woken for nothing")
	default:
	}
	if last, _ := event.Last(app); last != 0 {
		t.Errorf("last is %d", last)
	}
	if _, err := log.Append(app, sampleEvents()[0]); err != nil {
		t.Fatal(err)
	}
	verify(t, app, 0)
}

func TestASubscriberGetsEveryEventInOrderAlsoAfterAFailureAndARestart(t *testing.T) {
	t.Parallel()
	app, log := open(t)
	var got []int64
	failed := false
	follow := func(until int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- log.Follow(ctx, "test", func(_ context.Context, events []desk.Event) error {
				if !failed {
					failed = true
					panic("the first try dies")
				}
				for _, e := range events {
					got = append(got, e.Seq)
				}
				if len(got) >= until {
					cancel()
				}
				return nil
			})
		}()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatal("the subscriber waits for ever")
		}
	}
	if _, err := log.Append(app, sampleEvents()...); err != nil {
		t.Fatal(err)
	}
	follow(3)
	if _, err := log.Append(app, sampleEvents()...); err != nil {
		t.Fatal(err)
	}
	follow(6)
	for i, seq := range got {
		if seq != int64(i+1) {
			t.Fatalf("got %v", got)
		}
	}
}

func TestAGuardRefusesWithItsSentence(t *testing.T) {
	t.Parallel()
	app, log := open(t)
	log.Guard("ticket.solveWillBe", func(_ core.App, e desk.Event) error {
		if e.New == "solved" {
			return desk.Errorf(desk.Refused, "Finish the checklist first.")
		}
		return nil
	})
	if err := log.WillBe(app, "ticket.solveWillBe", desk.Event{New: "solved"}); desk.CodeOf(err) != desk.Refused {
		t.Errorf("the guard answered %v", err)
	}
	if err := log.WillBe(app, "ticket.solveWillBe", desk.Event{New: "closed"}); err != nil {
		t.Error(err)
	}
}
