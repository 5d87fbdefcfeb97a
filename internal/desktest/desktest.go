// Package desktest is the test kit: a whole desk in a temporary folder, served
// over real HTTP and SMTP on loopback, with a clock that can be moved. The mail
// servers of its neighbours smtptest and imaptest play the world.
package desktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/setup"
)

// Address is what customers of the kit's desk write to.
const Address = "support@desk.test"

// The kit's owner.
const (
	OwnerEmail    = "ines@people.test"
	OwnerPassword = "correct horse battery"
)

// Options say what kind of desk a test needs.
type Options struct {
	Dir     string            // "" = a temporary folder
	Address string            // what customers write to, "" = Address
	Clock   desk.Clock        // nil = the machine's
	SMTP    *Server           // where the desk sends its mail, nil = it can't send
	IMAP    *Server           // where the desk reads its mail, nil = its own SMTP listener
	NoSetup bool              // leave the desk as it is after the first start
	Sandbox bool              // stay in the sandbox: no mailbox, no SMTP listener
	Names   mailauth.Resolver // asked about senders, nil = a world without names
}

// Server is a mail server of the kit, by its port on loopback.
type Server struct {
	Port           int
	User, Password string // "" for no sign-in
}

// Desk is a desk that runs.
type Desk struct {
	*boot.Desk
	URL   string
	SMTP  string // address of the built-in SMTP listener
	Link  string // set-up link, "" once set up
	Token string // of the owner
	t     testing.TB
	stop  func() error
}

// Start opens, sets up and serves a desk until the test ends.
func Start(t testing.TB, o Options) *Desk {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir() + "/data"
	}
	bo := boot.Options{Dir: o.Dir, Clock: o.Clock, Version: "test", Resolver: o.Names}
	if bo.Resolver == nil {
		bo.Resolver = Names{}
	}
	if !o.Sandbox && o.IMAP == nil {
		bo.SMTPAddr = "127.0.0.1:0"
	}
	opened, err := boot.Open(bo)
	if err != nil {
		t.Fatal(err)
	}
	d := &Desk{Desk: opened, t: t}
	if done, err := setup.Done(d.App); err != nil {
		t.Fatal(err)
	} else if !o.NoSetup && !done {
		d.setUp(o)
	}
	d.serve()
	t.Cleanup(func() { _ = d.Stop() })
	if !o.NoSetup {
		d.Token = d.SignIn(OwnerEmail, OwnerPassword)
	}
	return d
}

func (d *Desk) setUp(o Options) {
	d.t.Helper()
	if o.Address == "" {
		o.Address = Address
	}
	in := setup.Input{Company: "Desk Test", Address: o.Address, TimeZone: "Europe/Berlin", Owner: setup.Owner{Name: "Ines Moreau", Email: OwnerEmail, Password: OwnerPassword}}
	if !o.Sandbox {
		in.Mailbox = &email.Input{Address: o.Address, Name: "Desk Test", SMTP: server(o.SMTP), IMAP: server(o.IMAP)}
	}
	if _, err := d.Setup.Do(d.t.Context(), in); err != nil {
		d.t.Fatal(err)
	}
}

func server(s *Server) *email.ServerInput {
	if s == nil {
		return nil
	}
	in := &email.ServerInput{Host: "127.0.0.1", Port: s.Port, Security: email.SecurityNone, User: s.User}
	if s.User != "" {
		in.Password = &s.Password
	}
	return in
}

var readyLine = regexp.MustCompile(`ready on (\S+)`)

func (d *Desk) serve() {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := &lines{changed: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, boot.ServeOptions{HTTPAddr: "127.0.0.1:0", Out: out}) }()
	var once sync.Once
	d.stop = func() (err error) {
		once.Do(func() { cancel(); err = <-ended; d.Close() })
		return err
	}
	deadline := time.After(30 * time.Second)
	for {
		text := out.String()
		if m := readyLine.FindStringSubmatch(text); m != nil {
			d.URL, d.SMTP = m[1], d.Mail.SMTPAddr()
			if _, link, ok := strings.Cut(text, "works once): "); ok {
				d.Link = strings.TrimSpace(link)
			}
			return
		}
		select {
		case <-out.changed:
		case err := <-ended:
			d.t.Fatalf("the desk ended: %v", err)
		case <-deadline:
			d.t.Fatal("the desk is not ready after 30 s")
		}
	}
}

// Stop ends the desk as SIGTERM does; it is safe to call twice.
func (d *Desk) Stop() error { return d.stop() }

// lines collects what the desk prints.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// SignIn signs an agent in and returns the token.
func (d *Desk) SignIn(email, password string) string {
	d.t.Helper()
	var out struct{ Token string }
	d.Call("POST", "/api/collections/agents/auth-with-password", "", map[string]string{"identity": email, "password": password}, 200, &out)
	return out.Token
}

