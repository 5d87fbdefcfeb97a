package email

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/pocketbase/pocketbase/core"
)

// grants gives out the access tokens of a desk's grants.
type grants struct {
	app       core.App
	box       *secret.Box
	clock     desk.Clock
	http      *http.Client // set by New
	logger    *slog.Logger // set by New
	providers []provider

	unreached, refused patience

	mu      sync.Mutex
	known   map[string]*tokens    // by the grant's id; as many as there were consents since the start
	running map[*renewal]struct{} // under way
	base    context.Context       // of renewals
	cancel  context.CancelFunc
	stopped bool // no renewal begins any more
}

func newGrants(app core.App, box *secret.Box, clock desk.Clock) *grants {
	g := &grants{
		app: app, box: box, clock: clock, http: http.DefaultClient, logger: app.Logger(), providers: providers,
		unreached: usualUnreached, refused: usualRefused, known: map[string]*tokens{}, running: map[*renewal]struct{}{},
	}
	g.open()
	return g
}

// open lets renewals begin, also after settle.
func (k *grants) open() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.base == nil || k.base.Err() != nil {
		k.base, k.cancel = context.WithCancel(context.Background())
	}
	k.stopped = false
}

// of returns the tokens of a grant, the same ones every time.
func (k *grants) of(mailbox string, g Grant) *tokens {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.known[g.ID]
	if t == nil {
		t = &tokens{grants: k, mailbox: mailbox, id: g.ID}
		k.known[g.ID] = t
	}
	return t
}

// settle lets no renewal begin any more and waits for those under way, which
// may bring a refresh token that must not get lost, but not for long.
func (k *grants) settle() {
	k.mu.Lock()
	k.stopped = true
	all := slices.Collect(maps.Keys(k.running))
	cancel := k.cancel
	k.mu.Unlock()
	defer time.AfterFunc(lastWordsTimeout, cancel).Stop()
	for _, r := range all {
		<-r.done
	}
	k.http.CloseIdleConnections()
}

// enter notes a renewal that begins; ok is false when none may.
func (k *grants) enter(r *renewal) (ctx context.Context, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return nil, false
	}
	k.running[r] = struct{}{}
	return k.base, true
}

func (k *grants) leave(r *renewal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, r)
}
