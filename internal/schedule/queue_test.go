package schedule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

func (h *house) enqueue(s *Scheduler, w Work) string {
	h.Helper()
	id, err := s.Enqueue(h.app, w)
	if err != nil {
		h.Fatal(err)
	}
	return id
}

// one is the only durable job there is.
func (h *house) one(s *Scheduler) Queued {
	h.Helper()
	list := h.queue(s)
	if len(list) != 1 {
		h.Fatalf("queue is %+v", list)
	}
	return list[0]
}

func (h *house) empty(s *Scheduler) {
	h.Helper()
	h.eventually("the queue is empty", func() bool { return len(h.queue(s)) == 0 })
}

func TestWorkIsDoneOnceItsTransactionCommitted(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	var got sync.Map
	s.Handle(Kind{Name: "test.work", Run: func(_ context.Context, a *Attempt) error {
		var p struct{ N int }
		if err := a.Read(&p); err != nil {
			return err
		}
		got.Store(p.N, a.Number)
		return nil
	}})
	h.run(s)
	rollback := errors.New("rollback")
	for n, end := range []error{nil, rollback} {
		err := h.app.RunInTransaction(func(tx core.App) error {
			_, err := s.Enqueue(tx, Work{Kind: "test.work", Payload: map[string]int{"n": n}})
			return errors.Join(err, end)
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	h.eventually("the work is done", func() bool { _, done := got.Load(0); return done })
	h.empty(s)
	if _, done := got.Load(1); done {
		t.Error("work that was rolled back is done")
	}
	if _, err := s.Enqueue(h.app, Work{Kind: "test.none"}); err == nil {
		t.Error("work that nobody handles is taken")
	}
}

func TestAppointmentWaitsForItsTime(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Run: func(ctx context.Context, _ *Attempt) error { return c.run(ctx) }})
	h.run(s)
	h.enqueue(s, Work{Kind: "test.work", At: start.Add(48 * time.Hour)})
	h.clock.Advance(47 * time.Hour)
	h.ran(&c, 0)
	h.clock.Advance(time.Hour)
	h.ran(&c, 1)
}

func TestFailuresBackOffUntilTheJobIsDeadAndRetryRevivesIt(t *testing.T) {
	h := newHouse(t)
	var c counter
	var mend atomic.Bool
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Attempts: 6, Run: func(ctx context.Context, _ *Attempt) error {
		_ = c.run(ctx)
		if mend.Load() {
			return nil
		}
		return errors.New("the other side is down")
	}})
	h.run(s)
	id := h.enqueue(s, Work{Kind: "test.work"})
	for n, wait := range []time.Duration{1, 5, 15, 60, 60} {
		h.ran(&c, int64(n+1))
		q := h.one(s)
		if in := q.Due.Sub(h.clock.Now()).Round(time.Minute); q.State != "due" || in != wait*time.Minute || q.Attempts != n+1 {
			t.Fatalf("after attempt %d: %+v, due in %s", n+1, q, in)
		}
		h.clock.Advance(wait * time.Minute)
	}
	h.ran(&c, 6)
	if q := h.one(s); q.State != "dead" || q.Error != "the other side is down" {
		t.Errorf("in the end: %+v", q)
	}
	h.clock.Advance(1000 * time.Hour)
	h.ran(&c, 6)
	if health, err := s.Health(h.app); err != nil || health.Dead != 1 || health.Lag > time.Second {
		t.Errorf("health is %+v, %v", health, err)
	}
	mend.Store(true)
	if err := s.Retry(h.app, desk.Agent("a1"), id); err != nil {
		t.Fatal(err)
	}
	h.ran(&c, 7)
	h.empty(s)
	if err := s.Retry(h.app, desk.Agent("a1"), id); desk.CodeOf(err) != desk.NotFound {
		t.Errorf("retry of what is done: %v", err)
	}
	events, err := event.Since(h.app, 0, 10)
	if err != nil || len(events) != 1 || events[0].Kind != "job.retried" || events[0].Subject != id || events[0].New != "test.work" {
		t.Errorf("events are %+v, %v", events, err)
	}
}

