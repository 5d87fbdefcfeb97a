package email

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/emersion/go-imap/v2"
)

func letter(n int) string {
	return fmt.Sprintf("From: anna@example.org\r\nTo: support@desk.invalid\r\nMessage-ID: <%d@example.org>\r\nSubject: number %d\r\n\r\nbody of %d\r\n", n, n, n)
}

func box(s *imaptest.Server) Input {
	return Input{Address: "support@desk.invalid", IMAP: imapInput(s)}
}

// subjects lists which letters came, in order.
func subjects(mails []desk.Inbound) string {
	var all []string
	for _, m := range mails {
		_, after, _ := strings.Cut(string(m.Raw), "Subject: number ")
		n, _, _ := strings.Cut(after, "\r\n")
		all = append(all, n)
	}
	return strings.Join(all, " ")
}

func TestFetchTakesWhatComesAfterTheConnection(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.Append(t, letter(1)) // older than the connection
	k := newKit(t)
	look := k.service.Look(t.Context(), box(server))
	server.Append(t, letter(2)) // between the look and the first fetch
	b := k.addAfter(t, box(server), look)
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(3)) // told by IDLE

	mails := k.ledger.wait(t, 2)
	if got := subjects(mails); got != "2 3" {
		t.Errorf("got letters %s, want 2 3", got)
	}
	m := mails[1]
	if string(m.Raw) != letter(3) || m.Channel != desk.ChannelEmail || m.Mailbox != b.ID || m.SourceID != "INBOX/1/3" || m.Old || m.TooLarge {
		t.Errorf("got %+v", m)
	}
	if !m.Received.IsZero() {
		t.Errorf("a mail of just now was received %v", m.Received)
	}
	if n := server.Unseen(t); n != 3 {
		t.Errorf("%d mails unseen, want 3: a flag was set", n)
	}
	stop()
	for _, c := range server.Commands() {
		if strings.Contains(c, "STORE") || strings.HasPrefix(c, "SELECT") || strings.Contains(c, "BODY[") {
			t.Errorf("the desk sent %q, which can change a mailbox", c)
		}
	}
}

func TestFetchWithoutALookGoesByTime(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.AppendAt(t, letter(1), time.Now().Add(-time.Hour))
	k := newKit(t)
	b := k.add(t, box(server))
	server.AppendAt(t, letter(2), time.Now().Add(2*time.Second))
	k.run(t)
	k.state(t, b.ID, StateOK)
	if got := subjects(k.ledger.wait(t, 1)); got != "2" {
		t.Errorf("got letters %s, want 2", got)
	}
	k.ledger.still(t, 1)
}

func TestFetchGoesOnAfterARestart(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(1))
	k.ledger.wait(t, 1)
	stop()
	server.Append(t, letter(2))
	k.run(t)
	if got := subjects(k.ledger.wait(t, 2)); got != "1 2" {
		t.Errorf("got letters %s", got)
	}
	k.ledger.still(t, 2)
}

// What waited at its server while the desk was down was received then, unless
// the server's date can't be.
func TestFetchKeepsTheTimeOfArrival(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	k.addAfter(t, box(server), k.service.Look(t.Context(), box(server)))
	if _, err := k.app.DB().NewQuery("UPDATE mailboxes SET since = since - 86400000").Execute(); err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour).Truncate(time.Second)
	for n, at := range []time.Time{hourAgo, time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)} {
		server.AppendAt(t, letter(n), at)
	}
	k.run(t)
	mails := k.ledger.wait(t, 3)
	if !mails[0].Received.Equal(hourAgo) || !mails[1].Received.IsZero() || !mails[2].Received.IsZero() {
		t.Errorf("received %v, %v, %v", mails[0].Received, mails[1].Received, mails[2].Received)
	}
}

func TestFetchWithoutIdlePolls(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{NoIdle: true})
	k := newKit(t)
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	for n := range 3 {
		server.Append(t, letter(n))
		k.ledger.wait(t, n+1)
	}
	for _, c := range server.Commands() {
		if c == "IDLE" {
			t.Error("IDLE was sent to a server that does not know it")
		}
	}
}

