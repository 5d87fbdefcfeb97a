package schedule

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
)

func TestTimedJobRunsWhenItsTimeComes(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Register(Job{Name: "test.nine", Title: "Nine", Spec: "0 9 * * *", Run: c.run})
	h.run(s)
	h.settled("test.nine")
	h.clock.Advance(59 * time.Minute)
	h.ran(&c, 0)
	h.clock.Advance(time.Minute)
	h.ran(&c, 1)
	r := h.row("test.nine")
	if r.outcome != ok || r.runs != 1 || !r.next.Equal(start.Add(25*time.Hour)) || !r.slot.Equal(start.Add(time.Hour)) {
		t.Errorf("row is %+v", r)
	}
}

func TestRunMissedWhileDownIsMadeUpForOnce(t *testing.T) {
	h := newHouse(t)
	var once, skip, every counter
	register := func() *Scheduler {
		s := h.scheduler()
		s.Register(Job{Name: "test.once", Title: "Once", Spec: "0 * * * *", Run: once.run})
		s.Register(Job{Name: "test.skip", Title: "Skip", Spec: "0 * * * *", CatchUp: Skip, Run: skip.run})
		s.Register(Job{Name: "test.every", Title: "Every", Spec: "@every 5m", Run: every.run})
		return s
	}
	stop := h.run(register())
	for _, name := range []string{"test.once", "test.skip", "test.every"} {
		h.settled(name)
	}
	stop()
	h.clock.Advance(10*24*time.Hour + 30*time.Minute)
	stop = h.run(register())
	h.ran(&once, 1)
	h.ran(&every, 1)
	h.ran(&skip, 0)
	for _, name := range []string{"test.once", "test.skip"} {
		if r := h.row(name); !r.next.Equal(start.Add(10*24*time.Hour + time.Hour)) {
			t.Errorf("%s is due next at %s", name, r.next)
		}
	}
	stop()
	h.run(register())
	h.ran(&once, 1)
}

func TestLeapOfAYearIsOneRun(t *testing.T) {
	h := newHouse(t)
	var once, skip counter
	s := h.scheduler()
	s.Register(Job{Name: "test.once", Title: "Once", Spec: "0 * * * *", Run: once.run})
	s.Register(Job{Name: "test.skip", Title: "Skip", Spec: "@every 1h", CatchUp: Skip, Run: skip.run})
	h.run(s)
	h.settled("test.once")
	h.settled("test.skip")
	h.clock.Advance(365*24*time.Hour + 10*time.Minute)
	h.ran(&once, 1)
	h.ran(&skip, 0)
	h.clock.Advance(time.Hour)
	h.ran(&once, 2)
	h.ran(&skip, 1)
}

func TestClockGoesBack(t *testing.T) {
	h := newHouse(t)
	var nightly, often counter
	s := h.scheduler()
	s.Register(Job{Name: "test.nightly", Title: "Nightly", Spec: "0 9 * * *", Run: nightly.run})
	s.Register(Job{Name: "test.often", Title: "Often", Spec: "@every 10m", Run: often.run})
	h.run(s)
	h.settled("test.nightly")
	h.clock.Advance(61 * time.Minute)
	h.ran(&nightly, 1)
	h.ran(&often, 1)
	h.clock.Advance(-time.Hour)
	h.ran(&nightly, 1)
	h.clock.Advance(11 * time.Minute)
	h.ran(&often, 2)
	h.clock.Advance(time.Hour) // nine o'clock for the second time
	h.ran(&nightly, 1)
	h.clock.Advance(-10 * 365 * 24 * time.Hour)
	h.ran(&nightly, 1)
	h.clock.Advance(24 * time.Hour)
	h.ran(&nightly, 2)
}

func TestChangeOfTheClocksIsOneRunANight(t *testing.T) {
	for _, from := range []string{"2026-03-28T12:00+01:00", "2026-10-24T12:00+02:00"} {
		h := newHouse(t)
		var c counter
		s := h.scheduler()
		h.clock.Set(parse(t, from))
		s.Register(Job{Name: "test.nightly", Title: "Nightly", Spec: "30 2 * * *", TimeZone: "Europe/Berlin", Run: c.run})
		h.run(s)
		h.settled("test.nightly")
		for range 4 * 24 { // a day in quarters of an hour
			h.clock.Advance(15 * time.Minute)
			h.eventually("nothing is due", func() bool { return h.row("test.nightly").next.After(h.clock.Now()) })
		}
		h.ran(&c, 1)
	}
}