// Call makes a request with a token ("" for none), checks the status (0 for
// any) and decodes the answer into out, which may be nil. It returns the status
// and the body.
func (d *Desk) Call(method, path, token string, in any, status int, out any) (int, string) {
	d.t.Helper()
	return d.CallWith(method, path, token, in, status, out)
}

// CallWith is Call with more headers, names and values in turn.
func (d *Desk) CallWith(method, path, token string, in any, status int, out any, headers ...string) (int, string) {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, d.URL+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return d.do(req, status, out)
}

// Upload sends a form with a file and is else like Call.
func (d *Desk) Upload(token, contentType string, body io.Reader, status int, out any) (int, string) {
	d.t.Helper()
	req, err := http.NewRequest(http.MethodPost, d.URL+"/api/desk/files", body)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+token)
	return d.do(req, status, out)
}

func (d *Desk) do(req *http.Request, status int, out any) (int, string) {
	d.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if status != 0 && resp.StatusCode != status {
		d.t.Fatalf("%s %s answered %d, not %d: %s", req.Method, req.URL.Path, resp.StatusCode, status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			d.t.Fatalf("%s %s answered no JSON: %v: %s", req.Method, req.URL.Path, err, text)
		}
	}
	return resp.StatusCode, string(text)
}

// Get is Call for reading as the owner.
func (d *Desk) Get(path string, out any) {
	d.t.Helper()
	d.Call("GET", path, d.Token, nil, 200, out)
}

// Receive hands a mail to the desk's SMTP listener as a stranger's server would.
func (d *Desk) Receive(from string, raw string) {
	d.t.Helper()
	d.ReceiveFor(from, Address, raw)
}

// ReceiveFor is Receive for another address of the desk; from "" is the null sender.
func (d *Desk) ReceiveFor(from, to, raw string) {
	d.t.Helper()
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")
	if err := smtp.SendMail(d.SMTP, nil, from, []string{to}, []byte(raw)); err != nil {
		d.t.Fatalf("the desk did not take the mail: %v", err)
	}
}

// Mail builds a plain mail; headers are further lines, without line end.
func Mail(from, subject, body string, headers ...string) string {
	head := fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nDate: Tue, 24 Nov 2026 09:00:00 +0000\n", from, Address, subject)
	for _, h := range headers {
		head += h + "\n"
	}
	return head + "\n" + body + "\n"
}

// Eventually waits until f is true, or fails with what.
func (d *Desk) Eventually(what string, f func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(deadline) {
			d.t.Fatalf("not within 20 s: %s", what)
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// Ticket is what tests look at of a ticket.
type Ticket struct {
	Number    int64
	Subject   string
	Status    string
	Assignee  *struct{ ID string }
	Team      struct{ ID string }
	Tags      []string
	Customer  struct{ ID, Email, Name string }
	LooksLike []int64 `json:"looks_like"`
	Messages  struct{ Items []Message }
	Preview   string
	Unread    bool
	Draft     *string
}

// Message is what tests look at of a message.
type Message struct {
	ID             string
	Kind           string
	Text           string
	HTML           string
	VisibleText    string `json:"visible_text"`
	MessageID      string `json:"message_id"`
	Author         struct{ Kind, Name string }
	Authentication string
	Reason         struct{ Code, Text string }
	Created        string
	Arrived        string
	Shortened      bool
	Attachments    []struct {
		ID, Name, URL string
		Inline        bool
		Size          int64
	}
	Bounced *struct {
		Status     string
		Recipients []string
		Permanent  bool
		Delayed    bool
	}
	Delivery *struct {
		ID, State string
		HeldBy    *string `json:"held_by"`
		Answer    string  `json:"server_answer"`
	}
}

// Tickets lists every ticket the owner sees, oldest first, with its messages.
func (d *Desk) Tickets() []Ticket {
	d.t.Helper()
	var list struct{ Items []Ticket }
	d.Get("/api/desk/tickets?sort=created&limit=200", &list)
	for i := range list.Items {
		d.Get(fmt.Sprintf("/api/desk/tickets/%d", list.Items[i].Number), &list.Items[i])
	}
	return list.Items
}

// WaitTickets waits until there are n tickets.
func (d *Desk) WaitTickets(n int) []Ticket {
	d.t.Helper()
	var found []Ticket
	d.Eventually(fmt.Sprintf("%d tickets", n), func() bool { found = d.Tickets(); return len(found) >= n })
	if len(found) > n {
		d.t.Fatalf("%d tickets instead of %d", len(found), n)
	}
	return found
}
