package email

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/emersion/go-imap/v2"
)

func TestServiceFollowsTheMailboxes(t *testing.T) {
	one, two := imaptest.New(t, imaptest.Options{}), imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	k.run(t)
	a := k.add(t, Input{Address: "a@desk.invalid", IMAP: imapInput(one)})
	k.state(t, a.ID, StateOK)
	b := k.add(t, Input{Address: "b@desk.invalid", IMAP: imapInput(two)})
	k.state(t, b.ID, StateOK)
	two.Append(t, letter(1))
	if m := k.ledger.wait(t, 1)[0]; m.Mailbox != b.ID {
		t.Errorf("came through %s", m.Mailbox)
	}

	// A new name disturbs no connection; another account begins anew.
	before := one.Connections()
	by := desk.System("test")
	if _, err := k.boxes.Change(by, a.ID, Patch{Name: ptr("Help")}, Look{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if one.Connections() != before {
		t.Error("a new name broke the connection")
	}
	three := imaptest.New(t, imaptest.Options{})
	three.AppendAt(t, letter(2), time.Now().Add(-time.Hour))
	if _, err := k.boxes.Change(by, a.ID, Patch{IMAP: &ServerInput{Host: "localhost", Port: three.Port(), Security: SecurityNone, User: "user", Password: ptr("password")}}, Look{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	k.state(t, a.ID, StateOK)
	three.Append(t, letter(3))
	if got := subjects(k.ledger.wait(t, 2)); got != "1 3" {
		t.Errorf("got letters %s, want 1 3", got)
	}

	if err := k.boxes.Remove(by, b.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	two.Append(t, letter(4))
	k.ledger.still(t, 2)
}

func TestServiceShowsAMailboxThatGetsNothing(t *testing.T) {
	k := newKit(t)
	box := k.add(t, Input{Address: "support@desk.invalid"})
	k.run(t)
	for range 100 {
		if found, _ := k.boxes.Find(k.app, box.ID); strings.Contains(found.StateText, "--smtp") && found.State == StateOff {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("nobody says that no mail arrives")
}

func TestServiceWithAMovedClock(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.AppendAt(t, letter(1), time.Now().Add(-time.Minute))
	clock := desk.NewTestClock(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	k := newKit(t, func(o *Options) { o.Clock = clock })
	box := k.add(t, box(server))
	k.run(t)
	k.state(t, box.ID, StateOK)
	clock.Advance(36 * time.Hour)
	server.Append(t, letter(2))
	mails := k.ledger.wait(t, 1)
	if subjects(mails) != "2" || !mails[0].Received.IsZero() {
		t.Errorf("got letters %s, received %v", subjects(mails), mails[0].Received)
	}
}

func TestProbeMailIsKnownByItsHeader(t *testing.T) {
	k := newKit(t)
	raw, err := build(desk.Outbound{From: desk.Address{Address: "a@b.example"}, MessageID: "x@y"}, map[string]string{ProbeHeader: probeValue(k.service.options.Box, "x@y")})
	if err != nil {
		t.Fatal(err)
	}
	if m := mail.Parse(raw); !k.boxes.IsProbe(&m.Header) {
		t.Errorf("not known:\n%s", raw)
	}
	forged := strings.Replace(string(raw), "<x@y>", "<z@y>", 1)
	if m := mail.Parse([]byte(forged)); k.boxes.IsProbe(&m.Header) {
		t.Error("a stranger's mail is taken for a test mail")
	}
	if m := mail.Parse([]byte(letter(1))); k.boxes.IsProbe(&m.Header) {
		t.Error("a letter is taken for a test mail")
	}
}

func TestConnectingToALargeFolder(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	for n := range 20000 {
		server.AppendAt(t, letter(n), time.Now().Add(-time.Hour))
	}
	k := newKit(t)
	b := k.addAfter(t, box(server), k.service.Look(t.Context(), box(server)))
	k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(20000))
	if got := subjects(k.ledger.wait(t, 1)); got != "20000" {
		t.Errorf("got letters %s", got)
	}
	k.ledger.still(t, 1)
}

func TestRenumbered(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name       string
		f          folder
		sel        imap.SelectData
		generation int
		cutoff     time.Time
	}{
		{"small", folder{validity: 1, next: 50, first: at(1), last: at(60)}, imap.SelectData{UIDValidity: 2, UIDNext: 40, NumMessages: 39}, 0, at(1).Add(time.Second)},
		{"empty when connected", folder{validity: 1, next: 50, last: at(60)}, imap.SelectData{UIDValidity: 2, UIDNext: 40, NumMessages: 39}, 0, time.Time{}},
		{"large", folder{validity: 1, next: 50, first: at(1), last: at(60)}, imap.SelectData{UIDValidity: 2, UIDNext: 9000, NumMessages: 8000}, 0, at(30)},
		{"large but young", folder{validity: 1, next: 50, first: at(50), last: at(60)}, imap.SelectData{UIDValidity: 2, UIDNext: 9000, NumMessages: 8000}, 0, at(50).Add(time.Second)},
		{"old numbers again", folder{validity: 2, generation: 3, next: 50, first: at(1)}, imap.SelectData{UIDValidity: 2, UIDNext: 2, NumMessages: 1}, 4, at(1).Add(time.Second)},
	} {
		got := c.f.renumbered(&c.sel)
		if got.generation != c.generation || !got.cutoff.Equal(c.cutoff) || got.next != 1 || got.until != uint32(c.sel.UIDNext) || got.validity != c.sel.UIDValidity {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestDelayIsBounded(t *testing.T) {
	r := fetcher{service: &Service{timing: usualTiming}}
	for failures := 1; failures < 100; failures++ {
		if d := r.delay(failures); d < usualTiming.retry/2 || d > time.Minute {
			t.Fatal(fmt.Sprint("after ", failures, " failures: ", d))
		}
	}
}
