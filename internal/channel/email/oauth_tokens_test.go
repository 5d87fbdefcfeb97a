package email

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/sqlite"
	"golang.org/x/oauth2"
)

// grantTokens are the tokens of a connected mailbox whose access token has ended.
func grantTokens(t *testing.T, o oauthtest.Options) (*oauthKit, *tokens) {
	t.Helper()
	k := newOAuthKit(t, o)
	id := k.connect(t, google())
	k.clock.Advance(time.Hour)
	return k, k.boxes.grants.of(id, *k.mailbox(t, id).Grant)
}

func TestOneRenewalAtATime(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{Rotate: true})
	release := k.as.Hold()
	var wg sync.WaitGroup
	got := make([]string, 20)
	for i := range got {
		wg.Go(func() {
			access, err := tokens.get(t.Context())
			if err != nil {
				t.Error(err)
			}
			got[i] = access
		})
	}
	time.Sleep(50 * time.Millisecond)
	release()
	wg.Wait()
	for _, access := range got {
		if access == "" || access != got[0] {
			t.Errorf("got %q and %q", got[0], access)
		}
	}
	if _, refreshes := k.as.Counts(); refreshes != 1 {
		t.Errorf("%d renewals for 20 callers", refreshes)
	}
}

// A slow answer holds nobody up who gives up, and what it brings is kept.
func TestRenewalOutlivesWhoAsked(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{Rotate: true})
	release := k.as.Hold()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := tokens.get(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	release()
	k.boxes.grants.settle()
	k.boxes.grants.open()
	if access, err := tokens.get(t.Context()); err != nil || !k.as.Valid(address, access) {
		t.Errorf("got %q, %v", access, err)
	}
	k.clock.Advance(time.Hour)
	if _, err := tokens.get(t.Context()); err != nil { // with the refresh token that came late
		t.Error(err)
	}
	if _, refreshes := k.as.Counts(); refreshes != 2 {
		t.Errorf("%d renewals", refreshes)
	}
}

func TestNoRenewalBeginsWhileTheDeskStops(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{})
	k.boxes.grants.settle()
	if _, err := tokens.get(t.Context()); !errors.Is(err, errStopping) {
		t.Errorf("got %v", err)
	}
	k.boxes.grants.open()
	if _, err := tokens.get(t.Context()); err != nil {
		t.Error(err)
	}
}

// Nothing is signed in with before the refresh token that came along is stored.
func TestRotationIsStoredBeforeUse(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{Rotate: true})
	if err := sqlite.Exec(k.app, `CREATE TRIGGER full BEFORE UPDATE ON mailbox_grants BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`); err != nil {
		t.Fatal(err)
	}
	_, err := tokens.get(t.Context())
	var failure *grantError
	if !errors.As(err, &failure) || !strings.Contains(failure.text, "disk is full") || tokens.access != "" {
		t.Errorf("got %v, access token %q", err, tokens.access)
	}
	if err := sqlite.Exec(k.app, `DROP TRIGGER full`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(60 * time.Millisecond)
	if access, err := tokens.get(t.Context()); err != nil || !k.as.Valid(address, access) {
		t.Errorf("got %q, %v", access, err)
	}
}

// A renewal that ends after the mailbox was connected anew changes nothing.
func TestOldRenewalLeavesTheNewGrantAlone(t *testing.T) {
	k, old := grantTokens(t, oauthtest.Options{Rotate: true})
	release := k.as.Hold()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _ = old.get(ctx)
	release()
	c := k.consent(k.browser(t, "ines one"), map[string]any{"id": old.mailbox})
	if c.State != consentConnected {
		t.Fatalf("ended as %+v", c)
	}
	k.boxes.grants.settle()
	k.boxes.grants.open()
	k.clock.Advance(time.Hour)
	if _, err := old.get(t.Context()); err == nil {
		t.Error("the old grant gives out tokens still")
	}
	now := k.boxes.grants.of(old.mailbox, *k.mailbox(t, old.mailbox).Grant)
	if _, err := now.get(t.Context()); err != nil || now == old {
		t.Errorf("the new grant: %v", err)
	}
}

func TestRefusalsRenewSeldom(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{})
	first, err := tokens.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := tokens.instead(t.Context(), first)
	if err != nil || second == "" || second == first {
		t.Errorf("got %q for %q, %v", second, first, err)
	}
	if again, err := tokens.instead(t.Context(), first); err != nil || again != second { // somebody else was refused with the first one too
		t.Errorf("got %q, want %q, %v", again, second, err)
	}
	if third, err := tokens.instead(t.Context(), second); err != nil || third != "" {
		t.Errorf("renewed again within a moment: %q, %v", third, err)
	}
	k.clock.Advance(refusalPause)
	if third, err := tokens.instead(t.Context(), second); err != nil || third == "" {
		t.Errorf("not renewed after a while: %q, %v", third, err)
	}
}

