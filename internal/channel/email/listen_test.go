package email

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/emersion/go-smtp"
)

// listening is a desk with the built-in listener and one mailbox.
func listening(t *testing.T, change ...func(*Options)) (*kit, *Mailbox) {
	t.Helper()
	k := newKit(t, append([]func(*Options){func(o *Options) { o.SMTPAddr = "127.0.0.1:0" }}, change...)...)
	box := k.add(t, Input{Address: "Support@desk.invalid"})
	k.run(t)
	return k, box
}

// talk is a dialogue typed by hand.
type talk struct {
	t *testing.T
	c net.Conn
	r *textproto.Reader
}

func (k *kit) talk(t *testing.T) *talk {
	t.Helper()
	c, err := net.Dial("tcp", k.service.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	d := &talk{t: t, c: c, r: textproto.NewReader(bufio.NewReader(c))}
	d.want(220)
	return d
}

func (d *talk) send(text string) { _, _ = io.WriteString(d.c, text) }

func (d *talk) want(code int) string {
	d.t.Helper()
	got, text, err := d.r.ReadResponse(0)
	if err != nil || got != code {
		d.t.Fatalf("got %d %q, %v; want %d", got, text, err, code)
	}
	return text
}

func (d *talk) say(line string, code int) string {
	d.t.Helper()
	d.send(line + "\r\n")
	return d.want(code)
}

func TestListenTakesMail(t *testing.T) {
	k, box := listening(t)
	d := k.talk(t)
	if text := d.say("EHLO client.example", 250); !strings.Contains(text, "SIZE 26214400") || !strings.Contains(text, "8BITMIME") || !strings.Contains(text, "SMTPUTF8") || strings.Contains(text, "STARTTLS") || strings.Contains(text, "AUTH") {
		t.Errorf("extensions:\n%s", text)
	}
	d.say("MAIL FROM:<anna@example.org> SIZE=100 BODY=8BITMIME", 250)
	if text := d.say("RCPT TO:<nobody@desk.invalid>", 550); !strings.HasPrefix(text, "5.1.1") {
		t.Errorf("unknown recipient: %q", text)
	}
	d.say("RCPT TO:<SUPPORT@Desk.Invalid>", 250)
	d.say("RCPT TO:<support+t12@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say(letter(1)+"..stuffed\r\n.x\r\ngrüße \xff\r\n.", 250)
	m := k.ledger.wait(t, 1)[0]
	want := letter(1) + ".stuffed\r\nx\r\ngrüße \xff\r\n"
	if string(m.Raw) != want {
		t.Errorf("got %q\nwant %q", m.Raw, want)
	}
	if m.Mailbox != box.ID || m.MailFrom != "anna@example.org" || len(m.RcptTo) != 2 || m.RcptTo[1] != "support+t12@desk.invalid" || m.SourceID != "" {
		t.Errorf("got %+v", m)
	}
	// The same dialogue goes on with a bounce.
	d.say("MAIL FROM:<>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say("bounce\r\n.", 250)
	if m := k.ledger.wait(t, 2)[1]; m.MailFrom != "" {
		t.Errorf("null sender came as %q", m.MailFrom)
	}
	d.say("QUIT", 221)
	k.state(t, box.ID, StateOK)
	if last, err := k.service.LastMails(); err != nil || last[box.ID].IsZero() {
		t.Errorf("last mail %v, %v", last, err)
	}
}

func TestListenOneMailForTwoMailboxes(t *testing.T) {
	k, box := listening(t)
	sales := k.add(t, Input{Address: "sales@desk.invalid"}) // while it runs
	d := k.talk(t)
	d.say("EHLO x.example", 250)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("RCPT TO:<sales@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say("x\r\n.", 250)
	mails := k.ledger.wait(t, 2)
	if mails[0].Mailbox != box.ID || mails[1].Mailbox != sales.ID || k.ledger.calls != 1 {
		t.Errorf("got %v in %d calls", mails, k.ledger.calls)
	}
}

func TestListenAnswersOnlyWhatIsStored(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{fmt.Errorf("write: %w", syscall.ENOSPC), 452, "4.3.1"},
		{errors.New("database or disk is full (13)"), 452, "4.3.1"},
		{errors.New("database is locked"), 451, "4.3.0"},
	} {
		k, _ := listening(t)
		k.ledger.failing(c.err)
		d := k.talk(t)
		d.say("EHLO x.example", 250)
		for _, code := range []int{c.code, 250} {
			d.say("MAIL FROM:<a@b.example>", 250)
			d.say("RCPT TO:<support@desk.invalid>", 250)
			d.say("DATA", 354)
			text := d.say("x\r\n.", code)
			if code != 250 && !strings.HasPrefix(text, c.text) {
				t.Errorf("%v: answered %q", c.err, text)
			}
			k.ledger.failing(nil)
		}
		if n := len(k.ledger.wait(t, 1)); n != 1 {
			t.Errorf("%d mails", n)
		}
	}
}

func TestListenTooLarge(t *testing.T) {
	k, _ := listening(t, func(o *Options) { o.MaxSize = 10000 })
	d := k.talk(t)
	d.say("EHLO x.example", 250)
	if text := d.say("MAIL FROM:<a@b.example> SIZE=20000", 552); !strings.HasPrefix(text, "5.3.4") {
		t.Errorf("announced: %q", text)
	}
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say(strings.Repeat(strings.Repeat("x", 70)+"\r\n", 300)+".", 552)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say("small\r\n.", 250)
	if mails := k.ledger.wait(t, 1); string(mails[0].Raw) != "small\r\n" {
		t.Errorf("got %q", mails[0].Raw)
	}
}

// CVE-2023-51764 and its kin: only CR LF dot CR LF ends a mail.
func TestListenIsNotSmuggled(t *testing.T) {
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r\r\n.\r\n", "\r\n\x00.\r\n"} {
		k, _ := listening(t)
		d := k.talk(t)
		d.say("EHLO x.example", 250)
		d.say("MAIL FROM:<a@b.example>", 250)
		d.say("RCPT TO:<support@desk.invalid>", 250)
		d.say("DATA", 354)
		d.send("Subject: one\r\n\r\nfirst" + end + "MAIL FROM:<evil@b.example>\r\nRCPT TO:<support@desk.invalid>\r\nDATA\r\nSubject: two\r\n\r\nsecond\r\n.\r\n")
		d.want(250)
		d.say("NOOP", 250)
		if mails := k.ledger.wait(t, 1); len(mails) != 1 || !bytes.Contains(mails[0].Raw, []byte("second")) {
			t.Errorf("%q ended the mail: %d mails", end, len(mails))
		}
	}
}

func TestListenLongLines(t *testing.T) {
	k, _ := listening(t)
	d := k.talk(t)
	d.say("EHLO x.example", 250)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say(strings.Repeat("x", 3<<20)+"\r\n.", 250)
	if m := k.ledger.wait(t, 1)[0]; len(m.Raw) != 3<<20+2 {
		t.Errorf("got %d bytes", len(m.Raw))
	}
	// A command must not be that long.
	go d.send("NOOP " + strings.Repeat("x", 4<<20))
	_ = d.c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		line, err := d.r.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
				return
			}
			t.Fatalf("an endless command: %v", err)
		}
		if !strings.HasPrefix(line, "421") {
			t.Fatalf("an endless command was answered %q", line)
		}
	}
}