func TestHowAnAttemptEnds(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	s.Handle(Kind{Name: "test.permanent", Run: func(context.Context, *Attempt) error {
		return fmt.Errorf("send: %w", Permanent(errors.New("no such address")))
	}})
	s.Handle(Kind{Name: "test.panics", Run: func(context.Context, *Attempt) error { panic("ouch") }})
	s.Handle(Kind{Name: "test.unreadable", Run: func(_ context.Context, a *Attempt) error { var n int; return a.Read(&n) }})
	s.Handle(Kind{Name: "test.slow", Limit: 20 * time.Millisecond, Run: func(ctx context.Context, _ *Attempt) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	h.run(s)
	for kind, want := range map[string]struct{ state, text string }{
		"test.permanent":  {"dead", "send: no such address"},
		"test.panics":     {"due", "panic: ouch"},
		"test.unreadable": {"dead", "read payload of test.unreadable: json: cannot unmarshal string into Go value of type int"},
		"test.slow":       {"due", "context deadline exceeded"},
	} {
		h.enqueue(s, Work{Kind: kind, Payload: "text"})
		h.eventually(kind+" ends", func() bool {
			for _, q := range h.queue(s) {
				if q.Kind == kind && q.Error != "" {
					if q.State != want.state || q.Error != want.text {
						t.Errorf("%s: %+v", kind, q)
					}
					return true
				}
			}
			return false
		})
	}
}

func TestWorkWithAKeyIsThereOnce(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler() // not run: the rows alone
	s.Handle(Kind{Name: "test.work", Run: func(context.Context, *Attempt) error { return nil }})
	s.Handle(Kind{Name: "test.other", Run: func(context.Context, *Attempt) error { return nil }})
	put := func(payload string, in time.Duration, move bool) {
		h.Helper()
		h.enqueue(s, Work{Kind: "test.work", Key: "k", Payload: payload, At: start.Add(in), Move: move})
	}
	check := func(what string, in time.Duration, payload string) {
		h.Helper()
		var due int64
		var text string
		if _, err := sqlite.One(h.app, []any{&due, &text}, "SELECT due, payload FROM jobs WHERE kind = 'test.work'"); err != nil {
			t.Fatal(err)
		}
		if q := h.one(s); !desk.Time(due).Equal(start.Add(in)) || text != `"`+payload+`"` || q.State != "due" {
			t.Errorf("%s: due %s, payload %s, %+v", what, desk.Time(due), text, q)
		}
	}
	put("a", time.Hour, false)
	put("b", 2*time.Hour, false)
	check("later", time.Hour, "b")
	put("c", 30*time.Minute, false)
	check("earlier", 30*time.Minute, "c")
	put("d", 3*time.Hour, true)
	check("moved", 3*time.Hour, "d")
	if err := sqlite.Exec(h.app, "UPDATE jobs SET attempts = 2, error = 'down'"); err != nil {
		t.Fatal(err)
	}
	put("e", 0, false)
	check("backing off", 3*time.Hour, "e")
	if err := sqlite.Exec(h.app, "UPDATE jobs SET state = 'dead'"); err != nil {
		t.Fatal(err)
	}
	put("f", 5*time.Hour, false)
	check("revived", 5*time.Hour, "f")
	if q := h.one(s); q.Attempts != 0 || q.Error != "" {
		t.Errorf("revived: %+v", q)
	}
	h.enqueue(s, Work{Kind: "test.other", Key: "k"})
	h.enqueue(s, Work{Kind: "test.work"})
	h.enqueue(s, Work{Kind: "test.work"})
	if n := len(h.queue(s)); n != 4 {
		t.Errorf("%d jobs: another kind, or no key, is other work", n)
	}
	if found, err := s.Cancel(h.app, "test.work", "k"); !found || err != nil {
		t.Errorf("cancel: %v, %v", found, err)
	}
	if found, err := s.Cancel(h.app, "test.work", ""); found || err != nil {
		t.Errorf("cancel without a key: %v, %v", found, err)
	}
	if n := len(h.queue(s)); n != 3 {
		t.Errorf("%d jobs after cancel", n)
	}
}

func TestWorkAskedForWhileItIsBeingDoneIsDoneOnceMore(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	var got []string
	enter, leave := make(chan struct{}), make(chan error)
	s.Handle(Kind{Name: "test.work", Run: func(_ context.Context, a *Attempt) error {
		var p string
		if err := a.Read(&p); err != nil {
			return err
		}
		got = append(got, p) // one at a time: they have one key
		enter <- struct{}{}
		return <-leave
	}})
	h.run(s)
	put := func(payload string) { h.enqueue(s, Work{Kind: "test.work", Key: "k", Payload: payload}) }
	put("a")
	<-enter
	put("b")
	put("c")
	leave <- nil
	<-enter
	if q := h.one(s); q.State != "running" || q.Attempts != 1 {
		t.Errorf("the second time: %+v", q)
	}
	put("d")
	if found, err := s.Cancel(h.app, "test.work", "k"); found || err != nil {
		t.Errorf("cancel of running work: %v, %v", found, err)
	}
	leave <- errors.New("down")
	h.empty(s)
	if fmt.Sprint(got) != "[a c]" {
		t.Errorf("done were %v", got)
	}
}

func TestDoneCommitsWithTheEffects(t *testing.T) {
	h := newHouse(t)
	if err := sqlite.Exec(h.app, "CREATE TABLE effects (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Run: func(_ context.Context, a *Attempt) error {
		return h.app.RunInTransaction(func(tx core.App) error {
			if err := sqlite.Exec(tx, "INSERT INTO effects (n) VALUES (?)", a.Number); err != nil {
				return err
			}
			if err := a.Done(tx); err != nil {
				return err
			}
			if a.Number == 1 {
				return errors.New("the commit fails")
			}
			return nil
		})
	}})
	h.run(s)
	h.enqueue(s, Work{Kind: "test.work"})
	h.eventually("the first attempt failed", func() bool { return h.one(s).Error != "" })
	h.clock.Advance(2 * time.Minute)
	h.empty(s)
	var n, sum int
	if _, err := sqlite.One(h.app, []any{&n, &sum}, "SELECT count(*), sum(n) FROM effects"); err != nil || n != 1 || sum != 2 {
		t.Errorf("%d effects, sum %d, %v", n, sum, err)
	}
}

