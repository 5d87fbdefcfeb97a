package email

import (
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
)

func TestWarnsBeforeAGrantEnds(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		testing bool
		options oauthtest.Options
		quiet   time.Duration // no warning so long after the consent
		warns   time.Duration // a warning by then
		says    string
	}{
		{"said to be in testing", true, oauthtest.Options{}, 5*day - time.Hour, 5*day + time.Hour, "in testing"},
		{"told by the provider", false, oauthtest.Options{RefreshLife: 7 * day}, 5*day - time.Hour, 5*day + time.Hour, "Connect again before that."},
		{"a long life", false, oauthtest.Options{RefreshLife: 90 * day}, 87 * day, 88*day + time.Hour, "only until"},
		{"a short life", false, oauthtest.Options{RefreshLife: 14 * time.Hour}, 9 * time.Hour, 11 * time.Hour, "only until"},
		{"no end", false, oauthtest.Options{}, 400 * day, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newOAuthKit(t, c.options)
			id := k.connect(t, google(map[string]any{"testing": c.testing}))
			k.clock.Advance(c.quiet)
			if text := k.service.GrantText(*k.mailbox(t, id)); text != "" {
				t.Errorf("too early: %q", text)
			}
			if c.warns == 0 {
				return
			}
			k.clock.Advance(c.warns - c.quiet)
			text := k.service.GrantText(*k.mailbox(t, id))
			if !strings.Contains(text, c.says) {
				t.Errorf("says %q", text)
			}
			if shown := k.shown(t, id); shown.Text != text || shown.OAuth.State != grantEnding || shown.OAuth.Expires == nil {
				t.Errorf("shown as %+v, %+v", shown, shown.OAuth)
			}
		})
	}
}

// A refresh token that goes on does not push the warning away.
func TestRenewalsKeepTheWarning(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{RefreshLife: 7 * 24 * time.Hour, Rotate: true})
	id := k.connect(t, google())
	k.clock.Advance(6 * 24 * time.Hour)
	if k.service.GrantText(*k.mailbox(t, id)) == "" {
		t.Error("no warning on the sixth day")
	}
	if _, err := k.boxes.grants.of(id, *k.mailbox(t, id).Grant).get(t.Context()); err != nil { // rotates: another week
		t.Fatal(err)
	}
	if text := k.service.GrantText(*k.mailbox(t, id)); text != "" {
		t.Errorf("the new refresh token lives on, but: %q", text)
	}
}
