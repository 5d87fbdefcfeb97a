package story_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/oauthtest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// provider is a company's own provider with its mail servers, and a browser in
// which somebody connects the desk.
type provider struct {
	t    *testing.T
	desk *desktest.Desk
	as   *oauthtest.Server
	imap *imaptest.Server
	smtp *smtptest.Server
	web  *http.Client
}

type consent struct {
	ID, State, Text string
	Mailbox         *string
	AuthorizeURL    string `json:"authorize_url"`
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	as := oauthtest.New(t, oauthtest.Options{Rotate: true})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &provider{
		t: t, as: as, imap: imaptest.New(t, imaptest.Options{Bearer: as.Valid}), smtp: smtptest.New(t, smtptest.Options{Bearer: as.Valid}),
		desk: desktest.Start(t, desktest.Options{Sandbox: true}),
		web:  &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

func (p *provider) input() map[string]any {
	return map[string]any{
		"provider": "generic", "address": desktest.Address, "name": "Desk Test", "client_id": "client-id", "client_secret": "client-secret-x",
		"authorize_url": p.as.AuthorizeURL(), "token_url": p.as.TokenURL(), "scopes": []string{"mail", "offline_access", "openid", "email"},
		"imap": map[string]any{"host": "127.0.0.1", "port": p.imap.Port(), "security": "none"},
		"smtp": map[string]any{"host": "127.0.0.1", "port": p.smtp.Port(), "security": "none"},
	}
}

// begin begins in the browser, which gets its cookie.
func (p *provider) begin(token string, in map[string]any) (c consent) {
	p.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", p.desk.URL+"/api/desk/oauth/consents", bytes.NewReader(raw))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := p.web.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil || resp.StatusCode != 201 {
		p.t.Fatalf("begin: %d, %v", resp.StatusCode, err)
	}
	return c
}

func (p *provider) comeBack(address string) int {
	p.t.Helper()
	resp, err := p.web.Get(address)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// connect goes the whole way.
func (p *provider) connect(in map[string]any) string {
	p.t.Helper()
	c := p.begin(p.desk.Token, in)
	if status := p.comeBack(p.as.Consent(p.t, c.AuthorizeURL)); status != http.StatusSeeOther {
		p.t.Fatalf("came back to %d", status)
	}
	p.desk.Get("/api/desk/oauth/consents/"+c.ID, &c)
	if c.State != "connected" || c.Mailbox == nil {
		p.t.Fatalf("not connected: %+v", c)
	}
	return *c.Mailbox
}

func (p *provider) mailboxIs(state string) {
	p.t.Helper()
	p.desk.Eventually("the mailbox is "+state, func() bool {
		var list struct {
			Items []struct{ Kind, State, Text string }
		}
		p.desk.Get("/api/desk/mailboxes", &list)
		for _, m := range list.Items {
			if m.Kind == "imap" && m.State == state {
				return true
			}
		}
		return false
	})
}

// TestAMailboxIsConnectedByOAuth tells the life of a grant: a ticket comes in
// and is answered, the grant is withdrawn, mail waits on both sides, and all of
// it goes on once somebody has connected again.
func TestAMailboxIsConnectedByOAuth(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	id := p.connect(p.input())
	p.mailboxIs("ok")
	p.imap.Append(t, strings.ReplaceAll(desktest.Mail("maren@shop.test", "Broken pole", "It snapped.", "Message-ID: <one@shop.test>"), "\n", "\r\n"))
	number := p.desk.WaitTickets(1)[0].Number
	reply(p.desk, number, map[string]any{"body": "<p>A spare is on its way.</p>", "undo_s": 0}, 201)
	if m := p.smtp.Wait(t, 1)[0]; m.User != desktest.Address {
		t.Errorf("sent by %+v", m)
	}

	p.as.Withdraw()
	p.imap.DropConnections()
	p.smtp.DropConnections()
	p.mailboxIs("failing")
	var me struct {
		Banners []struct{ ID, Text string }
	}
	p.desk.Get("/api/desk/me", &me)
	if len(me.Banners) != 1 || me.Banners[0].ID != "mailbox:"+id || !strings.Contains(me.Banners[0].Text, "Connect again") {
		t.Errorf("banners: %+v", me.Banners)
	}
	reply(p.desk, number, map[string]any{"body": "<p>It left today.</p>", "undo_s": 0}, 201)
	p.desk.Eventually("the answer waits", func() bool {
		items := p.desk.Tickets()[0].Messages.Items
		d := items[len(items)-1].Delivery
		return d != nil && d.State == "deferred" && strings.Contains(d.Answer, "no longer lets the desk in")
	})
	p.imap.Append(t, strings.ReplaceAll(desktest.Mail("ben@shop.test", "Wet tent", "It leaks.", "Message-ID: <two@shop.test>"), "\n", "\r\n"))

	p.connect(map[string]any{"id": id})
	p.mailboxIs("ok")
	p.desk.WaitTickets(2)
	p.smtp.Wait(t, 2) // at once, not when its time has come
	p.secretsAreSealed()
}

// secretsAreSealed looks for what was given out in everything the desk wrote.
func (p *provider) secretsAreSealed() {
	p.t.Helper()
	files, err := filepath.Glob(p.desk.Dir + "/*.db*")
	if err != nil || len(files) == 0 {
		p.t.Fatalf("no databases: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, secret := range p.as.Secrets() {
			if bytes.Contains(raw, []byte(secret)) {
				p.t.Errorf("%s holds %s", filepath.Base(file), secret)
			}
		}
	}
}

// TestAConsentBelongsToWhoBeganIt signs the agent out, and tries as another one.
func TestAConsentBelongsToWhoBeganIt(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	mine := p.desk.SignIn(desktest.OwnerEmail, desktest.OwnerPassword)
	back := p.as.Consent(t, p.begin(mine, p.input()).AuthorizeURL)

	_, paul := hire(p.desk, "Paul", []desk.Role{desk.RoleAdmin})
	other := *p
	other.web = &http.Client{CheckRedirect: p.web.CheckRedirect}
	other.web.Jar, _ = cookiejar.New(nil)
	other.begin(paul, p.input())
	if status := other.comeBack(back); status != 403 {
		t.Errorf("another agent's browser is answered %d", status)
	}
	p.desk.Call("POST", "/api/desk/sign-out", mine, map[string]any{}, 204, nil)
	if status := p.comeBack(back); status != 403 {
		t.Errorf("who has signed out is answered %d", status)
	}
	if exchanges, _ := p.as.Counts(); exchanges != 0 {
		t.Errorf("%d codes were exchanged", exchanges)
	}
}
