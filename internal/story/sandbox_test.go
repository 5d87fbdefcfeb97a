package story_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
)

// TestTheSandboxPlaysTheCustomer goes the README's way through the API: a mail
// written in the sandbox, the answer there, the customer's answer back.
func TestTheSandboxPlaysTheCustomer(t *testing.T) {
	t.Parallel()
	d := desktest.Start(t, desktest.Options{Sandbox: true})
	var me struct{ Desk struct{ Sandbox bool } }
	d.Eventually("the sandbox is on", func() bool { d.Get("/api/desk/me", &me); return me.Desk.Sandbox })
	write := func(subject, text, inReplyTo string) {
		d.Call("POST", "/api/desk/sandbox/mails", d.Token, map[string]any{
			"from":    map[string]string{"name": "Maren Holt", "email": "maren@example.net"},
			"subject": subject, "text": text, "in_reply_to": inReplyTo,
		}, 202, nil)
	}
	write("Broken pole", "It snapped.", "")
	number := d.WaitTickets(1)[0].Number
	reply(d, number, map[string]any{"body": "<p>A spare is on its way.</p>", "undo_s": 0}, 201)
	var box struct {
		Mails []struct{ ID, Subject, Text string }
	}
	d.Eventually("the answer arrives in the sandbox", func() bool { d.Get("/api/desk/sandbox", &box); return len(box.Mails) == 1 })
	if !strings.Contains(box.Mails[0].Text, "A spare is on its way.") {
		t.Errorf("sandbox: %+v", box.Mails)
	}
	write("Re: Broken pole", "Thank you!", box.Mails[0].ID)
	d.Eventually("the customer's answer joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	if got := d.WaitTickets(1)[0]; got.Status != "open" || got.Messages.Items[2].Reason.Code != "token" {
		t.Errorf("after the answer: %+v", got)
	}
}

// TestTheSameKeyDoesItOnce repeats requests as a client does whose connection
// died before it saw the answer.
func TestTheSameKeyDoesItOnce(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	open := map[string]any{"subject": "By phone", "customer": map[string]string{"email": "a@a.test", "name": "A"}, "channel": "phone", "body": "<p>called</p>"}
	var first, again desktest.Ticket
	d.CallWith("POST", "/api/desk/tickets", d.Token, open, 201, &first, "Idempotency-Key", "k1")
	d.CallWith("POST", "/api/desk/tickets", d.Token, open, 201, &again, "Idempotency-Key", "k1")
	if first.Number != again.Number || len(d.Tickets()) != 1 {
		t.Errorf("the same key opened #%d and #%d", first.Number, again.Number)
	}
	var one, two desktest.Message
	path := fmt.Sprintf("/api/desk/tickets/%d/replies", first.Number)
	d.CallWith("POST", path, d.Token, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201, &one, "Idempotency-Key", "k2")
	d.CallWith("POST", path, d.Token, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201, &two, "Idempotency-Key", "k2")
	if one.ID != two.ID {
		t.Errorf("the same key made two replies")
	}
	sink.Wait(t, 1)
	d.Eventually("sent", func() bool {
		items := d.Tickets()[0].Messages.Items
		return items[len(items)-1].Delivery.State == "sent"
	})
	if n := len(sink.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestBadInputGetsOneSentence(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Bad input", "text"))
	number := d.WaitTickets(1)[0].Number
	one := fmt.Sprintf("/api/desk/tickets/%d", number)
	cases := []struct {
		method, path string
		in           any
		status       int
		says         string
	}{
		{"PATCH", one, map[string]any{"status": "done"}, 400, "use new, open"},
		{"PATCH", one, map[string]any{"priority": 3}, 400, "must be text"},
		{"PATCH", one, map[string]any{"colour": "red"}, 400, "no field"},
		{"PATCH", one, map[string]any{"assignee": "nobody"}, 400, "not in the ticket's team"},
		{"POST", one + "/replies", map[string]any{"body": " "}, 400, "empty"},
		{"POST", one + "/replies", map[string]any{"body": "x", "to": []string{"not an address"}}, 400, "not a mail address"},
		{"POST", one + "/replies", map[string]any{"body": "x", "to": []string{desktest.Address}}, 400, "address of this desk"},
		{"POST", one + "/replies", map[string]any{"body": "x", "attachments": []string{"nosuchfile00000"}}, 400, "attach it again"},
		{"POST", one + "/replies", map[string]any{"body": "x", "send_at": "yesterday"}, 400, "time ahead"},
		{"POST", one + "/replies", map[string]any{"body": "x", "undo_s": 900}, 400, "between 0 and 60"},
		{"POST", "/api/desk/tickets", map[string]any{"subject": "x", "customer": map[string]string{"email": "x"}}, 400, "not a mail address"},
		{"GET", "/api/desk/tickets?status=foo", nil, 400, "no status"},
		{"GET", "/api/desk/tickets?limit=abc", nil, 400, "whole number"},
		{"GET", "/api/desk/tickets?sort=x", nil, 400, "no order"},
		{"GET", "/api/desk/tickets?cursor=x", nil, 400, "another list"},
		{"GET", "/api/desk/tickets/9999", nil, 404, "no such ticket"},
		{"PATCH", "/api/desk/settings", map[string]any{"mail.undo_s": 900}, 400, "Undo window"},
		{"POST", "/api/desk/outbox/x/retry", map[string]any{}, 404, "no such mail"},
	}
	for _, c := range cases {
		if status, body := d.Call(c.method, c.path, d.Token, c.in, 0, nil); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.in, status, body)
		}
	}
	markup := `<img src=x onerror=alert(1)><b>"'&amp;</b>`
	var got desktest.Ticket
	d.Call("PATCH", one, d.Token, map[string]any{"subject": markup, "tags": []string{markup[:30]}}, 200, &got)
	if got.Subject != markup || len(got.Tags) != 1 {
		t.Errorf("markup in fields did not stay text: %+v", got)
	}
}
