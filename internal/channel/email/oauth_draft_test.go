package email

import (
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
	"github.com/deskbell/deskbell/internal/route"
)

// connected is a desk with a mailbox at Google.
func connected(t *testing.T) (*oauthKit, string) {
	t.Helper()
	k := newOAuthKit(t, oauthtest.Options{})
	return k, k.connect(t, google())
}

func generic(k *oauthKit, more ...map[string]any) map[string]any {
	in := google(map[string]any{
		"provider": "generic", "authorize_url": k.as.AuthorizeURL(), "token_url": k.as.TokenURL(), "scopes": []string{"mail", "offline_access"},
		"imap": map[string]any{"host": "127.0.0.1", "port": k.imap.Port(), "security": "none"},
		"smtp": map[string]any{"host": "127.0.0.1", "port": k.smtp.Port(), "security": "none"},
	})
	for _, m := range more {
		for name, value := range m {
			in[name] = value
		}
	}
	return in
}

func TestConsentInput(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	far := map[string]any{"host": "imap.example.com", "port": 993}
	for name, c := range map[string]struct {
		in    map[string]any
		field string
	}{
		"no provider":          {google(map[string]any{"provider": "yahoo"}), "provider"},
		"no client":            {google(map[string]any{"client_id": " "}), "client_id"},
		"lines in the client":  {google(map[string]any{"client_id": "a\nb"}), "client_id"},
		"no secret":            {google(map[string]any{"client_secret": ""}), "client_secret"},
		"secret left out":      {google(map[string]any{"client_secret": nil}), "client_secret"},
		"no address":           {google(map[string]any{"address": "x"}), "address"},
		"lines in the user":    {google(map[string]any{"user": "a\x01b"}), "user"},
		"no team":              {google(map[string]any{"team": "nope"}), "team"},
		"bad tenant":           {google(map[string]any{"provider": "microsoft", "tenant": "x/../y"}), "tenant"},
		"foreign server":       {google(map[string]any{"imap": far}), "imap.host"},
		"no URL":               {generic(k, map[string]any{"token_url": ""}), "token_url"},
		"http":                 {generic(k, map[string]any{"authorize_url": "http://login.example.com/"}), "authorize_url"},
		"a password in a URL":  {generic(k, map[string]any{"token_url": "https://u:p@login.example.com/"}), "token_url"},
		"another scheme":       {generic(k, map[string]any{"authorize_url": "javascript:alert(1)"}), "authorize_url"},
		"no servers":           {generic(k, map[string]any{"imap": nil, "smtp": nil}), "imap"},
		"a token in the clear": {generic(k, map[string]any{"imap": far}), "imap.security"},
	} {
		status, body := k.browser(t, "ines one").do("POST", "/api/desk/oauth/consents", c.in, nil)
		if status != 400 || !strings.Contains(body, `"`+c.field+`":`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, _ := k.browser(t, "ines one").do("POST", "/api/desk/oauth/consents", map[string]any{"id": "nosuchthing0000"}, nil); status != 404 {
		t.Errorf("no mailbox: %d", status)
	}
}

func TestGenericProvider(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{NoIdentity: true})
	k.run(t)
	id := k.connect(t, generic(k))
	k.state(t, id, StateOK)
	k.imap.Append(t, letter(1))
	k.ledger.wait(t, 1)
	if shown := k.shown(t, id); shown.OAuth.Account != "" || shown.OAuth.TokenURL != k.as.TokenURL() || len(shown.OAuth.Scopes) != 2 {
		t.Errorf("shown as %+v", shown.OAuth)
	}
}

// A mailbox that signed in by password goes on where it was.
func TestPasswordBecomesOAuth(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{Account: "user"})
	k.run(t)
	in := box(k.imap)
	in.Address = address
	id := k.add(t, in).ID
	k.state(t, id, StateOK)
	k.imap.Append(t, letter(1))
	k.ledger.wait(t, 1)
	c := k.consent(k.browser(t, "ines one"), map[string]any{"id": id, "provider": "google", "client_id": "client-id", "client_secret": "client-secret-x"})
	if c.State != consentConnected || *c.Mailbox != id {
		t.Fatalf("ended as %+v", c)
	}
	k.imap.SetPassword("another")
	k.imap.DropConnections()
	k.imap.Append(t, letter(2))
	if got := subjects(k.ledger.wait(t, 2)); got != "1 2" {
		t.Errorf("got letters %s", got)
	}
	if b := k.mailbox(t, id); b.Grant == nil || b.IMAP.Password != "" || b.IMAP.tokens == nil || b.SMTP.tokens == nil {
		t.Errorf("got %+v", b)
	}
}

