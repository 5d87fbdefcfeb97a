package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// TestWhatATicketIsOpenedWithStandsInItsLog opens one with everything set.
func TestWhatATicketIsOpenedWithStandsInItsLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	in := map[string]any{
		"subject": "By phone", "customer": map[string]any{"email": "a@a.test"}, "channel": "phone", "body": "<p>rang</p>",
		"priority": "urgent", "type": "complaint", "tags": []string{"vip", "Vip", "lamp"},
	}
	var opened desktest.Ticket
	d.Call("POST", "/api/desk/tickets", d.Token, in, 201, &opened)
	if n := kinds(d, opened.Number); n["ticket.prioritized"] != 1 || n["ticket.retyped"] != 1 || n["ticket.tagged"] != 2 || n["ticket.opened"] != 1 || len(opened.Tags) != 2 {
		t.Errorf("events %v, tags %v", n, opened.Tags)
	}
	d.Call("POST", "/api/desk/tickets", d.Token, map[string]any{"subject": "Plain", "customer": map[string]any{"email": "a@a.test"}}, 201, &opened)
	if n := kinds(d, opened.Number); n["ticket.prioritized"]+n["ticket.retyped"]+n["ticket.tagged"] != 0 {
		t.Errorf("a plain one: %v", n)
	}
	in["channel"] = "pigeon"
	_, body := d.Call("POST", "/api/desk/tickets", d.Token, in, 400, nil)
	if !strings.Contains(body, "in_person") {
		t.Errorf("an unknown channel: %s", body)
	}
}

// TestManyTicketsAreChangedAtOnce changes some that one may, one of another team
// and one that does not exist.
func TestManyTicketsAreChangedAtOnce(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	for i := range 3 {
		d.Receive("a@a.test", desktest.Mail("a@a.test", fmt.Sprintf("Bulk %d", i), "x"))
		d.WaitTickets(i + 1)
	}
	all := d.Tickets()
	var other struct{ ID string }
	d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Orders"}, 201, &other)
	d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", all[2].Number), d.Token, map[string]any{"team": other.ID}, 200, nil)
	id, inside := hire(d, "Inside", []desk.Role{desk.RoleAssociate}, all[0].Team.ID)
	type result struct {
		Items []struct {
			Number int64
			Ticket *desktest.Ticket
			Error  *struct{ Code, Message string }
		}
	}
	numbers := []int64{all[0].Number, all[1].Number, all[2].Number, 4711, all[0].Number}
	var out result
	d.Call("POST", "/api/desk/tickets/bulk", inside, map[string]any{"numbers": numbers, "change": map[string]any{"status": "solved", "assignee": id, "tags": []string{"done"}}}, 200, &out)
	if len(out.Items) != 4 {
		t.Fatalf("%d results: %+v", len(out.Items), out)
	}
	for i, r := range out.Items[:2] {
		if r.Error != nil || r.Ticket.Status != "solved" || r.Ticket.Assignee.ID != id || !slices.Equal(r.Ticket.Tags, []string{"done"}) || r.Number != all[i].Number {
			t.Errorf("#%d: %+v", r.Number, r)
		}
	}
	for _, r := range out.Items[2:] {
		if r.Ticket != nil || r.Error == nil || r.Error.Code != "not_found" {
			t.Errorf("#%d: %+v", r.Number, r)
		}
	}
	if got := d.Tickets()[2]; got.Status != "new" {
		t.Errorf("the other team's is %s", got.Status)
	}
	out = result{}
	d.Call("POST", "/api/desk/tickets/bulk", d.Token, map[string]any{"numbers": numbers[:3], "change": map[string]any{"assignee": id, "priority": "high"}}, 200, &out)
	if r := out.Items[2]; r.Error == nil || r.Error.Code != "invalid" || !strings.Contains(r.Error.Message, "not in the ticket's team") || out.Items[0].Ticket == nil {
		t.Errorf("an assignee of another team: %+v", out)
	}
	if n := kinds(d, all[2].Number); n["ticket.prioritized"] != 0 {
		t.Errorf("a refused change left events: %v", n)
	}
	agree(t, d)
	for _, numbers := range [][]int64{{}, make([]int64, 201)} {
		d.Call("POST", "/api/desk/tickets/bulk", d.Token, map[string]any{"numbers": numbers, "change": map[string]any{"status": "open"}}, 400, nil)
	}
}

// TestAFailedMailIsPutAway clears what asks for attention, with its reason in the log.
func TestAFailedMailIsPutAway(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	sink.SetScript(func(step, _ string) string {
		if step == "RCPT" {
			return "550 5.1.1 No such user"
		}
		return ""
	})
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Gone", "text"))
	first := d.WaitTickets(1)[0]
	_, outside := hire(d, "Outside", []desk.Role{desk.RoleAssociate})
	m := reply(d, first.Number, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201)
	attention := func() int {
		var counts struct {
			N int `json:"outbox_attention"`
		}
		d.Get("/api/desk/counts", &counts)
		return counts.N
	}
	d.Eventually("it asks for attention", func() bool { return attention() == 1 })
	path := "/api/desk/outbox/" + m.Delivery.ID + "/resolution"
	d.Call("POST", path, outside, map[string]any{"outcome": "put_away"}, 404, nil)
	d.Call("POST", path, d.Token, map[string]any{"outcome": "forgotten"}, 400, nil)
	d.Call("POST", path, d.Token, map[string]any{"outcome": "sent"}, 409, nil)
	var row struct {
		State   string
		PutAway *string `json:"put_away"`
	}
	d.Call("POST", path, d.Token, map[string]any{"outcome": "put_away"}, 200, &row)
	var s outboxState
	d.Get("/api/desk/outbox/summary", &s)
	if row.State != "failed" || row.PutAway == nil || attention() != 0 || s.States["failed"] != 0 {
		t.Errorf("after that: %+v, %d ask for attention, %+v", row, attention(), s)
	}
	for state, n := range map[string]int{"attention": 0, "failed": 0, "put_away": 1, "": 1} {
		var list struct{ Items []struct{ ID string } }
		if d.Get("/api/desk/outbox?state="+state, &list); len(list.Items) != n {
			t.Errorf("state %q lists %d", state, len(list.Items))
		}
	}
	if n := kinds(d, first.Number); n["delivery.put_away"] != 1 {
		t.Errorf("events: %v", n)
	}
}

// TestATokenForPicturesLivesByTheMachinesClock moves the desk's clock by a day.
func TestATokenForPicturesLivesByTheMachinesClock(t *testing.T) {
	t.Parallel()
	clock := desk.NewTestClock(time.Now())
	sink := smtptest.New(t, smtptest.Options{})
	d := desktest.Start(t, desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}, Clock: clock})
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Token", "text"))
	m := d.WaitTickets(1)[0].Messages.Items[0]
	var token struct{ Token, Expires string }
	d.Call("POST", "/api/desk/files/token", d.Token, map[string]any{}, 200, &token)
	clock.Advance(24 * time.Hour)
	d.Call("GET", "/api/desk/messages/"+m.ID+"/body?token="+token.Token, "", nil, 200, nil)
	if soon := desk.MustStamp(desk.Millis(time.Now().Add(time.Hour))); token.Expires > soon {
		t.Errorf("a token that expires %s", token.Expires)
	}
}
