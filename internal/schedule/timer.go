package schedule

import (
	"context"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// recoverTimed marks the runs that the end of the last process cut short. A
// job that catches up is run again at once, unless it was cut the time before
// too: one that takes the process down must not do so at every start.
func (s *Scheduler) recoverTimed() error {
	rows, err := readRows(s.app)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	for _, j := range s.timed {
		r, there := rows[j.Name]
		if !there || r.outcome != running || s.isBusy(j) {
			continue
		}
		if j.CatchUp == Once && r.cut == 0 && (r.next.IsZero() || r.next.After(now)) {
			r.next = now
		}
		if err := writeInterrupted(s.app, r); err != nil {
			return err
		}
	}
	return nil
}

// turnTimed starts the timed jobs that are due and answers when the next one is.
func (s *Scheduler) turnTimed() (next time.Time, err error) {
	rows, err := readRows(s.app)
	if err != nil {
		return next, err
	}
	for _, j := range s.timed {
		due, err := s.consider(j, rows[j.Name])
		if err != nil {
			return next, err
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// consider starts j when it is due, and answers when it is due next otherwise.
func (s *Scheduler) consider(j *timedJob, r row) (time.Time, error) {
	if s.isBusy(j) {
		return time.Time{}, nil // looked at when it has finished
	}
	p, err := s.plan(j.Job)
	if err != nil {
		return time.Time{}, err
	}
	settled, due := settle(r, p, j.CatchUp, s.clock.Now())
	settled.name = j.Name
	if due {
		s.start(j, occasion{slot: settled.next})
		return time.Time{}, nil
	}
	if settled != r {
		return settled.next, writePlan(s.app, settled)
	}
	return settled.next, nil
}

func (s *Scheduler) isBusy(j *timedJob) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.busy
}

// occasion is why a timed job runs: its plan, or somebody.
type occasion struct {
	slot time.Time  // when it was due; zero for a run by hand
	by   desk.Actor // who, for a run by hand
}

// start runs j unless it runs already or nobody may start anything now, and
// tells whether it does.
func (s *Scheduler) start(j *timedJob, o occasion) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.busy || s.work == nil {
		return false
	}
	j.busy = true
	ctx := s.work
	s.crew.Go(func() {
		if err := guard(func() error { s.runTimed(ctx, j, o); return nil }); err != nil {
			s.logFailure("timed job's account", j.Name, err)
		}
		s.mu.Lock()
		j.busy = false
		s.mu.Unlock()
		poke(s.timer)
	})
	return true
}

// runTimed runs j once and keeps account of it in its row.
func (s *Scheduler) runTimed(ctx context.Context, j *timedJob, o occasion) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return
	}
	started := s.clock.Now()
	if err := s.noteStart(j, o, started); err != nil {
		s.app.Logger().Error("timed job not started, its row can't be written", "name", j.Name, "error", err)
		_ = desk.Sleep(ctx, s.clock, started.Add(retryAfter), nil)
		return
	}
	err := guard(func() error { return j.Run(ctx) })
	if err != nil && ctx.Err() != nil {
		return // cut short by our own end: the next start sees it as interrupted
	}
	if err != nil {
		s.logFailure("timed job", j.Name, err)
	}
	if err := writeFinish(s.app, j.Name, s.clock.Now(), s.clock.Now().Sub(started), err); err != nil {
		s.app.Logger().Error("end of a timed job not written", "name", j.Name, "error", err)
	}
}

// noteStart writes that a run began and, if it was due, when the next one is.
func (s *Scheduler) noteStart(j *timedJob, o occasion, now time.Time) error {
	if o.slot.IsZero() {
		return s.app.RunInTransaction(func(tx core.App) error {
			if err := writeStart(tx, j.Name, now); err != nil {
				return err
			}
			return s.record(tx, about(jobStarted, j.Name, o.by))
		})
	}
	p, err := s.plan(j.Job)
	if err != nil {
		return err
	}
	return writeSlot(s.app, j.Name, now, o.slot, p.text, p.upcoming(now, o.slot))
}