func TestOAuthBecomesPassword(t *testing.T) {
	k, id := connected(t)
	by := desk.System("test")
	password := &ServerInput{Host: "127.0.0.1", Port: k.imap.Port(), Security: SecurityNone, User: "user", Password: ptr("password")}

	// Sending still needs the grant, so it stays.
	got, err := k.boxes.Change(by, id, Patch{IMAP: password}, Look{})
	if err != nil || got.Grant == nil || got.IMAP.tokens != nil || got.SMTP.tokens == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	got, err = k.boxes.Change(by, id, Patch{SMTP: &ServerInput{Host: "127.0.0.1", Port: k.smtp.Port()}}, Look{})
	if err != nil || got.Grant != nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	if g, _, err := loadGrant(k.app, id); g != nil || err != nil {
		t.Errorf("the grant is kept: %+v, %v", g, err)
	}
}

// A relay that sends for the mailbox by password stays when the grant is renewed,
// be it with another client.
func TestRenewalLeavesARelayAlone(t *testing.T) {
	k, id := connected(t)
	relay := &ServerInput{Host: "relay.example.com", Port: 2525, Security: SecurityTLS, User: "u", Password: ptr("p")}
	if _, err := k.boxes.Change(desk.System("test"), id, Patch{SMTP: relay}, Look{}); err != nil {
		t.Fatal(err)
	}
	for _, in := range []map[string]any{{"id": id}, google(map[string]any{"id": id, "client_secret": nil, "testing": true})} {
		if c := k.consent(k.browser(t, "ines one"), in); c.State != consentConnected {
			t.Fatalf("ended as %+v", c)
		}
	}
	if b := k.mailbox(t, id); b.SMTP.Host != "relay.example.com" || b.SMTP.Password != "p" || b.SMTP.tokens != nil || b.IMAP.tokens == nil || !b.Grant.Testing {
		t.Errorf("got %+v, %+v", b, b.SMTP)
	}
}

// A token goes to no server but those that somebody consented for.
func TestTokenGoesNowhereElse(t *testing.T) {
	k, id := connected(t)
	for _, in := range []*ServerInput{{Host: "evil.example.com", User: address}, {Host: "127.0.0.1", User: "other@desk.test"}} {
		_, err := k.boxes.Change(desk.System("test"), id, Patch{IMAP: in}, Look{})
		if desk.CodeOf(err) != desk.Invalid || !strings.Contains(err.Error(), "connect it again") {
			t.Errorf("%+v: %v", in, err)
		}
	}
	same := &ServerInput{Host: "127.0.0.1", Port: k.imap.Port(), Security: SecurityNone, User: address}
	if got, err := k.boxes.Change(desk.System("test"), id, Patch{Name: ptr("Help"), IMAP: same}, Look{}); err != nil || got.IMAP.tokens == nil || got.Name != "Help" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := k.boxes.Remove(desk.System("test"), id); err != nil {
		t.Fatal(err)
	}
	if g, _, err := loadGrant(k.app, id); g != nil || err != nil {
		t.Errorf("a removed mailbox leaves its grant: %+v, %v", g, err)
	}
}

