package email

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	usualLife    = time.Hour        // of an access token when the provider does not say
	renewAhead   = 5 * time.Minute  // of its end an access token is renewed; at most a fifth of its life
	tokenTimeout = 20 * time.Second // for one answer of a provider
	refusalPause = 5 * time.Minute  // between two renewals because a mail server refused a token
)

// patience is how soon a provider is asked again after a failure, doubled each
// time up to most; tests are less patient.
type patience struct{ first, most time.Duration }

var (
	usualUnreached = patience{time.Second, time.Minute}
	usualRefused   = patience{time.Minute, 15 * time.Minute} // it may mend by itself: an administrator agrees
)

func (p patience) after(failures int) time.Duration { return min(p.first<<min(failures-1, 16), p.most) }

// tokens are the access tokens of one grant. One renewal runs at a time, and
// everybody who needs a token meanwhile waits for it.
type tokens struct {
	grants      *grants // nil while nobody has consented: there is the one token then
	mailbox, id string

	mu       sync.Mutex
	access   string
	until    time.Time // when it is to be renewed
	renewal  *renewal  // nil when none runs
	rotated  *rotation // a new refresh token that could not be stored yet
	failure  *grantError
	failures int
	next     time.Time // when the provider is asked again after a failure
	refusal  time.Time // when a refused token was last renewed before its time
}

// renewal is one under way; the rest is there once done is closed.
type renewal struct {
	done   chan struct{}
	access string
	err    error
}

// get returns an access token that should work, renewing it if need be.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	if t.grants == nil {
		defer t.mu.Unlock()
		return t.access, nil
	}
	now := t.grants.clock.Now()
	if t.access != "" && now.Before(t.until) {
		defer t.mu.Unlock()
		return t.access, nil
	}
	if t.failure != nil && now.Before(t.next) {
		defer t.mu.Unlock()
		return "", t.failure
	}
	r := t.renewal
	if r == nil {
		if r = t.begin(); r == nil {
			t.mu.Unlock()
			return "", errStopping
		}
	}
	t.mu.Unlock()
	select {
	case <-r.done:
		return r.access, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// instead returns another access token for one that a mail server refused, ""
// when there is no use in asking for one again so soon.
func (t *tokens) instead(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	if t.grants == nil {
		t.mu.Unlock()
		return "", nil
	}
	if t.access == refused {
		now := t.grants.clock.Now()
		if !t.refusal.IsZero() && now.Before(t.refusal.Add(refusalPause)) {
			t.mu.Unlock()
			return "", nil
		}
		t.refusal, t.access = now, ""
	}
	t.mu.Unlock()
	return t.get(ctx)
}

// begin starts a renewal, which goes on when those who wait for it give up;
// nil when the desk stops. t.mu is held.
func (t *tokens) begin() *renewal {
	r := &renewal{done: make(chan struct{})}
	ctx, ok := t.grants.enter(r)
	if !ok {
		return nil
	}
	t.renewal = r
	go func() {
		defer t.grants.leave(r)
		defer close(r.done)
		a, failure := t.askSafely(ctx)
		t.end(r, a, failure)
	}()
	return r
}

// askSafely is ask with a panic as a failure.
func (t *tokens) askSafely(ctx context.Context) (a tokenAnswer, failure *grantError) {
	defer func() {
		if v := recover(); v != nil {
			t.grants.logger.Error("panic", "doing", "renew an access token", "error", fmt.Sprint(v), "stack", string(debug.Stack()))
			failure = &grantError{text: "An error of our own kept the desk from signing in; the log says more. It tries again."}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	return t.ask(ctx)
}

// end notes how a renewal went.
func (t *tokens) end(r *renewal, a tokenAnswer, failure *grantError) {
	k := t.grants
	t.mu.Lock()
	defer t.mu.Unlock()
	now := k.clock.Now()
	t.renewal = nil
	if failure == nil {
		t.access, t.until = a.access, now.Add(a.life-min(renewAhead, a.life/5))
		t.failure, t.failures, t.next = nil, 0, time.Time{}
		r.access = a.access
		return
	}
	wait := k.unreached
	if failure.final {
		wait = k.refused
	}
	t.failures++
	t.access, t.failure, t.next = "", failure, now.Add(wait.after(t.failures))
	r.err = failure
	k.logger.Warn("access token not renewed", "mailbox", t.mailbox, "failures", t.failures, "error", failure.Error())
}

// trouble is why the provider gives no token, nil when it does or when only the
// network was in the way.
func (t *tokens) trouble() *grantError {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil || !t.failure.final {
		return nil
	}
	return t.failure
}

// forget makes the provider be asked anew, after what it refused was changed.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access, t.failure, t.failures, t.next, t.refusal = "", nil, 0, time.Time{}, time.Time{}
}

// start gives a grant the access token that came with its consent.
func (t *tokens) start(a tokenAnswer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access, t.until = a.access, t.grants.clock.Now().Add(a.life-min(renewAhead, a.life/5))
}
