package email

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
)

func TestCallbackRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		says   string
		play   func(t *testing.T, k *oauthKit, b *browser, back string) (int, string)
	}{
		{"a state of nobody", 400, "not begun here", func(t *testing.T, _ *oauthKit, b *browser, back string) (int, string) {
			return b.follow(strings.Replace(back, "state=", "state=x", 1))
		}},
		{"a state that was guessed at", 400, "not begun here", func(t *testing.T, _ *oauthKit, b *browser, back string) (int, string) {
			return b.follow(back[:len(back)-1] + string(back[len(back)-1]^1))
		}},
		{"no state", 400, "not begun here", func(t *testing.T, k *oauthKit, b *browser, _ string) (int, string) {
			return b.follow(k.url + callbackPath + "?code=abc")
		}},
		{"another agent's browser", 403, "another browser", func(t *testing.T, k *oauthKit, _ *browser, back string) (int, string) {
			other := k.browser(t, "paul two")
			other.begin(google())
			return other.follow(back)
		}},
		{"a sign-in that has ended", 403, "no longer signed in", func(t *testing.T, k *oauthKit, b *browser, back string) (int, string) {
			k.people.end("one")
			return b.follow(back)
		}},
		{"a role that was taken away", 403, "may not connect", func(t *testing.T, k *oauthKit, b *browser, back string) (int, string) {
			k.people.demote = map[string]bool{"ines": true}
			return b.follow(back)
		}},
		{"too late", 400, "ten minutes", func(t *testing.T, k *oauthKit, b *browser, back string) (int, string) {
			k.clock.Advance(consentLife)
			return b.follow(back)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newOAuthKit(t, oauthtest.Options{})
			b := k.browser(t, "ines one")
			status, body := c.play(t, k, b, k.as.Consent(t, b.begin(google()).AuthorizeURL))
			if status != c.status || !strings.Contains(body, c.says) || !strings.Contains(body, mailboxesPage) {
				t.Errorf("answered %d: %s", status, body)
			}
			if all, err := k.boxes.All(k.app); err != nil || len(all) != 0 {
				t.Errorf("%d mailboxes, %v", len(all), err)
			}
			if exchanges, _ := k.as.Counts(); exchanges != 0 {
				t.Error("the code was exchanged")
			}
		})
	}
}