// The stored client secret goes to no other client or place.
func TestClientSecretGoesNowhereElse(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	id := k.connect(t, generic(k))
	b := k.browser(t, "ines one")
	in := generic(k, map[string]any{"id": id, "client_secret": nil})
	if c := k.consent(b, in); c.State != consentConnected {
		t.Errorf("the same client: %+v", c)
	}
	for name, more := range map[string]map[string]any{
		"another place": {"token_url": "https://evil.example.com/token"}, "another client": {"client_id": "other"},
	} {
		c := b.begin(generic(k, in, more))
		found, err := loadConsent(k.app, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := openDraft(k.service.options.Box, c.ID, found.draft); err != nil || d.Secret != "" {
			t.Errorf("%s gets the secret %q, %v", name, d.Secret, err)
		}
	}
}

func TestClientSecretIsChanged(t *testing.T) {
	k, id := connected(t)
	k.as.SetSecret("client-secret-y")
	k.clock.Advance(2 * time.Hour)
	result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org")
	if !strings.Contains(result.Answer, "client id or its secret") || result.State != desk.SendDeferred {
		t.Errorf("with the old secret: %+v", result)
	}
	k.boxes.grants.of(id, *k.mailbox(t, id).Grant).next = k.clock.Now().Add(time.Hour)
	b := k.browser(t, "ines one")
	if status, body := b.do("PATCH", "/api/desk/oauth/grants/"+id, map[string]any{"client_secret": "client-secret-y"}, nil); status != 200 || strings.Contains(body, "client-secret") {
		t.Errorf("change: %d %s", status, body)
	}
	if result, _ := k.send(t.Context(), outbound(k.mailbox(t, id)), "anna@example.org"); result.State != desk.SendSent {
		t.Errorf("with the new secret: %+v", result)
	}
	plain := k.add(t, Input{Address: "sales@desk.test"})
	if status, _ := b.do("PATCH", "/api/desk/oauth/grants/"+plain.ID, map[string]any{"client_secret": "x"}, nil); status != 409 {
		t.Errorf("a mailbox without a grant: %d", status)
	}
}

func TestProvidersAreShownWithTheWayToAClient(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	k.boxes.grants.providers = providers
	var out shownProviders
	if status, body := k.browser(t, "ines one").do("GET", "/api/desk/oauth/providers", nil, &out); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if out.RedirectURL != k.url+callbackPath || out.RedirectWarning == "" || len(out.Providers) != 3 {
		t.Errorf("got %+v", out)
	}
	for _, p := range out.Providers {
		copies := 0
		for _, step := range p.Steps {
			if step.Copy == out.RedirectURL {
				copies++
			}
			if !strings.HasSuffix(step.Text, ".") || strings.Contains(step.Text, "{") {
				t.Errorf("%s: %q", p.ID, step.Text)
			}
		}
		if copies != 1 {
			t.Errorf("%s shows the redirect URL %d times", p.ID, copies)
		}
	}
	if p := out.Providers[0]; p.IMAP.Host != "imap.gmail.com" || !p.AsksTesting || !p.NeedsSecret || !strings.Contains(p.Warning, "7 days") {
		t.Errorf("got %+v", p)
	}
	if p := out.Providers[2]; p.IMAP != nil || !p.AsksURLs {
		t.Errorf("got %+v", p)
	}
}

func TestRedirectTrouble(t *testing.T) {
	for redirect, fine := range map[string]bool{
		"https://desk.example.com/x": true, "http://localhost:8090/x": true, "https://desk.example.com:8443/x": true,
		"http://127.0.0.1:8090/x": false, "http://desk.example.com/x": false, "https://10.0.0.5/x": false, "https://desk/x": false,
	} {
		if got := redirectTrouble(redirect); (got == "") != fine {
			t.Errorf("%s: %q", redirect, got)
		}
	}
}

var (
	_ Sessions   = (*people)(nil)
	_ route.Gate = (*people)(nil)
)