// claimAs leases the next job the way another process would.
func (h *house) claimAs(instance string, kinds ...string) *Attempt {
	h.Helper()
	var a *Attempt
	err := h.app.RunInTransaction(func(tx core.App) (err error) {
		a, err = claimWork(tx, instance, kinds, h.clock.Now(), h.clock.Now().Add(lease))
		return err
	})
	if err != nil || a == nil {
		h.Fatalf("claim: %v, %v", a, err)
	}
	a.s = &Scheduler{app: h.app, clock: h.clock, instance: instance}
	return a
}

func TestJobOfADeadProcessIsTakenAtTheNextStart(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	var late *Attempt
	s.Handle(Kind{Name: "test.work", Run: func(ctx context.Context, a *Attempt) error {
		if a.Number != 2 {
			t.Errorf("attempt %d", a.Number)
		}
		if err := late.finish(h.app); !errors.Is(err, errLease) {
			t.Errorf("the dead one finishes the job: %v", err)
		}
		if err := writeDead(h.app, late, "late", h.clock.Now()); err != nil || h.one(s).State != "running" {
			t.Errorf("the dead one declares the job dead: %v", err)
		}
		return c.run(ctx)
	}})
	h.enqueue(s, Work{Kind: "test.work"})
	late = h.claimAs("dead", "test.work")
	h.run(s)
	h.ran(&c, 1)
	h.empty(s)
}

