package email

import (
	"context"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// rotation is what an answer of the provider changes in the grant's row.
type rotation struct {
	refresh string    // "" when the refresh token is still the one that is stored
	issued  time.Time // of the refresh token
	expires time.Time // zero when the provider did not say
}

// sameEnd is how far two ends of a grant may lie apart and be the same one: the
// provider counts in seconds from whenever it answers.
const sameEnd = time.Hour

// ask gets a new access token. A refresh token that comes with it is stored
// before the access token is used, since the old one may be worth nothing now.
func (t *tokens) ask(ctx context.Context) (tokenAnswer, *grantError) {
	if failure := t.storeRotation(); failure != nil {
		return tokenAnswer{}, failure
	}
	k := t.grants
	g, sealed, err := loadGrant(k.app, t.mailbox)
	switch {
	case err != nil:
		return tokenAnswer{}, &grantError{text: "The desk could not read how to sign in; it tries again.", detail: err.Error()}
	case g == nil || g.ID != t.id:
		return tokenAnswer{}, &grantError{text: "The mailbox was connected anew meanwhile; the desk tries again."}
	}
	secrets, err := sealed.open(k.box, t.mailbox)
	if err != nil {
		return tokenAnswer{}, &grantError{text: "The desk's key has changed, so it can't sign in any more. Connect the mailbox again, with the client secret.", final: true}
	}
	a, failure := k.refresh(ctx, *g, secrets)
	if failure != nil {
		return tokenAnswer{}, failure
	}
	t.noteRotation(*g, secrets.refresh, a)
	return a, t.storeRotation()
}

// noteRotation keeps what of an answer has to be stored.
func (t *tokens) noteRotation(g Grant, refresh string, a tokenAnswer) {
	now := t.grants.clock.Now()
	r := rotation{issued: g.Issued, expires: g.Expires}
	if a.refresh != "" && a.refresh != refresh {
		r = rotation{refresh: a.refresh, issued: now}
	}
	if a.refreshLife > 0 {
		r.expires = now.Add(a.refreshLife)
	}
	if r.refresh == "" && r.expires.Sub(g.Expires).Abs() < sameEnd {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rotated = &r
}

// storeRotation stores what is left to be stored.
func (t *tokens) storeRotation() *grantError {
	t.mu.Lock()
	r := t.rotated
	t.mu.Unlock()
	if r == nil {
		return nil
	}
	k := t.grants
	err := k.app.RunInTransaction(func(tx core.App) error {
		return saveRotation(tx, k.box, t.mailbox, t.id, *r, k.clock.Now())
	})
	if err != nil {
		text := "The desk could not store the renewed permission to sign in; it tries again."
		if desk.DiskFull(err) {
			text = "The disk is full, so the renewed permission to sign in can't be stored. Make room on it; the desk goes on by itself."
		}
		return &grantError{text: text, detail: err.Error()}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rotated == r {
		t.rotated = nil
	}
	return nil
}