func TestFetchBurstIsStoredInBatches(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	look := k.service.Look(t.Context(), box(server))
	for n := range 250 {
		server.Append(t, letter(n))
	}
	k.addAfter(t, box(server), look)
	k.run(t)
	mails := k.ledger.wait(t, 250)
	if mails[0].SourceID != "INBOX/1/1" || mails[249].SourceID != "INBOX/1/250" {
		t.Errorf("order: %s ... %s", mails[0].SourceID, mails[249].SourceID)
	}
	if k.ledger.calls != 3 {
		t.Errorf("%d calls of the ledger for 250 mails, want 3", k.ledger.calls)
	}
}

func TestFetchSurvivesCutConnections(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	var sent atomic.Int64
	server.Spoil(func(out []byte) []byte {
		if sent.Add(int64(len(out)))%3 == 0 {
			return nil
		}
		return out
	})
	for n := range 60 {
		server.Append(t, letter(n))
		if n%10 == 0 {
			server.DropConnections()
		}
	}
	time.Sleep(300 * time.Millisecond)
	server.Spoil(nil)
	mails := k.ledger.wait(t, 60)
	for i, m := range mails {
		if m.TooLarge || string(m.Raw) != letter(i) {
			t.Fatalf("mail %d came as %q", i, m.Raw)
		}
	}
	k.ledger.still(t, 60)
	k.state(t, b.ID, StateOK)
}

func TestFetchAfterNewUIDValidity(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.AppendAt(t, letter(1), time.Now().Add(-time.Hour)) // older than the connection
	k := newKit(t)
	b := k.addAfter(t, box(server), k.service.Look(t.Context(), box(server)))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(2))
	k.ledger.wait(t, 1)
	stop()
	server.Append(t, letter(3)) // not seen before the numbers change
	server.Renumber(t)
	k.run(t)
	// Letter 2 comes again under another source id: intake knows its content.
	mails := k.ledger.wait(t, 3)
	if got := subjects(mails); got != "2 2 3" {
		t.Fatalf("got letters %s, want 2 2 3", got)
	}
	if mails[1].SourceID != "INBOX/2/2" || mails[2].SourceID != "INBOX/2/3" || mails[2].Old {
		t.Errorf("got %q, %q", mails[1].SourceID, mails[2].SourceID)
	}
	server.Append(t, letter(4))
	if got := subjects(k.ledger.wait(t, 4)); got != "2 2 3 4" {
		t.Errorf("got letters %s", got)
	}
	k.ledger.still(t, 4)
}

// A server that starts anew with the same UIDVALIDITY gives out old numbers for
// new mails; taken for the old ones they would be lost.
func TestFetchFromAServerThatForgotItsNumbers(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(1))
	server.Append(t, letter(2))
	k.ledger.wait(t, 2)
	stop()
	server.Restart(t)
	server.Append(t, letter(3))
	k.run(t)
	mails := k.ledger.wait(t, 3)
	if got := subjects(mails); got != "1 2 3" || mails[2].SourceID != "INBOX/1.1/1" {
		t.Errorf("got letters %s, the last as %s", got, mails[2].SourceID)
	}
}

func TestFetchLeavesMailWhenItCantBeStored(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	k.ledger.failing(desk.Errorf(desk.Unavailable, "The disk is full."))
	server.Append(t, letter(1))
	if text := k.state(t, b.ID, StateFailing); text != "The disk is full." {
		t.Errorf("the state says %q", text)
	}
	k.ledger.failing(errors.New("disk I/O error"))
	time.Sleep(50 * time.Millisecond)
	k.ledger.failing(nil)
	if got := subjects(k.ledger.wait(t, 1)); got != "1" {
		t.Errorf("got letters %s", got)
	}
	if text := k.state(t, b.ID, StateOK); text != "" {
		t.Errorf("mended, but the state says %q", text)
	}
	if n := server.Unseen(t); n != 1 {
		t.Error("the mail was marked")
	}
}