// A stranger who has the link can't use it up either.
func TestCallbackWorksOnce(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	b := k.browser(t, "ines one")
	begun := b.begin(google())
	back := k.as.Consent(t, begun.AuthorizeURL)
	if status, _ := k.browser(t, "").follow(back); status != 403 {
		t.Errorf("a stranger is answered %d", status)
	}
	cookies := b.client.Jar.Cookies(mustURL(t, k.url+callbackPath))
	if status, _ := b.follow(back); status != http.StatusSeeOther {
		t.Errorf("came back to %d", status)
	}
	if left := b.client.Jar.Cookies(mustURL(t, k.url+callbackPath)); len(left) != 0 {
		t.Errorf("%d cookies are left", len(left))
	}
	b.client.Jar.SetCookies(mustURL(t, k.url+callbackPath), cookies)
	if status, body := b.follow(back); status != 409 || !strings.Contains(body, "come back already") {
		t.Errorf("the second time: %d %s", status, body)
	}
	if exchanges, _ := k.as.Counts(); exchanges != 1 {
		t.Errorf("%d exchanges", exchanges)
	}
	if status, _ := k.browser(t, "paul two").do("GET", "/api/desk/oauth/consents/"+begun.ID, nil, nil); status != 404 {
		t.Errorf("another agent sees the consent: %d", status)
	}
	if status, _ := b.do("POST", "/api/desk/oauth/consents/"+begun.ID+"/retry", map[string]any{}, nil); status != 409 {
		t.Errorf("one that ended well is tried again: %d", status)
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestCallbackCookie(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	b := k.browser(t, "ines one")
	req, err := http.NewRequest("POST", k.url+"/api/desk/oauth/consents", strings.NewReader(`{"provider":"google","address":"support@desk.test","client_id":"client-id","client_secret":"s"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "ines one")
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cookie := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=" + callbackPath} {
		if !strings.Contains(cookie, want) {
			t.Errorf("%s is missing in %q", want, cookie)
		}
	}
}

func TestConsentsThatComeToNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		options oauthtest.Options
		in      map[string]any
		before  func(k *oauthKit)
		back    func(t *testing.T, k *oauthKit, authorize string) string // nil = consents
		says    string
	}{
		{name: "somebody says no", back: func(t *testing.T, k *oauthKit, authorize string) string {
			return k.as.Refuse(t, authorize, "access_denied", "")
		}, says: "was cancelled"},
		{name: "an administrator has to agree", in: map[string]any{"provider": "microsoft"}, back: func(t *testing.T, k *oauthKit, authorize string) string {
			return k.as.Refuse(t, authorize, "access_denied", "AADSTS90094: Admin consent is required.")
		}, says: "An administrator of your organization at Microsoft has to agree first"},
		{name: "another account", options: oauthtest.Options{Account: "ines@desk.test"}, says: "signed in as ines@desk.test, but the mailbox signs in as support@desk.test"},
		{name: "another account that the provider does not name", options: oauthtest.Options{Account: "ines@desk.test", NoIdentity: true}, says: "sign in as support@desk.test itself"},
		{name: "the box for mail not ticked", options: oauthtest.Options{Scope: "openid email"}, says: "tick the box"},
		{name: "no refresh token", options: oauthtest.Options{NoRefresh: true}, says: "no refresh token"},
		{name: "a wrong secret", in: map[string]any{"client_secret": "wrong"}, says: "does not know this client id or its secret"},
		{name: "a wrong secret at Microsoft", options: oauthtest.Options{Microsoft: true}, in: map[string]any{"provider": "microsoft", "client_secret": "wrong"}, says: "the secret's value, not its ID"},
		{name: "a bad day of the provider", before: func(k *oauthKit) { k.as.Fail(&oauthtest.Failure{Status: 503}) }, says: "tries again"},
		{name: "words that are no JSON of OAuth2", before: func(k *oauthKit) { k.as.Fail(&oauthtest.Failure{Status: 404}) }, says: "does not answer as a token server does"},
		{name: "no server any more", before: func(k *oauthKit) { k.as.Close() }, back: func(t *testing.T, k *oauthKit, authorize string) string {
			q := queryOf(t, authorize)
			return q.Get("redirect_uri") + "?" + url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode()
		}, says: "can't be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newOAuthKit(t, c.options)
			if c.before != nil {
				c.before(k)
			}
			if c.back == nil {
				c.back = func(t *testing.T, k *oauthKit, authorize string) string { return k.as.Consent(t, authorize) }
			}
			b := k.browser(t, "ines one")
			begun := b.begin(google(c.in))
			if status, to := b.follow(c.back(t, k, begun.AuthorizeURL)); status != http.StatusSeeOther {
				t.Fatalf("came back to %d %s", status, to)
			}
			got := b.outcome(begun.ID)
			if got.State != consentFailed || !strings.Contains(got.Text, c.says) || got.Mailbox != nil {
				t.Errorf("ended as %+v", got)
			}
			if all, err := k.boxes.All(k.app); err != nil || len(all) != 0 {
				t.Errorf("%d mailboxes, %v", len(all), err)
			}
		})
	}
}

func TestConsentIsTriedAgainWithWhatWasEntered(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{Account: "ines@desk.test"})
	b := k.browser(t, "ines one")
	failed := k.consent(b, google(map[string]any{"name": "Support"}))
	if failed.State != consentFailed {
		t.Fatalf("ended as %+v", failed)
	}
	k.as.SetAccount(address)
	var again shownConsent
	if status, body := b.do("POST", "/api/desk/oauth/consents/"+failed.ID+"/retry", nil, &again); status != 201 {
		t.Fatalf("retry: %d %s", status, body)
	}
	b.follow(k.as.Consent(t, again.AuthorizeURL))
	got := b.outcome(again.ID)
	if got.State != consentConnected {
		t.Fatalf("ended as %+v", got)
	}
	if box := k.mailbox(t, *got.Mailbox); box.Name != "Support" || box.Address != address {
		t.Errorf("got %+v", box)
	}
	k.clock.Advance(consentKept + time.Hour)
	b.begin(google(map[string]any{"address": "sales@desk.test"}))
	if status, _ := b.do("GET", "/api/desk/oauth/consents/"+got.ID, nil, nil); status != 404 {
		t.Errorf("an old consent is kept: %d", status)
	}
}

// A tenant without SMTP AUTH still fetches; the sentence says what to switch on.
func TestConnectWithoutSMTP(t *testing.T) {
	no := "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
	k := newOAuthKit(t, oauthtest.Options{Microsoft: true}, func(step, _ string) string {
		if step == "AUTH" {
			return no
		}
		return ""
	})
	k.run(t)
	c := k.consent(k.browser(t, "ines one"), google(map[string]any{"provider": "microsoft"}))
	if c.State != consentConnected || !strings.Contains(c.Text, "Authenticated SMTP") {
		t.Fatalf("ended as %+v", c)
	}
	k.state(t, *c.Mailbox, StateOK)
	result, _ := k.send(t.Context(), outbound(k.mailbox(t, *c.Mailbox)), "anna@example.org")
	if !strings.Contains(result.Answer, "Authenticated SMTP") || result.State != "deferred" {
		t.Errorf("sending: %+v", result)
	}
}

func TestOnlyAPersonConsents(t *testing.T) {
	k := newOAuthKit(t, oauthtest.Options{})
	if status, body := k.browser(t, "key").do("POST", "/api/desk/oauth/consents", google(), nil); status != 403 || !strings.Contains(body, "Only a person") {
		t.Errorf("a key is answered %d: %s", status, body)
	}
	if status, _ := k.browser(t, "").do("POST", "/api/desk/oauth/consents", google(), nil); status != 401 {
		t.Errorf("a guest is answered %d", status)
	}
}
