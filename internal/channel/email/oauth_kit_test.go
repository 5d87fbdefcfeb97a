package email

import (
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// oauthKit is a desk whose providers and mail servers are look-alikes, with its
// routes served over HTTP.
type oauthKit struct {
	*kit
	as      *oauthtest.Server
	imap    *imaptest.Server
	smtp    *smtptest.Server
	url     string
	people  *people
	logs    *lockedBuffer
	clock   *desk.TestClock
	granted []string
}

const address = "support@desk.test"

func newOAuthKit(t *testing.T, o oauthtest.Options, script ...smtptest.Script) *oauthKit {
	t.Helper()
	k := &oauthKit{as: oauthtest.New(t, o), people: &people{}, logs: &lockedBuffer{}, clock: desk.NewTestClock(time.Now())}
	k.imap = imaptest.New(t, imaptest.Options{Bearer: k.as.Valid})
	smtpOptions := smtptest.Options{Bearer: k.as.Valid}
	if len(script) > 0 {
		smtpOptions.Script = script[0]
	}
	k.smtp = smtptest.New(t, smtpOptions)
	k.kit = newKit(t, func(options *Options) {
		options.Logger = slog.New(slog.NewTextHandler(k.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		options.Clock = k.clock
		options.Granted = func(mailbox string) { k.granted = append(k.granted, mailbox) }
	})
	g := k.boxes.grants
	g.clock, g.providers = k.clock, k.providers()
	g.unreached, g.refused = patience{5 * time.Millisecond, 50 * time.Millisecond}, patience{5 * time.Millisecond, 50 * time.Millisecond}
	k.url = k.serve(t)
	t.Cleanup(k.service.pool.close)
	return k
}

// providers are the real ones at the look-alike's addresses.
func (k *oauthKit) providers() []provider {
	all := slices.Clone(providers)
	for i := range all {
		if all[i].id != genericProvider {
			all[i].authorize, all[i].token = k.as.AuthorizeURL(), k.as.TokenURL()
			all[i].imap = Server{Host: "127.0.0.1", Port: k.imap.Port(), Security: SecurityNone}
			all[i].smtp = Server{Host: "127.0.0.1", Port: k.smtp.Port(), Security: SecurityNone}
		}
	}
	return all
}

// people plays the gate: a token is "agent session", and those who were let go
// are nobody any more.
type people struct {
	mu     sync.Mutex
	ended  map[string]bool // sessions
	demote map[string]bool // agents
}

func (p *people) end(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = map[string]bool{session: true}
}

func (p *people) SessionGoesOn(session string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended[session]
}

func (p *people) CallerOf(agent, session string) (*route.Caller, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &route.Caller{Actor: desk.Agent(agent), Session: session, Permissions: map[string]string{}}
	if !p.demote[agent] {
		c.Permissions["channel.read"], c.Permissions["channel.write"] = "all", "all"
	}
	return c, nil
}

func (p *people) Caller(e *core.RequestEvent) (*route.Caller, error) {
	agent, session, _ := strings.Cut(e.Request.Header.Get("Authorization"), " ")
	if agent == "" {
		return nil, nil
	}
	return p.CallerOf(agent, session)
}

func (k *oauthKit) serve(t *testing.T) string {
	t.Helper()
	router, err := apis.NewRouter(k.app)
	if err != nil {
		t.Fatal(err)
	}
	table := route.New(k.clock)
	k.service.Routes(table)
	k.service.OAuthRoutes(table, func(c *route.Call) string { return "http://" + c.Request.Host }, k.people)
	table.Bind(&core.ServeEvent{App: k.app, Router: router}, k.people)
	mux, err := router.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// connect connects the kit's mailbox at a provider and returns its id.
func (k *oauthKit) connect(t *testing.T, in map[string]any) string {
	t.Helper()
	c := k.consent(k.browser(t, "ines one"), in)
	if c.State != consentConnected || c.Mailbox == nil {
		t.Fatalf("not connected: %+v", c)
	}
	return *c.Mailbox
}

func google(more ...map[string]any) map[string]any {
	in := map[string]any{"provider": "google", "address": address, "client_id": "client-id", "client_secret": "client-secret-x"}
	for _, m := range more {
		for name, value := range m {
			in[name] = value
		}
	}
	return in
}

func (k *oauthKit) mailbox(t *testing.T, id string) *Mailbox {
	t.Helper()
	box, err := k.boxes.Find(k.app, id)
	if err != nil || box == nil {
		t.Fatalf("find mailbox: %v, %v", box, err)
	}
	return box
}

// shown is the mailbox as the API shows it.
func (k *oauthKit) shown(t *testing.T, id string) shownMailbox {
	t.Helper()
	var list route.List[shownMailbox]
	if status, body := k.browser(t, "ines one").do("GET", "/api/desk/mailboxes", nil, &list); status != 200 {
		t.Fatalf("mailboxes: %d %s", status, body)
	}
	i := slices.IndexFunc(list.Items, func(m shownMailbox) bool { return m.ID == id })
	if i < 0 {
		t.Fatalf("the mailbox is not shown: %+v", list.Items)
	}
	return list.Items[i]
}