func TestExpiredLeaseIsTakenAgain(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Run: func(ctx context.Context, _ *Attempt) error { return c.run(ctx) }})
	h.run(s)
	h.enqueue(s, Work{Kind: "test.work", At: start.Add(time.Hour)})
	if err := sqlite.Exec(h.app, "UPDATE jobs SET due = 1"); err != nil { // behind the back of s
		t.Fatal(err)
	}
	a := h.claimAs("other", "test.work")
	h.clock.Advance(lease / 2)
	h.ran(&c, 0)
	h.clock.Advance(lease)
	h.ran(&c, 1)
	if err := a.Done(h.app); !errors.Is(err, errLease) {
		t.Errorf("Done after the lease: %v", err)
	}
	h.empty(s)
}

func TestJobThatTakesTheProcessDownIsDeadInTheEnd(t *testing.T) {
	h := newHouse(t)
	var c counter
	for range 3 {
		s := h.scheduler()
		s.Handle(Kind{Name: "test.work", Attempts: 3, Run: func(ctx context.Context, _ *Attempt) error { return c.run(ctx) }})
		if len(h.queue(s)) == 0 {
			h.enqueue(s, Work{Kind: "test.work"})
		}
		h.claimAs("dead", "test.work")
		if err := s.recoverQueue(); err != nil {
			t.Fatal(err)
		}
	}
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Attempts: 3, Run: func(ctx context.Context, _ *Attempt) error { return c.run(ctx) }})
	h.run(s)
	h.ran(&c, 0)
	if q := h.one(s); q.State != "dead" || q.Error != leftText || q.Attempts != 3 {
		t.Errorf("queue is %+v", q)
	}
}

func TestLeapOfTheClockTakesNoRunningJobTwice(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	release := make(chan struct{})
	s.Handle(Kind{Name: "test.work", Run: func(context.Context, *Attempt) error {
		defer c.enter()()
		<-release
		return nil
	}})
	h.run(s)
	h.enqueue(s, Work{Kind: "test.work"})
	h.eventually("it runs", func() bool { return c.now.Load() == 1 })
	for _, leap := range []time.Duration{365 * 24 * time.Hour, -20 * 365 * 24 * time.Hour, 10 * time.Minute} {
		h.clock.Advance(leap)
		h.eventually("the lease is renewed", func() bool {
			var until int64
			_, err := sqlite.One(h.app, []any{&until}, "SELECT lease_until FROM jobs")
			left := desk.Time(until).Sub(h.clock.Now())
			return err == nil && left > 0 && left <= lease
		})
	}
	h.quiet()
	close(release)
	h.ran(&c, 1)
	h.empty(s)
}

func TestClockThatWasAheadPutsNothingOff(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	run := func(ctx context.Context, _ *Attempt) error { return c.run(ctx) }
	s.Handle(Kind{Name: "test.now", Run: run})
	s.Handle(Kind{Name: "test.later", Run: run})
	h.clock.Advance(365 * 24 * time.Hour)
	h.enqueue(s, Work{Kind: "test.now"})
	h.enqueue(s, Work{Kind: "test.later", At: h.clock.Now().Add(time.Hour)})
	h.clock.Advance(-365 * 24 * time.Hour)
	stop := h.run(s)
	h.ran(&c, 1)
	if q := h.one(s); q.Kind != "test.later" {
		t.Errorf("left is %+v", q)
	}
	stop()
}

func TestWorkersAreBounded(t *testing.T) {
	h := newHouse(t)
	var all, few counter
	s := h.scheduler()
	s.Workers = 3
	slow := func(c *counter) func(context.Context, *Attempt) error {
		return func(context.Context, *Attempt) error {
			defer all.enter()()
			defer c.enter()()
			time.Sleep(10 * time.Millisecond)
			return nil
		}
	}
	s.Handle(Kind{Name: "test.few", Parallel: 1, Run: slow(&few)})
	s.Handle(Kind{Name: "test.many", Run: slow(new(counter))})
	for range 12 {
		h.enqueue(s, Work{Kind: "test.few"})
		h.enqueue(s, Work{Kind: "test.many"})
	}
	if health, err := s.Health(h.app); err != nil || health.Due != 24 {
		t.Errorf("health is %+v, %v", health, err)
	}
	h.run(s)
	h.empty(s)
	h.ran(&all, 24)
	if all.most.Load() != 3 || few.most.Load() != 1 {
		t.Errorf("%d at a time, %d of the bounded kind", all.most.Load(), few.most.Load())
	}
}