func TestJobNeverRunsBesideItself(t *testing.T) {
	h := newHouse(t)
	var c counter
	release := make(chan struct{})
	s := h.scheduler()
	s.Register(Job{Name: "test.slow", Title: "Slow", Spec: "* * * * *", Run: func(context.Context) error {
		defer c.enter()()
		<-release
		return nil
	}})
	h.run(s)
	h.settled("test.slow")
	for range 5 {
		h.clock.Advance(time.Minute)
		h.quiet()
	}
	if c.runs.Load() != 1 {
		t.Fatalf("%d runs while the first goes on", c.runs.Load())
	}
	if err := s.RunNow(desk.Agent("a1"), "test.slow"); desk.CodeOf(err) != desk.Conflict {
		t.Errorf("run now beside a run: %v", err)
	}
	if list, err := s.Timed(h.app); err != nil || !list[0].Running || list[0].Last.Outcome != "" {
		t.Errorf("list shows %+v, %v", list, err)
	}
	close(release)
	h.ran(&c, 2) // what it missed is made up for by one
	if c.most.Load() != 1 {
		t.Errorf("%d at a time", c.most.Load())
	}
}

func TestRunCutShortIsRunAgainButNotForEver(t *testing.T) {
	h := newHouse(t)
	var c counter
	var s *Scheduler
	restart := func() {
		s = h.scheduler()
		s.Register(Job{Name: "test.job", Title: "Job", Spec: "0 9 * * *", Run: c.run})
	}
	restart()
	stop := h.run(s)
	h.settled("test.job")
	stop()
	die := func() { // a process that died in the middle of a run left this
		h.Helper()
		if err := writeStart(h.app, "test.job", h.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	die()
	restart()
	if err := s.recoverTimed(); err != nil {
		t.Fatal(err)
	}
	if r := h.row("test.job"); r.outcome != interrupted || r.err == "" || r.next.After(h.clock.Now()) {
		t.Errorf("after the first death: %+v", r)
	}
	die() // before it could run again
	restart()
	if err := s.recoverTimed(); err != nil {
		t.Fatal(err)
	}
	r := h.row("test.job")
	if r.outcome != interrupted || r.cut != 2 {
		t.Errorf("after the second death: %+v", r)
	}
	h.run(s)
	h.ran(&c, 1) // it was due since the first death
	if r := h.row("test.job"); r.outcome != ok || r.cut != 0 {
		t.Errorf("after the run: %+v", r)
	}
}

func TestJobThatTakesTheProcessDownWaitsForItsTime(t *testing.T) {
	h := newHouse(t)
	for cut, want := range []time.Time{start, start.Add(time.Hour)} {
		s := h.scheduler()
		s.Register(Job{Name: "test.job", Title: "Job", Spec: "0 9 * * *", Run: func(context.Context) error { return nil }})
		if err := writePlan(h.app, row{name: "test.job", plan: "0 9 * * * UTC", next: start.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if err := writeStart(h.app, "test.job", h.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.recoverTimed(); err != nil {
			t.Fatal(err)
		}
		if r := h.row("test.job"); r.next.Sub(want).Abs() > time.Minute || r.cut != int64(cut+1) {
			t.Errorf("after death %d: %+v", cut+1, r)
		}
	}
}

func TestFailureAndPanicAreKeptAndOthersGoOn(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Register(Job{Name: "test.fails", Title: "Fails", Spec: "@every 1m", Run: func(context.Context) error {
		return errors.New("no room: " + strings.Repeat("x", 600))
	}})
	s.Register(Job{Name: "test.panics", Title: "Panics", Spec: "@every 1m", Run: func(context.Context) error { panic("ouch") }})
	s.Register(Job{Name: "test.fine", Title: "Fine", Spec: "@every 1m", Run: c.run})
	h.run(s)
	h.settled("test.fine")
	h.clock.Advance(61 * time.Second)
	h.ran(&c, 1)
	h.eventually("both failed", func() bool {
		return h.row("test.fails").outcome == failed && h.row("test.panics").outcome == failed
	})
	list, err := s.Timed(h.app)
	if err != nil {
		t.Fatal(err)
	}
	if e := list[0].Last.Error; e == nil || !strings.HasPrefix(*e, "no room") || len(*e) > 510 {
		t.Errorf("failure is shown as %v", e)
	}
	if e := list[1].Last.Error; e == nil || *e != "panic: ouch" {
		t.Errorf("panic is shown as %v", e)
	}
	h.clock.Advance(61 * time.Second)
	h.ran(&c, 2)
}

func TestPauseAndRunNow(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Register(Job{Name: "test.job", Title: "Job", Spec: "0 * * * *", Run: c.run})
	who := desk.Agent("a1")
	if err := s.RunNow(who, "test.job"); desk.CodeOf(err) != desk.Conflict {
		t.Errorf("run now without Run: %v", err)
	}
	h.run(s)
	h.settled("test.job")
	for range 2 { // the second time changes nothing
		if err := s.Pause(h.app, who, "test.job", true); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(5 * time.Hour)
	h.ran(&c, 0)
	if list, _ := s.Timed(h.app); !list[0].Paused || list[0].Next != nil || list[0].Last != nil {
		t.Errorf("list shows %+v", list[0])
	}
	if err := s.RunNow(who, "test.job"); err != nil {
		t.Fatal(err)
	}
	h.ran(&c, 1)
	if err := s.Pause(h.app, who, "test.job", false); err != nil {
		t.Fatal(err)
	}
	h.ran(&c, 1) // what was missed while paused stays missed
	h.clock.Advance(time.Hour)
	h.ran(&c, 2)
	for _, err := range []error{s.RunNow(who, "test.none"), s.Pause(h.app, who, "test.none", true)} {
		if desk.CodeOf(err) != desk.NotFound {
			t.Errorf("unknown job: %v", err)
		}
	}
	events, err := event.Since(h.app, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
		if e.Subject != "test.job" || e.Actor != who {
			t.Errorf("event is %+v", e)
		}
	}
	if got := strings.Join(kinds, " "); got != "job.paused job.started_by_hand job.resumed" {
		t.Errorf("events are %s", got)
	}
}

func TestOtherTimeZoneOrSpecIsAnotherNext(t *testing.T) {
	h := newHouse(t)
	var c counter
	s := h.scheduler()
	s.Register(Job{Name: "test.desk", Title: "Desk", Spec: "0 20 * * *", Run: c.run})
	s.Register(Job{Name: "test.utc", Title: "UTC", Spec: "0 20 * * *", TimeZone: "UTC", Run: c.run})
	stop := h.run(s)
	h.settled("test.desk")
	h.zone.Store(zone(t, "Asia/Tokyo"))
	h.eventually("the next run moved", func() bool {
		h.clock.Advance(time.Millisecond) // a minute's wait is too long for a test
		return h.row("test.desk").next.Equal(start.Add(3 * time.Hour))
	})
	if r := h.row("test.utc"); !r.next.Equal(start.Add(12 * time.Hour)) {
		t.Errorf("the other is due at %s", r.next)
	}
	stop()
	s = h.scheduler()
	s.Register(Job{Name: "test.utc", Title: "UTC", Spec: "0 10 * * *", TimeZone: "UTC", Run: c.run})
	h.run(s)
	h.eventually("the next run moved", func() bool { return h.row("test.utc").next.Equal(start.Add(2 * time.Hour)) })
	h.ran(&c, 0)
}

func TestStopWaitsThenCancelsAndTheRunCountsAsCut(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	began := make(chan string, 2)
	s.Register(Job{Name: "test.short", Title: "Short", Spec: "@every 1m", Run: func(ctx context.Context) error {
		began <- "short"
		time.Sleep(100 * time.Millisecond)
		return ctx.Err()
	}})
	s.Register(Job{Name: "test.endless", Title: "Endless", Spec: "@every 1m", Run: func(ctx context.Context) error {
		began <- "endless"
		<-ctx.Done()
		return ctx.Err()
	}})
	s.Grace = 400 * time.Millisecond
	stop := h.run(s)
	h.settled("test.endless")
	h.clock.Advance(61 * time.Second)
	<-began
	<-began
	stop()
	if r := h.row("test.short"); r.outcome != ok {
		t.Errorf("the short one ended %q", r.outcome)
	}
	if r := h.row("test.endless"); r.outcome != running {
		t.Errorf("the endless one ended %q", r.outcome)
	}
	if err := s.RunNow(desk.Agent("a1"), "test.short"); desk.CodeOf(err) != desk.Conflict {
		t.Errorf("run now after the stop: %v", err)
	}
	var c counter
	s = h.scheduler()
	s.Register(Job{Name: "test.endless", Title: "Endless", Spec: "@every 1h", Run: c.run})
	h.run(s)
	h.ran(&c, 1)
}

func TestRegisterPanics(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	fine := Job{Name: "test.job", Title: "Job", Spec: "@daily", Run: new(counter).run}
	s.Register(fine)
	for name, change := range map[string]func(*Job){
		"twice":   func(*Job) {},
		"no name": func(j *Job) { j.Name = "" },
		"title":   func(j *Job) { j.Name, j.Title = "a.b", "" },
		"no run":  func(j *Job) { j.Name, j.Run = "a.b", nil },
		"spec":    func(j *Job) { j.Name, j.Spec = "a.b", "soon" },
		"zone":    func(j *Job) { j.Name, j.TimeZone = "a.b", "Europe/Bonn" },
		"policy":  func(j *Job) { j.Name, j.CatchUp = "a.b", "always" },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			j := fine
			change(&j)
			s.Register(j)
		})
	}
}
