//go:build unix

package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// What the desk under test is set up with.
const (
	address       = "support@desk.test"
	ownerEmail    = "ines@people.test"
	ownerPassword = "correct horse battery"
)

// options say what kind of desk a test needs.
type options struct {
	dir          string           // "" = a temporary folder
	sink         *smtptest.Server // where it sends its mail
	imap         *imaptest.Server // its mailbox, nil for none
	imapPassword string           // "" = the right one
	noListener   bool             // takes no mail by SMTP
	env          []string
	args         []string // of serve besides
}

// desk is a desk whose process comes and goes.
type desk struct {
	t     testing.TB
	o     options
	http  *http.Client
	token string // the owner's

	mu        sync.Mutex
	process   *process // nil before the first start
	url, smtp string   // "" while it does not
	starts    []time.Duration
	kills     int
	ended     error // it died without being killed
}

// setUp makes a desk by the command line; nothing runs yet.
func setUp(t testing.TB, o options) *desk {
	t.Helper()
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "data")
	}
	args := []string{"setup", "--dir", o.dir, "--company", "Desk Test", "--name", "Ines Moreau", "--email", ownerEmail, "--password", ownerPassword, "--address", address}
	if o.sink != nil {
		args = append(args, "--smtp-url", "smtp://"+o.sink.Addr()+"?tls=off")
	}
	if o.imap != nil {
		if o.imapPassword == "" {
			o.imapPassword = "password"
		}
		args = append(args, "--imap-url", "imap://user:"+o.imapPassword+"@"+o.imap.Addr()+"?tls=off")
	}
	if code, _, stderr := command(t, args...); code != 0 {
		t.Fatalf("setup exited %d: %s", code, stderr)
	}
	d := &desk{t: t, o: o, http: &http.Client{Timeout: 20 * time.Second}}
	t.Cleanup(func() {
		if d.process != nil {
			d.process.kill()
		}
	})
	return d
}

// start serves until the process is ended by hand.
func (d *desk) start() {
	d.t.Helper()
	if err := d.serve(); err != nil {
		d.t.Fatal(err)
	}
	if d.token == "" {
		d.signIn()
	}
}

func (d *desk) signIn() {
	d.t.Helper()
	var out struct{ Token string }
	d.call("POST", "/api/collections/agents/auth-with-password", map[string]string{"identity": ownerEmail, "password": ownerPassword}, 200, &out)
	d.token = out.Token
}

// serve starts a process and returns when it takes requests, or has died.
func (d *desk) serve() error {
	args := append([]string{"serve", "--dir", d.o.dir, "--http", "127.0.0.1:0"}, d.o.args...)
	if !d.o.noListener {
		args = append(args, "--smtp", "127.0.0.1:0")
	}
	begun := time.Now()
	p, err := launch(d.o.env, args...)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.process = p
	d.mu.Unlock()
	url, smtp, err := p.ready(!d.o.noListener)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url, d.smtp = url, smtp
	d.starts = append(d.starts, time.Since(begun))
	return nil
}

// keep serves, and serves again a moment after each kill, until ctx ends. A
// process that ends by itself is a failure.
func (d *desk) keep(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		before := d.killed()
		err := d.serve()
		if err == nil {
			<-d.process.done
			err = fmt.Errorf("ended by itself with %d: %s", d.process.cmd.ProcessState.ExitCode(), d.process.out.String())
		}
		d.down()
		if d.killed() == before && ctx.Err() == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.ended = err
			return
		}
		time.Sleep(time.Duration(r.Int64N(int64(400 * time.Millisecond))))
	}
}

// down notes that no process takes requests any more.
func (d *desk) down() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url, d.smtp = "", ""
}

func (d *desk) killed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kills
}

// kill ends the process group that serves or is about to.
func (d *desk) kill() {
	for {
		d.mu.Lock()
		p, ended := d.process, d.ended
		d.mu.Unlock()
		if ended != nil {
			return
		}
		if p != nil && p.alive() {
			d.mu.Lock()
			d.kills++
			d.mu.Unlock()
			p.kill()
			return
		}
		time.Sleep(2 * time.Millisecond) // the next one is on its way
	}
}

// where waits until the desk takes requests and answers where.
func (d *desk) where() (url, smtp string, err error) {
	deadline := time.After(40 * time.Second)
	for {
		d.mu.Lock()
		up, ended := d.url != "" && d.process.alive(), d.ended
		url, smtp = d.url, d.smtp
		d.mu.Unlock()
		if up || ended != nil {
			return url, smtp, ended
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			return "", "", fmt.Errorf("the desk does not come up")
		}
	}
}

// try makes one request; an error means that nobody knows what became of it.
func (d *desk) try(method, path, key string, in any) (status int, body []byte, err error) {
	url, _, err := d.where()
	if err != nil {
		return 0, nil, err
	}
	var content io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, url+path, content)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// call makes a request of a desk that nobody kills.
func (d *desk) call(method, path string, in any, want int, out any) {
	d.t.Helper()
	status, body, err := d.try(method, path, "", in)
	if err != nil {
		d.t.Fatal(err)
	}
	if status != want {
		d.t.Fatalf("%s %s answered %d, not %d: %s", method, path, status, want, body)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			d.t.Fatalf("%s %s: %v: %s", method, path, err, body)
		}
	}
}

func (d *desk) get(path string, out any) {
	d.t.Helper()
	d.call("GET", path, nil, 200, out)
}

// eventually waits until f is true.
func (d *desk) eventually(what string, within time.Duration, f func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(within)
	for !f() {
		if time.Now().After(deadline) {
			d.t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
