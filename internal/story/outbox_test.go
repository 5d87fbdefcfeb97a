package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/pocketbase/pocketbase/core"
)

// automatic puts an automatic mail into the outbox.
func automatic(t *testing.T, d *desktest.Desk, n int) string {
	t.Helper()
	box, err := d.Mailboxes.Default(d.App)
	if err != nil {
		t.Fatal(err)
	}
	o := &outbox.Delivery{
		Kind: outbox.KindAuto, Auto: true, Mailbox: box.ID, From: box.From(), To: []desk.Address{{Address: fmt.Sprintf("c%d@c.test", n)}},
		Subject: "We have your message", Text: "A person answers soon.", MessageID: fmt.Sprintf("auto%d@desk.test", n),
	}
	if err := d.App.RunInTransaction(func(tx core.App) error { return d.Outbox.Enqueue(tx, o) }); err != nil {
		t.Fatal(err)
	}
	return o.ID
}

type outboxState struct {
	States    map[string]int
	Automatic struct {
		Limit, Held int
		Paused      bool
	}
	SentToday int `json:"sent_today"`
}

func TestTooMuchAutomaticMailIsHeldAndRepliesAreNot(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/settings", d.Token, map[string]any{"mail.auto_per_minute": 3}, 200, nil)
	for i := range 6 {
		automatic(t, d, i)
	}
	var s outboxState
	defer func() {
		if t.Failed() {
			t.Logf("the outbox: %+v", s)
		}
	}()
	d.Eventually("three are sent, the others held", func() bool {
		s = outboxState{}
		d.Get("/api/desk/outbox/summary", &s)
		return s.States["sent"] >= 3 && s.States["sent"]+s.States["held"] == 6
	})
	if n := len(sink.Mails()); n > 4 {
		t.Errorf("%d automatic mails went out over a limit of 3", n)
	}
	for _, m := range sink.Mails() {
		if head := string(m.Data); m.From != "" || !strings.Contains(head, "Auto-Submitted: auto-generated") || !strings.Contains(head, "X-Auto-Response-Suppress: All") {
			t.Errorf("not by RFC 3834: from %q\n%s", m.From, head)
		}
	}
	var me struct{ Banners []struct{ ID, Text string } }
	d.Get("/api/desk/me", &me)
	if len(me.Banners) != 1 || me.Banners[0].ID != "breaker" {
		t.Errorf("banners: %+v", me.Banners)
	}
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Urgent", "text"))
	number := d.WaitTickets(1)[0].Number
	automaticHeld := s.Automatic.Held
	held := reply(d, number, map[string]any{"body": "<p>held for undo</p>", "undo_s": 60}, 201)
	d.Get("/api/desk/outbox/summary", &s)
	if s.Automatic.Held > automaticHeld {
		t.Errorf("an undo window counts as automatic mail held back: %+v", s)
	}
	d.Call("DELETE", "/api/desk/outbox/"+held.Delivery.ID, d.Token, nil, 200, nil)
	before := len(sink.Mails())
	reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201)
	sink.Wait(t, before+1)
}

func TestAutomaticMailCanBePaused(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/outbox/pause", d.Token, map[string]any{"paused": true}, 200, nil)
	id := automatic(t, d, 1)
	var s outboxState
	d.Eventually("held", func() bool { d.Get("/api/desk/outbox/summary", &s); return s.States["held"] == 1 && s.Automatic.Paused })
	if n := len(sink.Mails()); n != 0 {
		t.Fatalf("%d mails in a pause", n)
	}
	d.Call("PATCH", "/api/desk/outbox/pause", d.Token, map[string]any{"paused": false}, 200, nil)
	sink.Wait(t, 1)
	d.Eventually("sent", func() bool { o, err := outbox.Find(d.App, id); return err == nil && o.State == desk.SendSent })
	log, err := event.Since(d.App, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(log, func(e desk.Event) bool { return e.Kind == "delivery.released" && e.Subject == id })
	if i < 0 || log[i].Actor.Kind != desk.ActorAgent || log[i].Reason != "pause_over" {
		t.Errorf("its release is not in the log: %v", i)
	}
}

func TestALineThatBreaksAfterTheMailIsForAPersonToDecide(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	sink.SetScript(func(step, _ string) string {
		if step == smtptest.Body {
			return smtptest.AcceptAndDrop
		}
		return ""
	})
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Maybe", "text"))
	number := d.WaitTickets(1)[0].Number
	m := reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201)
	state := func() string {
		items := d.Tickets()[0].Messages.Items
		return items[len(items)-1].Delivery.State
	}
	d.Eventually("possibly sent", func() bool { return state() == "uncertain" })
	var list struct {
		Items []struct {
			ID     string
			Ticket struct{ Number int64 }
		}
	}
	d.Get("/api/desk/outbox?state=attention", &list)
	if len(list.Items) != 1 || list.Items[0].Ticket.Number != number {
		t.Fatalf("attention: %+v", list)
	}
	if n := len(sink.Mails()); n != 1 {
		t.Errorf("sent %d times by itself", n)
	}
	d.Call("POST", "/api/desk/outbox/"+m.Delivery.ID+"/resolution", d.Token, map[string]string{"outcome": "sent"}, 200, nil)
	if got := state(); got != "sent" {
		t.Errorf("after counting it as sent: %s", got)
	}
}

func TestAServerThatIsAwayIsTriedAgainAndOnRequest(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	sink.SetScript(func(step, _ string) string {
		if step == "RCPT" {
			return "451 4.7.1 greylisted"
		}
		return ""
	})
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Later", "text"))
	number := d.WaitTickets(1)[0].Number
	m := reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201)
	d.Eventually("deferred with the server's words", func() bool {
		items := d.Tickets()[0].Messages.Items
		last := items[len(items)-1].Delivery
		return last.State == "deferred" && strings.Contains(last.Answer, "4.7.1")
	})
	sink.SetScript(nil)
	d.Call("POST", "/api/desk/outbox/"+m.Delivery.ID+"/retry", d.Token, map[string]any{}, 200, nil)
	sink.Wait(t, 1)
}
