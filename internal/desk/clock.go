package desk

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time of the desk. Every package takes one; only boot makes it.
type Clock interface {
	// Now is the current time in UTC.
	Now() time.Time
	// Moved returns a channel that is closed when the clock was moved by hand,
	// so that whoever sleeps until a time looks again. A clock that never
	// moves returns nil.
	Moved() <-chan struct{}
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now().UTC() }

// Moved implements Clock; the machine's clock is never moved by us.
func (SystemClock) Moved() <-chan struct{} { return nil }

// TestClock runs on from a given start and can be moved by hand.
type TestClock struct {
	mu     sync.Mutex
	offset time.Duration
	moved  chan struct{}
}

// NewTestClock returns a clock that shows start now and runs on from there.
func NewTestClock(start time.Time) *TestClock {
	return &TestClock{offset: time.Until(start), moved: make(chan struct{})}
}

// Now implements Clock.
func (c *TestClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset).UTC()
}

// Moved implements Clock.
func (c *TestClock) Moved() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved
}

// Advance moves the clock by d, which may be negative, and wakes the sleepers.
func (c *TestClock) Advance(d time.Duration) { c.move(func() { c.offset += d }) }

// Set moves the clock to t and wakes the sleepers.
func (c *TestClock) Set(t time.Time) { c.move(func() { c.offset = time.Until(t) }) }

func (c *TestClock) move(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.moved)
	c.moved = make(chan struct{})
}

// Sleep waits until the clock shows t or later, wake delivers, or ctx ends.
// A zero t sleeps until woken. It returns ctx's error, nil otherwise; a caller
// looks at its work again in either case.
func Sleep(ctx context.Context, c Clock, t time.Time, wake <-chan struct{}) error {
	var due <-chan time.Time
	moved := c.Moved()
	if !t.IsZero() {
		timer := time.NewTimer(t.Sub(c.Now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-due:
	case <-wake:
	case <-moved:
	}
	return nil
}

// Millis is t in milliseconds since 1970, the form in which times are stored;
// the zero time is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the inverse of Millis: 0 gives the zero time.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Stamp is a stored time as the API shows it: RFC 3339 in UTC with
// milliseconds, nil for 0.
func Stamp(ms int64) *string {
	if ms == 0 {
		return nil
	}
	s := Time(ms).Format("2006-01-02T15:04:05.000Z")
	return &s
}

// MustStamp is Stamp for a time that is always there; 0 gives "".
func MustStamp(ms int64) string {
	if s := Stamp(ms); s != nil {
		return *s
	}
	return ""
}
