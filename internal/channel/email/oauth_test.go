package email

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
	"github.com/deskbell/deskbell/internal/sqlite"
)

func TestConnectByOAuth(t *testing.T) {
	for _, provider := range []string{"google", "microsoft"} {
		t.Run(provider, func(t *testing.T) {
			k := newOAuthKit(t, oauthtest.Options{Microsoft: provider == "microsoft", Rotate: provider == "microsoft"})
			k.imap.Append(t, letter(1)) // older than the connection
			k.run(t)
			id := k.connect(t, google(map[string]any{"provider": provider, "name": "Support"}))
			k.state(t, id, StateOK)
			k.imap.Append(t, letter(2))
			if got := subjects(k.ledger.wait(t, 1)); got != "2" {
				t.Errorf("got letters %s, want 2", got)
			}
			box := k.mailbox(t, id)
			if result, _ := k.send(t.Context(), outbound(box), "anna@example.org"); result.State != desk.SendSent {
				t.Fatalf("sending: %+v", result)
			}
			if m := k.smtp.Wait(t, 1)[0]; m.User != address || m.From != address {
				t.Errorf("sent as %+v", m)
			}
			if exchanges, refreshes := k.as.Counts(); exchanges != 1 || refreshes != 0 {
				t.Errorf("%d codes and %d refresh tokens were exchanged", exchanges, refreshes)
			}
			shown := k.shown(t, id)
			if shown.OAuth == nil || shown.OAuth.Provider != provider || shown.OAuth.Account != address || shown.OAuth.State != grantOK || shown.IMAP.HasPassword || shown.Text != "" {
				t.Errorf("shown as %+v, %+v", shown, shown.OAuth)
			}
		})
	}
}

func TestConsentAsksAsTheProviderWants(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	c := k.browser(t, "ines one").begin(google())
	q := queryOf(t, c.AuthorizeURL)
	for name, want := range map[string]string{
		"access_type": "offline", "prompt": "consent", "login_hint": address, "scope": "https://mail.google.com/ openid email",
		"redirect_uri": k.url + callbackPath, "response_type": "code", "code_challenge_method": "S256", "client_id": "client-id",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if c.RedirectURL != k.url+callbackPath || c.State != consentPending || q.Get("client_secret") != "" {
		t.Errorf("got %+v", c)
	}
}

func TestAccessTokenEndsAndIsRenewed(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{Rotate: true})
	k.run(t)
	id := k.connect(t, google())
	k.state(t, id, StateOK)

	// Before its time, as a provider may: the mail server's no has it renewed.
	k.as.ExpireAccess()
	k.imap.Append(t, letter(1))
	k.imap.DropConnections()
	k.ledger.wait(t, 1)
	if _, refreshes := k.as.Counts(); refreshes != 1 {
		t.Errorf("%d renewals after a refusal, want 1", refreshes)
	}

	// In time, before it ends.
	k.clock.Advance(56 * time.Minute)
	k.imap.Append(t, letter(2))
	k.imap.DropConnections()
	k.ledger.wait(t, 2)
	if result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org"); result.State != desk.SendSent {
		t.Errorf("sending: %+v", result)
	}
	if _, refreshes := k.as.Counts(); refreshes != 2 {
		t.Errorf("%d renewals, want 2", refreshes)
	}
	k.state(t, id, StateOK)

	// What was stored still works after a restart, though the refresh token rotated.
	k.clock.Advance(time.Hour)
	k.boxes.grants = newGrants(k.app, k.service.options.Box, k.clock)
	k.boxes.grants.http = newOAuthClient(k.service.options)
	if result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org"); result.State != desk.SendSent {
		t.Errorf("after a restart: %+v", result)
	}
}

