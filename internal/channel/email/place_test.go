package email

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
)

// threads knows the mails that tickets are made of.
type threads struct {
	busy  atomic.Bool
	known []string
}

func (t *threads) Entered() (bool, error) { return !t.busy.Load(), nil }

func (t *threads) Belongs(id string, refs []string) (bool, error) {
	return !slices.Contains(t.known, id) && slices.ContainsFunc(refs, func(r string) bool { return slices.Contains(t.known, r) }), nil
}

func (t *threads) Known(id string) (bool, error) { return slices.Contains(t.known, id), nil }

func with(t *threads) func(*Options) { return func(o *Options) { o.Threads = t } }

func answer(n, to int) string {
	return fmt.Sprintf("From: support@desk.invalid\r\nTo: anna@example.org\r\nMessage-ID: <%d@desk.invalid>\r\nIn-Reply-To: <%d@example.org>\r\nSubject: number %d\r\n\r\nbody\r\n", n, to, n)
}

func TestAnswersFromTheSentFolderAreTakenInAndNothingElse(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.Create(t, "Sent Items")
	th := &threads{known: []string{"1@example.org", "9@desk.invalid"}}
	k := newKit(t, with(th))
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	server.Append(t, letter(1))
	k.ledger.wait(t, 1)
	server.AppendTo(t, "Sent Items", letter(2), time.Time{})     // refers to nothing
	server.AppendTo(t, "Sent Items", answer(3, 77), time.Time{}) // to somebody else's mail
	server.AppendTo(t, "Sent Items", answer(9, 1), time.Time{})  // the desk's own
	server.AppendTo(t, "Sent Items", answer(4, 1), time.Time{})
	mails := k.ledger.wait(t, 2)
	if m := mails[1]; !m.Sent || string(m.Raw) != answer(4, 1) || !strings.HasPrefix(m.SourceID, "Sent Items/") {
		t.Errorf("got %+v", m)
	}
	server.Append(t, letter(5)) // the inbox goes on
	if got := subjects(k.ledger.wait(t, 3)); got != "1 4 5" {
		t.Errorf("got letters %s", got)
	}
	k.ledger.still(t, 3)
	for _, c := range server.Commands() {
		if strings.Contains(c, "BODY.PEEK[]") && strings.Contains(c, "FETCH 1:") {
			t.Errorf("fetched what is nobody's business: %q", c)
		}
	}
}

func TestSentMailWaitsUntilWhatItAnswersIsATicket(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.Create(t, "Sent")
	th := &threads{known: []string{"1@example.org"}}
	th.busy.Store(true)
	k := newKit(t, with(th))
	b := k.add(t, box(server))
	k.run(t)
	k.state(t, b.ID, StateOK)
	server.AppendTo(t, "Sent", answer(4, 1), time.Time{})
	k.ledger.still(t, 0)
	th.busy.Store(false)
	k.ledger.wait(t, 1)
}

func TestAChosenFolderIsReadAndMissedWhenItGoes(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	server.Create(t, "Shop")
	k := newKit(t)
	in := box(server)
	in.Folders = []string{"Shop"}
	b := k.add(t, in)
	k.run(t)
	k.state(t, b.ID, StateOK)
	server.AppendTo(t, "Shop", letter(1), time.Time{})
	k.ledger.wait(t, 1)
	server.Rename(t, "Shop", "Orders")
	if text := k.state(t, b.ID, StateFailing); !strings.Contains(text, `"Shop"`) {
		t.Errorf("said %q", text)
	}
	server.Append(t, letter(2))
	k.ledger.wait(t, 2)
	server.Rename(t, "Orders", "Shop") // it goes on by itself
	server.AppendTo(t, "Shop", letter(3), time.Time{})
	if got := subjects(k.ledger.wait(t, 3)); got != "1 2 3" {
		t.Errorf("got letters %s", got)
	}
	k.state(t, b.ID, StateOK)
}

func TestOlderMailIsTakenInOnceAsked(t *testing.T) {
	day := 24 * time.Hour
	server := imaptest.New(t, imaptest.Options{})
	now := time.Now()
	for i, age := range []time.Duration{40 * day, 9 * day, 2 * day} {
		server.AppendAt(t, letter(i+1), now.Add(-age))
	}
	k := newKit(t)
	in := box(server)
	in.BackfillDays = 10
	b := k.addAfter(t, in, k.service.Look(t.Context(), in))
	k.run(t)
	mails := k.ledger.wait(t, 2)
	server.Append(t, letter(4))
	mails = k.ledger.wait(t, len(mails)+1)
	if got := subjects(mails); got != "2 3 4" {
		t.Fatalf("got letters %s", got)
	}
	for i, m := range mails {
		if m.Backfill != (i < 2) || m.Backfill && m.Received.After(now.Add(-day)) {
			t.Errorf("letter %d: backfill %v, received %v", i+2, m.Backfill, m.Received)
		}
	}
	if _, err := k.boxes.TakeOlder(desk.System("test"), b.ID, 60); err != nil {
		t.Fatal(err)
	}
	if got := subjects(k.ledger.wait(t, 4)); got != "2 3 4 1" {
		t.Errorf("got letters %s", got)
	}
	k.ledger.still(t, 4)
}

func TestOlderMailIsRefusedWhereThereIsNone(t *testing.T) {
	server := imaptest.New(t, imaptest.Options{})
	k := newKit(t)
	b := k.add(t, box(server))
	for _, days := range []int{0, -1, 731} {
		if _, err := k.boxes.TakeOlder(desk.System("test"), b.ID, days); desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%d days: %v", days, err)
		}
	}
}

func TestTheSentFolderIsFoundByMarkOrName(t *testing.T) {
	for _, c := range []struct {
		all  []listed
		want string
	}{
		{[]listed{{name: "INBOX"}, {name: "Sent"}, {name: "Ausgang", sent: true}}, "Ausgang"},
		{[]listed{{name: "INBOX"}, {name: "INBOX.Gesendete Objekte"}}, "INBOX.Gesendete Objekte"},
		{[]listed{{name: "[Gmail]/Sent Mail"}, {name: "Not sent"}}, "[Gmail]/Sent Mail"},
		{[]listed{{name: "INBOX"}, {name: "Unsent"}}, ""},
	} {
		if got := sentFolder(c.all); got != c.want {
			t.Errorf("%v: %q, want %q", c.all, got, c.want)
		}
	}
}
