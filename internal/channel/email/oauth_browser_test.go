package email

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
	"testing"
)

// browser is somebody's browser, signed in to the desk with a token.
type browser struct {
	t      *testing.T
	url    string
	token  string
	client *http.Client
	seen   *lockedBuffer // every answer's head and body
}

func (k *oauthKit) browser(t *testing.T, token string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, url: k.url, token: token, seen: &lockedBuffer{}, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *browser) do(method, path string, in any, out any) (int, string) {
	b.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			b.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", b.token)
	return b.send(req, out)
}

func (b *browser) send(req *http.Request, out any) (int, string) {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = b.seen.Write(text)
	_, _ = b.seen.Write([]byte(resp.Header.Get("Location")))
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			b.t.Fatalf("%s %s: %v: %s", req.Method, req.URL.Path, err, text)
		}
	}
	if resp.StatusCode == http.StatusSeeOther {
		return resp.StatusCode, resp.Header.Get("Location")
	}
	return resp.StatusCode, string(text)
}

// follow goes to an address as a browser that a provider sends back does,
// without any token.
func (b *browser) follow(address string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(req, nil)
}

// begin begins a consent.
func (b *browser) begin(in map[string]any) shownConsent {
	b.t.Helper()
	var c shownConsent
	if status, body := b.do("POST", "/api/desk/oauth/consents", in, &c); status != 201 {
		b.t.Fatalf("begin: %d %s", status, body)
	}
	return c
}

// outcome is how a consent ended.
func (b *browser) outcome(id string) shownConsent {
	b.t.Helper()
	var c shownConsent
	if status, body := b.do("GET", "/api/desk/oauth/consents/"+id, nil, &c); status != 200 {
		b.t.Fatalf("outcome: %d %s", status, body)
	}
	return c
}

// consent goes the whole way and returns how it ended.
func (k *oauthKit) consent(b *browser, in map[string]any) shownConsent {
	b.t.Helper()
	c := b.begin(in)
	status, to := b.follow(k.as.Consent(b.t, c.AuthorizeURL))
	if status != http.StatusSeeOther || to != mailboxesPage+"?consent="+c.ID {
		b.t.Fatalf("came back to %d %s", status, to)
	}
	return b.outcome(c.ID)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func queryOf(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