func TestFetchTooLarge(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t, func(o *Options) { o.MaxSize = 1000 })
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(1)+strings.Repeat("x", 5000))
	server.Append(t, letter(2))
	mails := k.ledger.wait(t, 2)
	m := mails[0]
	if !m.TooLarge || m.Size != int64(len(letter(1)))+5000 || !bytes.HasSuffix(m.Raw, []byte("\r\n\r\n")) || subjects(mails[:1]) != "1" {
		t.Errorf("got %d bytes, too large %v, size %d: %q", len(m.Raw), m.TooLarge, m.Size, m.Raw)
	}
	if mails[1].TooLarge || string(mails[1].Raw) != letter(2) {
		t.Errorf("the mail behind it: %+v", mails[1])
	}
}

var sizeWord = regexp.MustCompile(`RFC822\.SIZE \d+`)

func TestFetchFromAServerThatLiesAboutSizes(t *testing.T) {
	for _, lie := range []string{"RFC822.SIZE 1", "RFC822.SIZE 0", "RFC822.SIZE 999"} {
		server := imaptest.New(t, imaptest.Options{})
		server.Spoil(func(out []byte) []byte { return sizeWord.ReplaceAll(out, []byte(lie)) })
		k := newKit(t, func(o *Options) { o.MaxSize = 1000 })
		b := k.add(t, box(server))
		k.run(t)
		k.state(t, b.ID, StateOK)
		server.Append(t, letter(1))
		server.Append(t, letter(2)+strings.Repeat("x", 5000))
		mails := k.ledger.wait(t, 2)
		if string(mails[0].Raw) != letter(1) || mails[0].TooLarge {
			t.Errorf("%s: got %q", lie, mails[0].Raw)
		}
		if m := mails[1]; !m.TooLarge || len(m.Raw) > 1000 || m.Size < 5000 {
			t.Errorf("%s: the large one came with %d bytes, size %d, too large %v", lie, len(m.Raw), m.Size, m.TooLarge)
		}
	}
}

func TestFetchExpungedBetweenLookAndFetch(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	stop()
	server.Append(t, letter(1))
	gone := server.Append(t, letter(2))
	server.Append(t, letter(3))
	var looks atomic.Int64
	server.BeforeFetch(func(imap.NumSet) error {
		if looks.Add(1) == 2 { // the first is the look at what is there
			server.Expunge(t, gone)
		}
		return nil
	})
	k.run(t)
	if got := subjects(k.ledger.wait(t, 2)); got != "1 3" {
		t.Errorf("got letters %s, want 1 3", got)
	}
	k.ledger.still(t, 2)
}

// One mail breaks the dialogue every time; those behind it must still come, and
// it is not lost without a word.
func TestFetchMailThatBreaksTheServer(t *testing.T) {
	short := func(out []byte) []byte { // announces more than it sends, then hangs up
		if i := bytes.Index(out, []byte("number 2")); i > 0 && bytes.Contains(out, []byte("BODY[] ")) {
			return nil
		}
		return out
	}
	refuse := func(out []byte) []byte {
		if bytes.Contains(out, []byte("number 2")) {
			return nil
		}
		return out
	}
	for name, c := range map[string]struct {
		spoil func([]byte) []byte
		want  string
	}{
		"whole only":     {short, "Subject: number 2"},
		"header as well": {refuse, "Subject: A mail that could not be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			server := imaptest.New(t, imaptest.Options{})
			k := newKit(t)
			b := k.add(t, box(server))
			k.run(t)
			k.state(t, b.ID, StateOK)
			server.Spoil(c.spoil)
			for n := 1; n <= 3; n++ {
				server.Append(t, letter(n))
			}
			mails := k.ledger.wait(t, 3)
			if !mails[1].TooLarge || !strings.Contains(string(mails[1].Raw), c.want) || string(mails[2].Raw) != letter(3) {
				t.Errorf("got %q and %q", mails[1].Raw, mails[2].Raw)
			}
			k.state(t, b.ID, StateOK)
		})
	}
}

func TestFetchLiteralShorterThanAnnounced(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	var cuts atomic.Int64
	server.Spoil(func(out []byte) []byte {
		if bytes.Contains(out, []byte("BODY[] ")) && cuts.Add(1) <= 3 {
			return bytes.Replace(out, []byte("body of 1"), []byte("body"), 1)
		}
		return out
	})
	server.Append(t, letter(1))
	// The client waits for bytes that never come: silence would end it after a
	// minute, the server hanging up ends it now.
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		server.DropConnections()
	}
	mails := k.ledger.wait(t, 1)
	if string(mails[0].Raw) != letter(1) {
		t.Errorf("stored a mail that did not come whole: %q", mails[0].Raw)
	}
}

