package event

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// batch is how many events a subscriber is given at a time.
const batch = 200

// retryAfter is how long a subscriber that failed waits before the same events.
const retryAfter = 5 * time.Second

// storeEvery bounds how often a cursor is written.
const storeEvery = time.Second

// Subscriber is called with events in order, at least once each. Returning an
// error brings the same events again later.
type Subscriber func(ctx context.Context, events []desk.Event) error

// hub wakes everybody who waits for news.
type hub struct {
	mu      sync.Mutex
	waiting []chan struct{}
}

func (h *hub) join() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan struct{}, 1)
	h.waiting = append(h.waiting, c)
	return c
}

func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.waiting {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Wake returns a channel that gets a value after each commit that appended
// something; values are coalesced, so the receiver looks at the log itself.
func (l *Log) Wake() <-chan struct{} { return l.hub.join() }

// Follow hands events to f until ctx ends. With a name it is durable: the
// cursor of that name moves on after f returned nil, and a first start begins
// at the beginning of the log. The cursor is stored at most once a second, so a
// crash brings the last second again. Without a name it begins with what comes
// next.
func (l *Log) Follow(ctx context.Context, name string, f Subscriber) error {
	wake := l.hub.join()
	at, err := l.start(name)
	if err != nil {
		return err
	}
	stored, due := at, time.Time{} // due is when the cursor has to be stored, zero = it is
	defer func() { _ = l.store(name, at, &stored) }()
	for ctx.Err() == nil {
		next, err := l.step(ctx, at, f)
		now := l.clock.Now()
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			l.app.Logger().Error("event subscriber failed", "subscriber", name, "after", at, "error", err)
			_ = desk.Sleep(ctx, l.clock, now.Add(retryAfter), nil)
		case next == at:
			_ = desk.Sleep(ctx, l.clock, due, wake)
		case due.IsZero():
			due = now.Add(storeEvery)
		}
		at = next
		if !due.IsZero() && !l.clock.Now().Before(due) {
			if err := l.store(name, at, &stored); err != nil {
				l.app.Logger().Error("an event cursor could not be stored", "subscriber", name, "error", err)
			}
			due = time.Time{}
		}
	}
	return nil
}

// store keeps how far a named subscriber has come.
func (l *Log) store(name string, at int64, stored *int64) error {
	if name == "" || at == *stored {
		return nil
	}
	*stored = at
	return setCursor(l.app, name, at)
}

func (l *Log) start(name string) (int64, error) {
	if name == "" {
		return Last(l.app)
	}
	at, _, err := cursor(l.app, name)
	return at, err
}

// step delivers the next events after at and returns the new position; on
// failure it returns at itself.
func (l *Log) step(ctx context.Context, at int64, f Subscriber) (next int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, err = at, fmt.Errorf("panic: %v", p)
		}
	}()
	events, err := Since(l.app, at, batch)
	if err != nil || len(events) == 0 {
		return at, err
	}
	if err := f(ctx, events); err != nil {
		return at, err
	}
	return events[len(events)-1].Seq, nil
}
