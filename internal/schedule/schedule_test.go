package schedule

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

// start is the time at which the clock of a test begins.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// house is a desk with a clock, on which one scheduler after another runs.
type house struct {
	*testing.T
	app   core.App
	log   *event.Log
	clock *desk.TestClock
	zone  atomic.Pointer[time.Location]
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, app: openApp(t, t.TempDir()), clock: desk.NewTestClock(start)}
	h.log = event.New(h.app, h.clock)
	h.zone.Store(time.UTC)
	return h
}

func openApp(t *testing.T, dir string) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // as PocketBase ends: its log first, then its databases
		e := &core.TerminateEvent{App: app}
		_ = app.OnTerminate().Trigger(e, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
	})
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	return app
}

// scheduler is a new one, as after a start of the desk.
func (h *house) scheduler() *Scheduler {
	s := New(h.app, h.log, h.clock, h.zone.Load)
	s.Grace = 3 * time.Second
	return s
}

// run starts s and returns what stops it and waits; the end of the test does so too.
func (h *house) run(s *Scheduler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			h.Log("scheduler:", err)
		}
	}()
	h.eventually("the scheduler runs", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.work != nil
	})
	stop = sync.OnceFunc(func() { cancel(); <-done })
	h.Cleanup(stop)
	return stop
}

func (h *house) eventually(what string, f func() bool) {
	h.Helper()
	for range 10_000 {
		if f() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	h.Fatalf("waited in vain: %s", what)
}

// quiet waits long enough for something that must not happen.
func (h *house) quiet() { time.Sleep(60 * time.Millisecond) }

// row is the row of a timed job.
func (h *house) row(name string) row {
	h.Helper()
	rows, err := readRows(h.app)
	if err != nil {
		h.Fatal(err)
	}
	return rows[name]
}

// settled waits until the job's next run is planned.
func (h *house) settled(name string) {
	h.Helper()
	h.eventually(name+" is planned", func() bool { return !h.row(name).next.IsZero() })
}

// queue lists the durable jobs.
func (h *house) queue(s *Scheduler) []Queued {
	h.Helper()
	list, _, err := s.Queue(h.app, "", 1000)
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// counter counts the runs of a job and how many there were at a time.
type counter struct{ runs, now, most atomic.Int64 }

func (c *counter) enter() (leave func()) {
	c.runs.Add(1)
	n := c.now.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	return func() { c.now.Add(-1) }
}

func (c *counter) run(context.Context) error {
	defer c.enter()()
	return nil
}

func (h *house) ran(c *counter, want int64) {
	h.Helper()
	h.eventually("enough runs", func() bool { return c.runs.Load() >= want && c.now.Load() == 0 })
	h.quiet()
	if got := c.runs.Load(); got != want {
		h.Fatalf("%d runs, want %d", got, want)
	}
}

func TestMigrationsGoBackAndForth(t *testing.T) {
	h := newHouse(t)
	found := 0
	for _, m := range core.AppMigrations.Items() {
		if m.File != "1790000100_create_settings.go" && m.File != "1790000110_create_jobs.go" {
			continue
		}
		found++
		for _, step := range []func(core.App) error{m.Down, m.Up} {
			if err := h.app.RunInTransaction(step); err != nil {
				t.Errorf("%s: %v", m.File, err)
			}
		}
	}
	if found != 2 {
		t.Errorf("found %d migrations", found)
	}
	if list := h.queue(h.scheduler()); len(list) != 0 {
		t.Errorf("queue is %+v", list)
	}
}
