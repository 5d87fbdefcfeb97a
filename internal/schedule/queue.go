package schedule

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// recoverQueue frees the jobs that a process had when it ended, and brings
// forward what a clock that was ahead put off.
func (s *Scheduler) recoverQueue() error {
	now := s.clock.Now()
	ours, _ := s.activeNow() // when Run was started again in the same process
	return s.app.RunInTransaction(func(tx core.App) error {
		left, err := readLeft(tx, ours, time.Time{})
		if err != nil {
			return err
		}
		if err := s.free(tx, left, now); err != nil {
			return err
		}
		return bringForward(tx, now)
	})
}

// free gives jobs back whose worker is no more. Its attempt counts, so that a
// job that takes the process down is dead in the end.
func (s *Scheduler) free(tx core.App, left []left, now time.Time) error {
	for _, l := range left {
		limit := defaultAttempts
		if k := s.kinds[l.kind]; k != nil {
			limit = k.Attempts
		}
		if err := freeWork(tx, l, l.attempts >= limit, now); err != nil {
			return err
		}
		s.app.Logger().Warn("durable job was left by its worker", "kind", l.kind, "id", l.id, "attempt", l.attempts)
	}
	return nil
}

// turnQueue gives due jobs to free workers and answers when to look again. It
// asks for the database's one writer only when there is something to write.
func (s *Scheduler) turnQueue() (time.Time, error) {
	now := s.clock.Now()
	back := s.looked.Sub(now) > time.Second
	s.noteJump(now)
	next, err := s.nextTurn()
	if err != nil || !back && (next.IsZero() || next.After(now)) {
		return next, err
	}
	var claimed []*Attempt
	err = s.app.RunInTransaction(func(tx core.App) error {
		claimed = nil
		if err := s.keepLeases(tx, now, back); err != nil {
			return err
		}
		claimed, err = s.claim(tx, now)
		return err
	})
	if err != nil {
		return next, err
	}
	for _, a := range claimed {
		s.startAttempt(a)
	}
	return s.nextTurn()
}

// noteJump notes when the queue was looked at, and whether the clock has leapt
// since: what fell due in the leap is not late before now.
func (s *Scheduler) noteJump(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leap := now.Sub(s.looked); leap > 2*lookAgain || leap < 0 {
		s.since = now
	}
	s.looked = now
}

// keepLeases renews what runs here, frees what nobody runs any more, and looks
// after a clock that went back. Only the loop of the queue calls it.
func (s *Scheduler) keepLeases(tx core.App, now time.Time, back bool) error {
	ids, _ := s.activeNow()
	if back {
		if err := bringForward(tx, now); err != nil {
			return err
		}
		s.renewed = time.Time{}
	}
	if len(ids) > 0 && now.Sub(s.renewed) >= lease/3 {
		if err := renew(tx, s.instance, ids, now.Add(lease)); err != nil {
			return err
		}
		s.renewed = now
	}
	left, err := readLeft(tx, ids, now)
	if err != nil {
		return err
	}
	return s.free(tx, left, now)
}

// claim takes as many due jobs as there are free workers.
func (s *Scheduler) claim(tx core.App, now time.Time) ([]*Attempt, error) {
	var claimed []*Attempt
	ids, busy := s.activeNow()
	if len(ids) == 0 {
		s.renewed = now // there is nothing older than what is leased now
	}
	for len(ids)+len(claimed) < s.Workers {
		a, err := claimWork(tx, s.instance, s.available(busy), now, now.Add(lease))
		if err != nil || a == nil {
			return claimed, err
		}
		a.s = s
		busy[a.Kind]++
		claimed = append(claimed, a)
	}
	return claimed, nil
}

// available lists the kinds of which one more attempt may run.
func (s *Scheduler) available(busy map[string]int) []string {
	var names []string
	for name, k := range s.kinds {
		if k.Parallel == 0 || busy[name] < k.Parallel {
			names = append(names, name)
		}
	}
	slices.Sort(names) // one statement text for the same kinds
	return names
}

// activeNow is what runs here: the ids of the jobs, and how many of each kind.
func (s *Scheduler) activeNow() (ids []string, kinds map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds = map[string]int{}
	for id, a := range s.active {
		ids = append(ids, id)
		kinds[a.Kind]++
	}
	return ids, kinds
}

// nextTurn is when there may be something to do unless somebody wakes the loop
// before: work that falls due, a lease to renew or one that ends.
func (s *Scheduler) nextTurn() (time.Time, error) {
	ids, busy := s.activeNow()
	next, err := firstLeaseEnd(s.app, ids)
	if err != nil {
		return next, err
	}
	if len(ids) > 0 {
		next = earlier(next, s.renewed.Add(lease/3))
	}
	if len(ids) >= s.Workers {
		return next, nil // an attempt that ends wakes us
	}
	due, err := firstDue(s.app, s.available(busy))
	return earlier(next, due), err
}

// earlier is the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// startAttempt hands a claimed job to a worker. Only the loop of the queue calls
// it, and that has ended before anything is told to stop.
func (s *Scheduler) startAttempt(a *Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := s.work
	s.active[a.ID] = a
	s.crew.Go(func() {
		if err := guard(func() error { s.attempt(ctx, a); return nil }); err != nil {
			s.logFailure("durable job's account", a.Kind, err)
		}
		s.mu.Lock()
		delete(s.active, a.ID)
		s.mu.Unlock()
		poke(s.queue)
	})
}

// attempt runs the handler and writes how it ended.
func (s *Scheduler) attempt(ctx context.Context, a *Attempt) {
	k := s.kinds[a.Kind]
	limited, cancel := context.WithTimeout(ctx, k.Limit)
	defer cancel()
	err := guard(func() error { return k.Run(limited, a) })
	if err != nil {
		s.logFailure("durable job", a.Kind, err)
	}
	if err := s.account(ctx, a, k, err); err != nil {
		s.app.Logger().Error("end of a durable job not written", "kind", a.Kind, "id", a.ID, "error", err)
	}
}

// account writes how an attempt ended; an attempt cut short by our own end is
// none.
func (s *Scheduler) account(ctx context.Context, a *Attempt, k *Kind, err error) error {
	now := s.clock.Now()
	var final permanent
	switch {
	case a.done:
		return nil
	case err == nil:
		return a.finish(s.app)
	case ctx.Err() != nil:
		return writeRelease(s.app, a, now)
	case a.Number >= k.Attempts || errors.As(err, &final):
		return writeDead(s.app, a, sentence(err), now)
	}
	return writeFailure(s.app, a, sentence(err), now.Add(k.wait(a.Number)), now)
}
