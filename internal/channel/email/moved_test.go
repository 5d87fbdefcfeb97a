package email

import (
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
)

func TestMailMovedAwayBeforeItWasReadIsFound(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.Create(t, "Archive")
	server.Create(t, "Trash")
	server.Create(t, "Family")
	server.AppendTo(t, "Archive", letter(90), time.Now().Add(-24*time.Hour)) // there before
	k := newKit(t, with(&threads{known: []string{"3@example.org"}}))
	b := k.addAfter(t, box(server), k.service.Look(t.Context(), box(server)))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(1))
	k.ledger.wait(t, 1)
	stop()

	now := time.Now().Add(2 * time.Second)
	move := func(raw, to string) {
		server.Expunge(t, server.AppendAt(t, raw, now))
		server.AppendTo(t, to, raw, now)
	}
	move(letter(2), "Archive")
	server.AppendAt(t, letter(4), now)
	move(letter(5), "Archive")
	move(letter(6), "Trash")
	server.AppendTo(t, "Archive", letter(3), now) // the desk has it
	server.AppendTo(t, "Family", "From: mum@example.org\r\nTo: me@example.org\r\nSubject: number 8\r\n\r\nx\r\n", now)

	again := New(k.service.options)
	again.timing = k.service.timing
	k.service = again
	k.run(t)
	if got := subjects(k.ledger.wait(t, 4)); got != "1 2 5 4" {
		t.Errorf("got letters %s, want 1 2 5 4", got)
	}
	k.ledger.still(t, 4)
	before := len(server.Commands())
	server.Append(t, letter(9))
	k.ledger.wait(t, 5)
	for _, c := range server.Commands()[before:] {
		if c == "EXAMINE Archive" {
			t.Error("searched again without a reason")
		}
	}
}

func TestWhatTheLedgerLacksIsTakenInAndTold(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.addAfter(t, box(server), k.service.Look(t.Context(), box(server)))
	k.run(t)
	k.state(t, b.ID, StateOK)
	late := time.Now().Add(reconcileSlack + time.Minute)
	for i := range 3 {
		server.AppendAt(t, letter(i+1), late)
	}
	mails := k.ledger.wait(t, 3)
	for f := (folder{}); f.next < 4; time.Sleep(5 * time.Millisecond) {
		if f, _ = loadFolder(k.app, b.ID, inbox); t.Context().Err() != nil {
			t.Fatal("the position is not stored")
		}
	}
	if err := k.service.Reconcile(t.Context()); err != nil || len(k.service.Gaps()) != 0 {
		t.Fatalf("a gap where there is none: %v %v", k.service.Gaps(), err)
	}
	k.ledger.forget(b.ID, mails[1].SourceID)
	if err := k.service.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := subjects(k.ledger.wait(t, 4)); got != "1 2 3 2" {
		t.Errorf("got letters %s", got)
	}
	if g := k.service.Gaps(); len(g) != 1 || g[0].Mails != 1 || g[0].Mailbox != b.ID {
		t.Errorf("told %+v", g)
	}
}