func TestGrantOfAnotherKey(t *testing.T) {
	k, tokens := grantTokens(t, oauthtest.Options{})
	if err := sqlite.Exec(k.app, `UPDATE mailbox_grants SET refresh_token = 's1.AAAA'`); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.get(t.Context()); err == nil || !strings.Contains(err.Error(), "key has changed") {
		t.Errorf("got %v", err)
	}
	c := k.browser(t, "ines one")
	if err := sqlite.Exec(k.app, `UPDATE mailbox_grants SET client_secret = 's1.AAAA'`); err != nil {
		t.Fatal(err)
	}
	if status, body := c.do("POST", "/api/desk/oauth/consents", map[string]any{"id": tokens.mailbox}, nil); status != 400 || !strings.Contains(body, "Enter it again") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestProvidersWordsAreExplained(t *testing.T) {
	k := newGrants(newKit(t).app, nil, desk.SystemClock{})
	at := Grant{Provider: "microsoft", Tenant: "contoso.com", TokenURL: "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"}
	google := Grant{Provider: "google", TokenURL: "https://oauth2.googleapis.com/token"}
	testing := google
	testing.Testing = true
	for _, c := range []struct {
		g           Grant
		code, words string
		says        string
	}{
		{google, "invalid_grant", "Token has been expired or revoked.", "Google no longer lets the desk in: the permission was withdrawn"},
		{testing, "invalid_grant", "Token has been expired or revoked.", "after 7 days"},
		{google, "invalid_grant", "reauth related error (invalid_rapt)", "session control"},
		{google, "invalid_client", "The provided client secret is invalid.", "Google does not know this client id or its secret"},
		{google, "unauthorized_client", "Unauthorized", "does not allow the desk's client"},
		{google, "redirect_uri_mismatch", "Bad Request", "redirect URL"},
		{google, "deleted_client", "The OAuth client was deleted.", "was deleted at Google"},
		{google, "admin_policy_enforced", "", "Admin console"},
		{at, "invalid_client", "AADSTS7000215: Invalid client secret provided. Trace ID: 1", "the secret's value, not its ID"},
		{at, "invalid_client", "AADSTS7000222: The provided client secret keys for app are expired.", "has expired at Microsoft"},
		{at, "unauthorized_client", "AADSTS700016: Application with identifier 'x' was not found in the directory", "in the directory contoso.com"},
		{at, "invalid_request", "AADSTS90002: Tenant 'x' not found.", "no directory contoso.com"},
		{at, "invalid_request", "AADSTS50194: Application is not configured as a multi-tenant application.", "Directory (tenant) ID"},
		{at, "invalid_grant", "AADSTS65001: The user or administrator has not consented to use the application", "An administrator of your organization at Microsoft"},
		{at, "invalid_grant", "AADSTS50173: The provided grant has expired", "Microsoft no longer lets the desk in"},
		{at, "invalid_grant", "AADSTS50076: Due to a configuration change made by your administrator", "second proof"},
		{at, "invalid_grant", "AADSTS50057: The user account is disabled.", "switched off at Microsoft"},
		{at, "invalid_grant", "AADSTS500571: something else", "Microsoft no longer lets the desk in"},
		{at, "invalid_grant", "AADSTS53003: Access has been blocked by Conditional Access policies.", "conditional access"},
		{at, "access_denied", "AADSTS65004: The resource owner declined", "was cancelled"},
		{at, "never_heard_of", "", "Microsoft refused the sign-in"},
		{Grant{Provider: "generic", TokenURL: "https://login.example.com/t"}, "invalid_grant", "", "login.example.com no longer lets the desk in"},
		{google, "temporarily_unavailable", "", "tries again"},
	} {
		e := k.explainCode(c.g, c.code, c.words, "hidden")
		if !strings.Contains(e.text, c.says) || strings.Contains(e.text, "{") || e.final == (c.says == "tries again") {
			t.Errorf("%s %s: %+v", c.code, c.words, e)
		}
	}
	e := k.explainCode(google, "invalid_request", "you sent hid/den+x and hid%2Fden%2Bx\r\nInjected: yes", "hid/den+x")
	if strings.Contains(e.detail, "den") || strings.ContainsAny(e.detail, "\r\n") {
		t.Errorf("detail %q", e.detail)
	}
}

func TestAnswerOfAProvider(t *testing.T) {
	claims := func(json string) string { return "e30." + base64.RawURLEncoding.EncodeToString([]byte(json)) + ".x" }
	for _, c := range []struct {
		token string
		want  string
	}{
		{claims(`{"aud":"me","email":"a@b.example"}`), "a@b.example"},
		{claims(`{"aud":["you","me"],"preferred_username":"a@b.example","upn":"c@d.example"}`), "a@b.example c@d.example"},
		{claims(`{"aud":"you","email":"a@b.example"}`), ""},
		{claims(`{"aud":7,"email":"a@b.example"}`), ""},
		{claims(`{"aud":"me","email":"live.com#a"}`), ""},
		{claims(`no JSON`), ""},
		{"a.b", ""},
		{"a.%%.c", ""},
	} {
		if got := strings.Join(accountsOf(c.token, "me"), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.token, got, c.want)
		}
	}
	for value, want := range map[any]time.Duration{
		float64(604799): 604799 * time.Second, "604799": 604799 * time.Second, "x": 0, float64(-5): 0, 1e300: 10 * 365 * 24 * time.Hour, nil: 0,
	} {
		token := (&oauth2.Token{AccessToken: "a"}).WithExtra(map[string]any{"refresh_token_expires_in": value})
		if a := answerOf(token, "me"); a.refreshLife != want || a.life != usualLife {
			t.Errorf("%v: %v, %v", value, a.refreshLife, a.life)
		}
	}
}

// What is of the inside and no mail server's place is not asked for tokens.
func TestProviderOfTheInside(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	g := &netguard.Guard{}
	client := newOAuthClient(Options{Guard: g})
	k.boxes.grants.http = client
	_, failure := k.boxes.grants.refresh(t.Context(), Grant{Provider: "generic", ClientID: "x", TokenURL: "https://169.254.169.254/token"}, grantSecrets{refresh: "r"})
	if failure == nil || !failure.final || !strings.Contains(failure.text, "169.254.169.254") {
		t.Errorf("got %v", failure)
	}
}
