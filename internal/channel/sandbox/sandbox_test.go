package sandbox_test

import (
	"context"
	"log/slog"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/channel/sandbox"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/team"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the system tables
)

const address = "support@desk.invalid"

var anna = desk.Address{Name: "Anna", Address: "anna@example.com"}

// kit is a desk with a sandbox and a ledger in memory.
type kit struct {
	app     core.App
	boxes   *email.Mailboxes
	service *email.Service
	sandbox *sandbox.Sandbox
	ledger  chan desk.Inbound
	box     *email.Mailbox
}

// Store implements email.Ledger.
func (k *kit) Store(_ context.Context, in ...desk.Inbound) error {
	for _, i := range in {
		k.ledger <- i
	}
	return nil
}

// next is the next mail that came in.
func (k *kit) next(t *testing.T) *mail.Mail {
	t.Helper()
	select {
	case in := <-k.ledger:
		return mail.Parse(in.Raw)
	case <-time.After(10 * time.Second):
		t.Fatal("no mail came in within 10 s")
		return nil
	}
}

func newKit(t *testing.T, listener bool) *kit {
	t.Helper()
	t.Setenv(secret.Env, "a secret for the tests")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	box, err := secret.Open(app.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := desk.SystemClock{}
	log := event.New(app, clock)
	if _, err := team.New(app, log, clock).Add(app, desk.System("test"), "Support"); err != nil {
		t.Fatal(err)
	}
	k := &kit{app: app, boxes: email.NewMailboxes(app, log, box, clock), ledger: make(chan desk.Inbound, 100)}
	k.service = email.New(email.Options{App: app, Mailboxes: k.boxes, Ledger: k, Guard: &netguard.Guard{}, Box: box, Clock: clock, Logger: slog.New(slog.DiscardHandler)})
	k.sandbox = sandbox.New(sandbox.Options{App: app, Mailboxes: k.boxes, Clock: clock, SMTPListener: listener})
	err = app.RunInTransaction(func(tx core.App) (err error) {
		k.box, err = k.boxes.AddSandbox(tx, desk.System("test"), address, "Support", "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Missing implements email.Ledger.
func (k *kit) Missing(string, []string) ([]string, error) { return nil, nil }

func (k *kit) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = k.sandbox.Run(ctx) })
	wg.Go(func() { _ = k.service.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func (k *kit) wait(t *testing.T, on bool) {
	t.Helper()
	for range 500 {
		if k.sandbox.On() == on {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the sandbox is on: %v, want %v", !on, on)
}

func (k *kit) send(t *testing.T, to desk.Address, text string) desk.SendResult {
	t.Helper()
	return k.service.Send(t.Context(), desk.Outbound{
		Mailbox: k.box.ID, From: k.box.From(), To: []desk.Address{to}, Subject: "Re: help", Text: text,
		MessageID: desk.NewToken() + "@desk.invalid", ReplyTo: []desk.Address{{Address: "support+t1.abc@desk.invalid"}}, Date: time.Now(),
	},
		to, func(desk.SendState) error { return nil })
}

func TestSandboxStory(t *testing.T) {
	k := newKit(t, false)
	stop := k.run(t)
	k.wait(t, true)

	id, err := k.sandbox.Write(t.Context(), sandbox.Letter{
		From: anna, Subject: "help", Text: "it broke",
		Attachments: []desk.Attachment{{Name: "shot.png", ContentType: "image/png", Content: []byte("png")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := k.next(t)
	if m.MessageID != id || m.From.Address != anna.Address || m.Subject != "help" || strings.TrimSpace(m.Text) != "it broke" || len(m.Parts) != 1 {
		t.Errorf("the desk got %+v", m)
	}

	if result := k.send(t, anna, "we mend it"); result.State != desk.SendSent {
		t.Fatalf("the answer: %+v", result)
	}
	mails := k.mails(t)
	if len(mails) != 1 || !strings.Contains(mails[0], "we mend it") {
		t.Fatalf("arrived at the customer: %q", mails)
	}

	first := k.ids(t)[0]
	if _, err := k.sandbox.Write(t.Context(), sandbox.Letter{From: anna, Text: "thanks", InReplyTo: first}); err != nil {
		t.Fatal(err)
	}
	reply := k.next(t)
	sent := mail.Parse([]byte(mails[0]))
	if reply.Subject != "Re: help" || len(reply.InReplyTo) != 1 || reply.InReplyTo[0] != sent.MessageID || reply.References[len(reply.References)-1] != sent.MessageID ||
		reply.To[0].Address != "support+t1.abc@desk.invalid" || !strings.Contains(reply.Text, "> we mend it") {
		t.Errorf("the customer's answer: %+v", reply)
	}

	// After a restart what arrived is still there, and new mail comes in once.
	stop()
	if k.sandbox.On() {
		t.Error("it runs on")
	}
	k.run(t)
	k.wait(t, true)
	if n := len(k.mails(t)); n != 1 {
		t.Errorf("%d mails after a restart", n)
	}
	if _, err := k.sandbox.Write(t.Context(), sandbox.Letter{From: anna, Subject: "again", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if m := k.next(t); m.Subject != "again" {
		t.Errorf("got %q", m.Subject)
	}
	time.Sleep(100 * time.Millisecond)
	if len(k.ledger) != 0 {
		t.Error("a mail came in twice")
	}
}

// mails are the raw mails that arrived at customers, newest first.
func (k *kit) mails(t *testing.T) []string { return k.column(t, "raw") }
func (k *kit) ids(t *testing.T) []string   { return k.column(t, "id") }

func (k *kit) column(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	if err := k.app.DB().NewQuery("SELECT " + name + " FROM sandbox_mails ORDER BY seq DESC").Column(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSandboxGoesWhenAMailboxComes(t *testing.T) {
	k := newKit(t, false)
	k.run(t)
	k.wait(t, true)
	var real *email.Mailbox
	err := k.app.RunInTransaction(func(tx core.App) (err error) {
		real, err = k.boxes.Add(tx, desk.System("test"), email.Input{Address: address}, email.Look{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.wait(t, false)
	if _, err := k.sandbox.Write(t.Context(), sandbox.Letter{From: anna, Text: "x"}); desk.CodeOf(err) != desk.Conflict {
		t.Errorf("writing to a sandbox that is off: %v", err)
	}
	// Its customers are pretend ones: nothing for them leaves by the real mailbox.
	if result := k.send(t, anna, "x"); result.State != desk.SendFailed || !strings.Contains(result.Answer, "sandbox") {
		t.Errorf("got %+v", result)
	}
	if err := k.boxes.Remove(desk.System("test"), real.ID); err != nil {
		t.Fatal(err)
	}
	k.wait(t, true)
}

func TestSandboxIsOffWithTheListener(t *testing.T) {
	k := newKit(t, true)
	k.run(t)
	time.Sleep(100 * time.Millisecond)
	if k.sandbox.On() {
		t.Error("it runs beside the built-in listener")
	}
}

func TestSandboxLetsNobodyElseIn(t *testing.T) {
	k := newKit(t, false)
	k.run(t)
	k.wait(t, true)
	box, err := k.boxes.Find(k.app, k.box.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(box.SMTP.Addr(), "127.0.0.1:") || !strings.HasPrefix(box.IMAP.Addr(), "127.0.0.1:") {
		t.Errorf("it listens on %s and %s", box.SMTP.Addr(), box.IMAP.Addr())
	}
	if err := smtp.SendMail(box.SMTP.Addr(), nil, "eve@example.com", []string{address}, []byte("x")); err == nil {
		t.Error("anybody on the machine can write to the desk")
	}
	stored := k.app.DB().NewQuery("SELECT imap_host || smtp_host || smtp_password FROM mailboxes")
	var text string
	if err := stored.Row(&text); err != nil || text != "" {
		t.Errorf("the sandbox's servers are stored: %q, %v", text, err)
	}
}

func TestSandboxRefusesNonsense(t *testing.T) {
	k := newKit(t, false)
	k.run(t)
	k.wait(t, true)
	for name, l := range map[string]sandbox.Letter{
		"empty":        {From: anna, Text: " "},
		"own address":  {From: desk.Address{Address: "Support+x@desk.invalid"}, Text: "x"},
		"no address":   {From: desk.Address{Address: "nobody"}, Text: "x"},
		"unknown mail": {From: anna, Text: "x", InReplyTo: "nope"},
	} {
		if _, err := k.sandbox.Write(t.Context(), l); desk.CodeOf(err) != desk.Invalid && desk.CodeOf(err) != desk.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}
