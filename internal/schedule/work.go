package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

const (
	defaultAttempts = 10               // of a Kind that names no number
	defaultLimit    = 10 * time.Minute // of a Kind that names none
	lease           = time.Minute      // how long a claim lasts; renewed while the handler runs
)

// defaultBackoff is how long a failed job waits before the next attempt; the
// last one repeats.
var defaultBackoff = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Kind is a sort of durable job with its handler.
type Kind struct {
	Name     string          // "owner.verb"; reaches the database, never renamed
	Attempts int             // before a job is dead; 0 = 10
	Backoff  []time.Duration // after the first, second ... failure, the last repeats; nil = 1, 5, 15, 60 min
	Limit    time.Duration   // of one attempt, after it its context ends; 0 = 10 min
	Parallel int             // attempts of this kind at a time; 0 = as many as there are workers

	// Run does the work. It runs at least once for each job: after a crash it
	// runs again, so it must be idempotent or end with Attempt.Done in the
	// transaction of its effects. An error brings the job again after a
	// back-off, one made by Permanent makes it dead at once.
	Run func(ctx context.Context, a *Attempt) error
}

// Handle registers the handler of a kind; call it before Run. A kind given
// twice panics.
func (s *Scheduler) Handle(k Kind) {
	if k.Name == "" || k.Run == nil {
		panic(fmt.Sprintf("schedule: kind %q needs a name and a handler", k.Name))
	}
	if s.kinds[k.Name] != nil {
		panic("schedule: kind " + k.Name + " is handled already")
	}
	if k.Attempts == 0 {
		k.Attempts = defaultAttempts
	}
	if k.Backoff == nil {
		k.Backoff = defaultBackoff
	}
	if k.Limit == 0 {
		k.Limit = defaultLimit
	}
	s.kinds[k.Name] = &k
}

// wait is how long a job that failed its n-th attempt waits.
func (k *Kind) wait(n int) time.Duration {
	return k.Backoff[min(n, len(k.Backoff))-1]
}

// Work is one durable job as it is put into the queue.
type Work struct {
	Kind    string
	Payload any       // what the handler reads; marshalled to JSON
	At      time.Time // not before; zero = as soon as there is a free worker
	Key     string    // names the work within its kind, "" for none: see Enqueue
	Move    bool      // of waiting work with the same key, At replaces its time
}

// Enqueue writes work as part of the transaction of tx, or by itself when app
// has none, and returns its id.
//
// Work with a key is there once: if work of that kind and key waits, it gets the
// new payload and keeps the earlier of both times (with Move, the new one); if it
// is being done, it is done once more afterwards; if it is dead, it is revived.
// Finished work is forgotten, so its key is free again.
func (s *Scheduler) Enqueue(app core.App, w Work) (id string, err error) {
	if s.kinds[w.Kind] == nil {
		return "", fmt.Errorf("enqueue %s: no handler is registered for this kind", w.Kind)
	}
	payload, err := json.Marshal(w.Payload)
	if err != nil {
		return "", fmt.Errorf("enqueue %s: %w", w.Kind, err)
	}
	now := s.clock.Now()
	if w.At.IsZero() {
		w.At = now
	}
	err = app.RunInTransaction(func(tx core.App) error {
		tx.TxInfo().OnComplete(func(err error) error {
			if err == nil {
				poke(s.queue)
			}
			return nil
		})
		id, err = insertWork(tx, desk.NewID(now), w, payload, now)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("enqueue %s: %w", w.Kind, err)
	}
	return id, nil
}

// Cancel takes waiting or dead work out of the queue and tells whether there was
// any. Work that is being done ends its attempt and is not tried again if that
// fails, nor done once more.
func (s *Scheduler) Cancel(app core.App, kind, key string) (found bool, err error) {
	if key == "" {
		return false, nil
	}
	err = app.RunInTransaction(func(tx core.App) error {
		found, err = deleteWork(tx, kind, key)
		if err != nil || found {
			return err
		}
		return writeLastAttempt(tx, kind, key)
	})
	return found, err
}

// errLease is the end of an attempt whose job is somebody else's by now.
var errLease = errors.New("the lease of this job has passed to somebody else")

// permanent marks an error that another attempt would only repeat.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent makes the error of a handler final: the job is dead at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Attempt is one try at a durable job, as its handler sees it.
type Attempt struct {
	ID     string
	Kind   string
	Key    string // "" for none
	Number int    // 1 for the first

	s       *Scheduler
	payload json.RawMessage
	done    bool // Done has committed; only the handler's goroutine touches it
}

// Read unmarshals the payload into v.
func (a *Attempt) Read(v any) error {
	if err := json.Unmarshal(a.payload, v); err != nil {
		return Permanent(fmt.Errorf("read payload of %s: %w", a.Kind, err))
	}
	return nil
}

// Progress shows how far the work is; zero total means unknown. It is one small
// write, so call it at most a few times a second.
func (a *Attempt) Progress(done, total int64) error {
	return writeProgress(a.s.app, a, done, total)
}

// Done finishes the job in tx, the transaction of its effects: both commit or
// neither does, so the effects happen once even if the process dies. It fails
// when the job is somebody else's by now; then tx must not commit.
func (a *Attempt) Done(tx core.App) error {
	if err := a.finish(tx); err != nil {
		return err
	}
	if info := tx.TxInfo(); info != nil {
		info.OnComplete(func(err error) error {
			a.done = err == nil
			return nil
		})
		return nil
	}
	a.done = true
	return nil
}

// finish takes the job out of the queue, or queues it once more when it was
// asked for meanwhile.
func (a *Attempt) finish(app core.App) error {
	return app.RunInTransaction(func(tx core.App) error {
		n, err := requeueAgain(tx, a, a.s.clock.Now())
		if err == nil && n == 0 {
			n, err = deleteDone(tx, a)
		}
		if err == nil && n == 0 {
			err = errLease
		}
		return err
	})
}