func TestGrantWithdrawnAndRenewed(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	k.run(t)
	id := k.connect(t, google())
	k.state(t, id, StateOK)
	k.as.Withdraw()
	k.imap.DropConnections()
	text := k.state(t, id, StateFailing)
	if !strings.HasPrefix(text, "Google no longer lets the desk in") || !strings.Contains(text, "Connect again") {
		t.Errorf("the mailbox says %q", text)
	}
	k.imap.Append(t, letter(1)) // waits at its server
	result, stage := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org")
	if result.State != desk.SendDeferred || result.Answer != text || stage != "" {
		t.Errorf("sending: %+v in stage %q", result, stage)
	}
	if shown := k.shown(t, id); shown.OAuth.State != grantFailing || shown.Text != text {
		t.Errorf("shown as %+v, %+v", shown, shown.OAuth)
	}

	k.granted = nil
	c := k.consent(k.browser(t, "ines one"), map[string]any{"id": id})
	if c.State != consentConnected || *c.Mailbox != id || len(k.granted) != 1 {
		t.Fatalf("renewed: %+v, heard of %v", c, k.granted)
	}
	k.state(t, id, StateOK)
	k.ledger.wait(t, 1)
	if result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org"); result.State != desk.SendSent {
		t.Errorf("sending: %+v", result)
	}
	var kinds string
	if _, err := sqlite.One(k.app, []any{&kinds}, "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM events WHERE kind LIKE 'mailbox.%' ORDER BY seq)"); err != nil {
		t.Fatal(err)
	}
	if kinds != "mailbox.connected mailbox.authorized mailbox.changed mailbox.authorized" {
		t.Errorf("the log says %q", kinds)
	}
}

func TestGrantIsNotHammered(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	k.boxes.grants.refused = usualRefused
	id := k.connect(t, google())
	k.as.Withdraw()
	k.clock.Advance(time.Hour)
	for range 20 {
		if result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org"); result.State != desk.SendDeferred {
			t.Fatalf("sending: %+v", result)
		}
	}
	if _, refreshes := k.as.Counts(); refreshes != 1 {
		t.Errorf("the provider was asked %d times within a moment", refreshes)
	}
	k.clock.Advance(61 * time.Second)
	_, _ = k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org")
	if _, refreshes := k.as.Counts(); refreshes != 2 {
		t.Errorf("the provider was asked %d times after a minute, want 2: it may have changed its mind", refreshes)
	}
}

func TestProviderOutOfReachIsTriedAgain(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	k.run(t)
	id := k.connect(t, google())
	k.state(t, id, StateOK)
	k.as.Fail(&oauthtest.Failure{Status: 503, Code: "server_error"})
	k.clock.Advance(time.Hour)
	k.imap.Append(t, letter(1))
	k.imap.DropConnections()
	if text := k.state(t, id, StateFailing); !strings.Contains(text, "tries again") {
		t.Errorf("the mailbox says %q", text)
	}
	if shown := k.shown(t, id); shown.OAuth.State != grantOK {
		t.Errorf("a bad day of the provider is shown as %+v", shown.OAuth)
	}
	k.as.Fail(nil)
	k.ledger.wait(t, 1)
	k.state(t, id, StateOK)
}

func TestOAuthSecretsStaySealed(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{Rotate: true})
	k.run(t)
	b := k.browser(t, "ines one")
	c := k.consent(b, google())
	k.state(t, *c.Mailbox, StateOK)
	k.as.ExpireAccess()
	k.imap.DropConnections()
	k.clock.Advance(2 * time.Hour)
	_, _ = k.send(t.Context(), outbound(k.mailbox(t, *c.Mailbox)), "anna@example.org")

	// A consent that comes to nothing keeps its draft, and a provider that
	// repeats what it was told must not be repeated.
	k.as.Fail(&oauthtest.Failure{Status: 400, Code: "invalid_client", Description: "client-secret-x is wrong"})
	again := b.begin(google(map[string]any{"address": "sales@desk.test"}))
	b.follow(k.as.Consent(t, again.AuthorizeURL))
	if got := b.outcome(again.ID); got.State != consentFailed {
		t.Errorf("ended as %+v", got)
	}
	k.clock.Advance(2 * time.Hour)
	_, _ = k.send(t.Context(), outbound(k.mailbox(t, *c.Mailbox)), "anna@example.org")
	_, body := b.do("POST", "/api/desk/mailboxes/test", map[string]any{"id": *c.Mailbox, "address": address, "imap": map[string]any{"host": "127.0.0.1", "port": k.imap.Port(), "security": "none", "user": address}}, nil)
	if !strings.Contains(body, "imap_login") {
		t.Errorf("the test says %s", body)
	}

	places := map[string]string{"the log": k.logs.String(), "an answer": strings.ReplaceAll(b.seen.String(), "/authorize", "")}
	for _, name := range []string{"data.db", "data.db-wal", "auxiliary.db", "auxiliary.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(k.app.DataDir(), name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		places[name] = string(raw)
	}
	if !strings.Contains(places["data.db"]+places["data.db-wal"], "mailbox_grants") {
		t.Error("the dump is empty")
	}
	for _, secret := range k.as.Secrets() {
		for place, text := range places {
			if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				t.Errorf("%s holds %s", place, secret)
			}
		}
	}
}
