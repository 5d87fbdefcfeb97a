// Package schedule is the only scheduler of the desk. It fires timed jobs and
// works off a queue of durable jobs; both are rows, so both survive a crash.
//
// A timed Job is registered at start and runs when its plan says so:
//
//	s.Register(schedule.Job{Name: "file.pair", Title: "Pair rows with files", Spec: "30 3 * * *", Run: pair})
//
// A durable job is a row that is written in the transaction that causes it and
// taken by the handler of its Kind once that has committed:
//
//	s.Handle(schedule.Kind{Name: "webhook.send", Run: send})
//	s.Enqueue(tx, schedule.Work{Kind: "webhook.send", Key: id, Payload: hook})
//
// Specs are read by robfig/cron/v3 and its Schedule computes the times (see
// plan for what happens when clocks change). Its Cron runner is not used: it
// asks the machine's clock and forgets, while we fire by desk.Clock, which
// tests move, and by rows, which tell what was missed.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// lookAgain is the longest sleep of a loop: the machine's clock may be set,
	// or the machine sleep, without anybody telling us.
	lookAgain = time.Minute
	// retryAfter is how long a loop waits after the database failed it.
	retryAfter = 5 * time.Second
	// defaultGrace is how long Run waits for what runs when it is told to stop.
	defaultGrace = 6 * time.Second
	// lastWords is how long cancelled work has to return.
	lastWords = time.Second
)

// Scheduler runs the jobs of one desk. There is one for each data folder: the
// folder lock is what keeps a second process from taking the same rows.
type Scheduler struct {
	Grace   time.Duration // how long Run waits for running work; set before Run
	Workers int           // durable jobs at a time; set before Run

	app      core.App
	log      *event.Log
	clock    desk.Clock
	zone     func() *time.Location // of the desk, asked anew each time
	instance string                // whose leases are ours

	timed   []*timedJob
	kinds   map[string]*Kind
	timer   chan struct{} // wakes the loop of timed jobs
	queue   chan struct{} // wakes the loop of the queue
	slots   chan struct{} // one for each timed job that may run now
	crew    sync.WaitGroup
	renewed time.Time // when the leases were, for the loop of the queue alone

	mu     sync.Mutex          // guards what follows
	work   context.Context     // of everything that runs; nil unless Run does
	active map[string]*Attempt // by id of the durable job
	looked time.Time           // when the loop of the queue had its last turn
	since  time.Time           // since when nothing but work keeps due jobs waiting
}

// New returns a scheduler that does nothing until Run; zone answers the time
// zone of jobs that name none.
func New(app core.App, log *event.Log, clock desk.Clock, zone func() *time.Location) *Scheduler {
	return &Scheduler{
		Grace: defaultGrace, Workers: 4,
		app: app, log: log, clock: clock, zone: zone, instance: desk.NewID(clock.Now()),
		kinds: map[string]*Kind{}, active: map[string]*Attempt{},
		timer: make(chan struct{}, 1), queue: make(chan struct{}, 1), slots: make(chan struct{}, timedAtOnce),
	}
}

// Run works until ctx ends, then takes nothing new and waits for what runs. What
// has not returned after Grace is cancelled; its rows stay as they are and are
// taken up by the next Run, which is the only one at that time on this folder.
func (s *Scheduler) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := s.recoverRows(); err != nil {
		return fmt.Errorf("take up jobs of the last run: %w", err)
	}
	s.begin(work)
	var loops sync.WaitGroup
	loops.Go(func() { s.loop(ctx, "timed jobs", s.timer, s.turnTimed) })
	loops.Go(func() { s.loop(ctx, "queue", s.queue, s.turnQueue) })
	loops.Wait()
	s.end()
	return s.finish(cancel)
}

// begin lets work start in the given context; nil lets nothing start.
func (s *Scheduler) begin(work context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work = work
}

func (s *Scheduler) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work = nil
}

// recoverRows looks after what a process left running that is no more.
func (s *Scheduler) recoverRows() error {
	if err := s.recoverTimed(); err != nil {
		return err
	}
	return s.recoverQueue()
}

// loop calls turn whenever something may be due: at the time it answered last,
// when woken, when the clock was moved, and every now and then.
func (s *Scheduler) loop(ctx context.Context, name string, wake <-chan struct{}, turn func() (time.Time, error)) {
	for ctx.Err() == nil {
		var next time.Time
		moved := s.clock.Moved() // asked first: a move during the turn counts
		err := guard(func() (err error) { next, err = turn(); return err })
		if err != nil {
			s.app.Logger().Error("scheduler can't look for work", "loop", name, "error", err)
			next = s.clock.Now().Add(retryAfter)
		}
		nap := lookAgain
		if !next.IsZero() {
			nap = min(nap, next.Sub(s.clock.Now()))
		}
		sleep(ctx, nap, wake, moved)
	}
}

// sleep lasts d of elapsed time, unless ctx ends or one of the others wakes.
func sleep(ctx context.Context, d time.Duration, wake, moved <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	case <-moved:
	}
}

// finish waits for the crew, at last with their context cancelled.
func (s *Scheduler) finish(cancel context.CancelFunc) error {
	done := make(chan struct{})
	go func() {
		s.crew.Wait()
		close(done)
	}()
	if waited(done, s.Grace) {
		return nil
	}
	cancel()
	if waited(done, lastWords) {
		return nil
	}
	return errors.New("some jobs did not stop in time; they are taken up at the next start")
}

func waited(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// guard turns a panic of f into an error that carries where it happened.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{what: p, stack: debug.Stack()}
		}
	}()
	return f()
}

// panicked is the error of code that panicked.
type panicked struct {
	what  any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.what) }

// logFailure logs an error of a job, with the stack of a panic.
func (s *Scheduler) logFailure(what, name string, err error) {
	var p *panicked
	if errors.As(err, &p) {
		s.app.Logger().Error("a job panicked", "sort", what, "name", name, "error", err, "stack", string(p.stack))
		return
	}
	s.app.Logger().Warn("a job failed", "sort", what, "name", name, "error", err)
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyhow
	}
}

// sentence is what a person may read of an error.
func sentence(err error) string {
	text := err.Error()
	if r := []rune(text); len(r) > 500 {
		return string(r[:500]) + "…"
	}
	return text
}