func TestStopGivesTheJobBackWithoutCountingAnAttempt(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	s.Grace = 50 * time.Millisecond
	began := make(chan struct{})
	s.Handle(Kind{Name: "test.work", Run: func(ctx context.Context, a *Attempt) error {
		if err := a.Progress(3, 10); err != nil {
			return err
		}
		close(began)
		<-ctx.Done()
		return ctx.Err()
	}})
	stop := h.run(s)
	h.enqueue(s, Work{Kind: "test.work"})
	<-began
	if q := h.one(s); q.State != "running" || q.Done != 3 || q.Total != 10 {
		t.Errorf("while it runs: %+v", q)
	}
	if err := s.Retry(h.app, desk.Agent("a1"), h.one(s).ID); desk.CodeOf(err) != desk.Conflict {
		t.Errorf("retry while it runs: %v", err)
	}
	stop()
	if q := h.one(s); q.State != "due" || q.Attempts != 0 || q.Error != "" {
		t.Errorf("after the stop: %+v", q)
	}
}

func TestHealthCountsHowLongDueWorkWaits(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	s.Workers = 1
	release, began := make(chan struct{}), make(chan struct{}, 2)
	s.Handle(Kind{Name: "test.work", Run: func(context.Context, *Attempt) error { began <- struct{}{}; <-release; return nil }})
	h.run(s)
	h.enqueue(s, Work{Kind: "test.work"})
	<-began
	h.enqueue(s, Work{Kind: "test.work"})
	for range 3 {
		h.clock.Advance(time.Minute)
		now := h.clock.Now()
		h.eventually("the queue is looked at", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return !s.looked.Before(now)
		})
	}
	health, err := s.Health(h.app)
	if err != nil || health.Late != "queue" || health.Lag < 3*time.Minute || health.Due != 1 || health.Running != 1 {
		t.Errorf("health is %+v, %v", health, err)
	}
	close(release)
	h.empty(s)
	if health, err = s.Health(h.app); err != nil || health.Late != "" || health.Lag != 0 {
		t.Errorf("health is %+v, %v", health, err)
	}
}

func TestQueueIsListedInPages(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	s.Handle(Kind{Name: "test.work", Run: func(context.Context, *Attempt) error { return nil }})
	for i := range 7 {
		h.enqueue(s, Work{Kind: "test.work", Key: fmt.Sprint(i), At: start.Add(time.Duration(i/2) * time.Hour)})
	}
	if err := sqlite.Exec(h.app, "UPDATE jobs SET state = 'dead' WHERE key = '6'"); err != nil {
		t.Fatal(err)
	}
	var keys, cursor string
	for range 10 {
		page, next, err := s.Queue(h.app, cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range page {
			keys += q.Key
		}
		keys += "|"
		if cursor = next; cursor == "" {
			break
		}
	}
	if len(keys) != 10 || keys[0] != '6' || keys[3] != '|' || keys[7] != '|' {
		t.Errorf("pages are %s", keys)
	}
	if _, _, err := s.Queue(h.app, "?", 3); desk.CodeOf(err) != desk.Invalid {
		t.Errorf("bad cursor: %v", err)
	}
}

func TestForeignWritesAreRefused(t *testing.T) {
	h := newHouse(t)
	Bind(h.app)
	for _, name := range collections {
		c, err := h.app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		r := core.NewRecord(c)
		r.Load(map[string]any{"name": "x", "kind": "x"})
		if err := h.app.Save(r); err == nil || !strings.Contains(err.Error(), "jobs page") {
			t.Errorf("%s: a foreign write is answered with %v", name, err)
		}
	}
}