func TestListenBrokenDialogues(t *testing.T) {
	k, _ := listening(t)
	for _, lines := range []string{"DATA", "RCPT TO:<support@desk.invalid>", "MAIL FROM:<a@b.example>", "EHLO", "VRFY", "AUTH PLAIN AGEAYg==", "STARTTLS", "\x00\xff", "BDAT 5 LAST"} {
		d := k.talk(t)
		d.send(lines + "\r\n")
		if code, _, err := d.r.ReadResponse(0); err == nil && (code < 400 && code != 252) {
			t.Errorf("%q was answered %d", lines, code)
		}
	}
	// Hanging up in the middle leaves nothing.
	d := k.talk(t)
	d.say("EHLO x.example", 250)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.send("half a mail")
	_ = d.c.Close()
	// So does a chunk without its last one.
	d = k.talk(t)
	d.say("EHLO x.example", 250)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.send("BDAT 5\r\nhello")
	d.want(250)
	d.say("RSET", 250)
	k.ledger.still(t, 0)
}

func TestListenChunks(t *testing.T) {
	k, _ := listening(t)
	d := k.talk(t)
	d.say("EHLO x.example", 250)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.send("BDAT 7\r\nhello\r\n")
	d.want(250)
	d.send("BDAT 7 LAST\r\n.\r\nbye.")
	d.want(250)
	if m := k.ledger.wait(t, 1)[0]; string(m.Raw) != "hello\r\n.\r\nbye." {
		t.Errorf("got %q", m.Raw)
	}
}