func TestFetchWrongPasswordSaysSoAndRecovers(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	in := box(server)
	in.IMAP.Password = ptr("wrong")
	b := k.add(t, in)
	k.run(t)
	text := k.state(t, b.ID, StateFailing)
	if !strings.Contains(text, "refused the user user or its password") || strings.Contains(text, "wrong\"") {
		t.Errorf("the state says %q", text)
	}
	if _, err := k.boxes.Change(desk.System("test"), b.ID, Patch{IMAP: imapInput(server)}, Look{}); err != nil {
		t.Fatal(err)
	}
	k.state(t, b.ID, StateOK)
	server.SetPassword("changed at the provider")
	server.DropConnections()
	k.state(t, b.ID, StateFailing)
	server.SetPassword("password")
	k.state(t, b.ID, StateOK)
}

func TestFetchFromASealedWithAnotherKey(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	if _, err := k.app.DB().NewQuery("UPDATE mailboxes SET imap_password = 's1.AAAA'").Execute(); err != nil {
		t.Fatal(err)
	}
	k.run(t)
	if text := k.state(t, b.ID, StateFailing); text != lockedText {
		t.Errorf("the state says %q", text)
	}
	if _, err := k.boxes.Change(desk.System("test"), b.ID, Patch{IMAP: imapInput(server)}, Look{}); err != nil {
		t.Fatal(err)
	}
	k.state(t, b.ID, StateOK)
}

func TestFetchSecurity(t *testing.T) {
	config, pool := smtptest.Certificate(t, time.Time{})
	other, _ := smtptest.Certificate(t, time.Time{})
	for _, c := range []struct {
		name     string
		server   imaptest.Options
		security Security
		want     State
		says     string
	}{
		{"tls", imaptest.Options{TLS: config, Implicit: true}, SecurityTLS, StateOK, ""},
		{"starttls", imaptest.Options{TLS: config}, SecurityStartTLS, StateOK, ""},
		{"opportunistic with", imaptest.Options{TLS: other}, SecurityOpportunistic, StateOK, ""},
		{"opportunistic without", imaptest.Options{}, SecurityOpportunistic, StateOK, ""},
		{"starttls missing", imaptest.Options{}, SecurityStartTLS, StateFailing, "does not offer STARTTLS"},
		{"untrusted", imaptest.Options{TLS: other, Implicit: true}, SecurityTLS, StateFailing, "signed by nobody"},
		{"untrusted starttls", imaptest.Options{TLS: other}, SecurityStartTLS, StateFailing, "signed by nobody"},
		{"tls at a plain port", imaptest.Options{}, SecurityTLS, StateFailing, "does not speak TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := imaptest.New(t, c.server)
			k := newKit(t, func(o *Options) { o.Roots = pool })
			in := box(server)
			in.IMAP.Security = c.security
			b := k.add(t, in)
			k.run(t)
			if text := k.state(t, b.ID, c.want); !strings.Contains(text, c.says) {
				t.Errorf("the state says %q, want %q in it", text, c.says)
			}
		})
	}
}

func TestFetchReconnectsWithoutAlarm(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	changes := make(chan string, 100)
	k := newKit(t, func(o *Options) { o.Changed = func(id string) { changes <- id } })
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	before := len(changes)
	for range 3 {
		server.DropConnections()
		time.Sleep(100 * time.Millisecond)
	}
	server.Append(t, letter(1))
	k.ledger.wait(t, 1)
	if len(changes) != before {
		t.Errorf("a server that hangs up now and then was shown as failing")
	}
}

func TestExplainRefusedPort(t *testing.T) {
	text, _ := explain(fmt.Errorf("dial: %w", syscall.ECONNREFUSED), Server{Host: "mail.invalid", Port: 14}, "imap")
	if !strings.Contains(text, "Nothing answers on port 14") || !strings.Contains(text, "993") {
		t.Error(text)
	}
}