func TestListenStartTLS(t *testing.T) {
	config, pool := smtptest.Certificate(t, time.Time{})
	k, _ := listening(t, func(o *Options) { o.TLS = config })
	d := k.talk(t)
	if text := d.say("EHLO x.example", 250); !strings.Contains(text, "STARTTLS") {
		t.Fatalf("not offered: %s", text)
	}
	d.send("STARTTLS\r\nMAIL FROM:<injected@b.example>\r\n") // must not count after the handshake
	d.want(220)
	c := tls.Client(d.c, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	d.c, d.r = c, textproto.NewReader(bufio.NewReader(c))
	if err := c.Handshake(); err != nil {
		t.Skipf("the injected line broke the handshake, which is as well: %v", err)
	}
	d.say("EHLO x.example", 250)
	d.say("RCPT TO:<support@desk.invalid>", 502)
	d.say("MAIL FROM:<a@b.example>", 250)
	d.say("RCPT TO:<support@desk.invalid>", 250)
	d.say("DATA", 354)
	d.say("x\r\n.", 250)
	if m := k.ledger.wait(t, 1)[0]; m.MailFrom != "a@b.example" {
		t.Errorf("from %q", m.MailFrom)
	}
}

func TestListenBoundsConnections(t *testing.T) {
	k, _ := listening(t)
	for range maxGuestsPerIP {
		k.talk(t)
	}
	c, err := net.Dial("tcp", k.service.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	line, _ := bufio.NewReader(c).ReadString('\n')
	if !strings.HasPrefix(line, "421 4.7.0") {
		t.Errorf("one too many was greeted with %q", line)
	}
}

func TestListenStopsInOrder(t *testing.T) {
	k := newKit(t, func(o *Options) { o.SMTPAddr = "127.0.0.1:0" })
	k.add(t, Input{Address: "support@desk.invalid"})
	stop := k.run(t)
	idle := k.talk(t)
	idle.say("EHLO x.example", 250)
	busy := k.talk(t)
	busy.say("EHLO x.example", 250)
	busy.say("MAIL FROM:<a@b.example>", 250)
	busy.say("RCPT TO:<support@desk.invalid>", 250)
	busy.say("DATA", 354)
	busy.send("half ")
	time.Sleep(50 * time.Millisecond)
	var wg sync.WaitGroup
	wg.Go(stop)
	time.Sleep(50 * time.Millisecond)
	busy.say("a mail\r\n.", 250)
	wg.Wait()
	if m := k.ledger.wait(t, 1)[0]; string(m.Raw) != "half a mail\r\n" {
		t.Errorf("got %q", m.Raw)
	}
	if _, err := net.Dial("tcp", k.service.SMTPAddr()); err == nil {
		t.Error("it still listens")
	}
}

func TestListenTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	k := newKit(t, func(o *Options) { o.SMTPAddr = l.Addr().String() })
	if err := k.service.Listen(); err == nil || !strings.Contains(err.Error(), "--smtp") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkListen is the listener alone, without a disk: 8 connections, 2 kB.
func BenchmarkListen(b *testing.B) {
	body := []byte(letter(1) + strings.Repeat("a line of text that is not short\r\n", 55))
	k := newKit(b, func(o *Options) { o.SMTPAddr, o.Ledger = "127.0.0.1:0", nowhere{} })
	k.add(b, Input{Address: "support@desk.invalid"})
	k.run(b)
	b.ResetTimer()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		c, err := smtp.Dial(k.service.SMTPAddr())
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		for pb.Next() {
			if err := c.SendMail("a@b.example", []string{"support@desk.invalid"}, bytes.NewReader(body)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func (nowhere) Missing(string, []string) ([]string, error) { return nil, nil }

type nowhere struct{}

// Store implements Ledger.
func (nowhere) Store(context.Context, ...desk.Inbound) error { return nil }
