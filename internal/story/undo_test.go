package story_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// draft is a draft as the API shows it.
type draft struct {
	Kind, Body    string
	To            []string
	Attachments   []string
	SeenMessageID string `json:"seen_message_id"`
}

func undo(d *desktest.Desk, token string, m desktest.Message) draft {
	var out struct{ Draft draft }
	d.Call("DELETE", "/api/desk/outbox/"+m.Delivery.ID, token, nil, 200, &out)
	return out.Draft
}

// TestUndoKeepsWhatWasBegunSince takes a reply back while the agent already
// writes the next one, or a note.
func TestUndoKeepsWhatWasBegunSince(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Two drafts", "text"))
	first := d.WaitTickets(1)[0]
	path := fmt.Sprintf("/api/desk/tickets/%d/draft", first.Number)
	file, other := upload(t, d, d.Token, "one.txt", "one"), upload(t, d, d.Token, "two.txt", "two")
	send := func() desktest.Message {
		return reply(d, first.Number, map[string]any{"body": "<p>The first answer</p>", "attachments": []string{file}, "seen_message_id": first.Messages.Items[0].ID, "undo_s": 60}, 201)
	}
	for _, c := range []struct {
		name  string
		begun map[string]any
		kind  string
		want  []string // in this order
		files int
	}{
		{"nothing", nil, "reply", []string{"The first answer"}, 1},
		{"the same text, saved late", map[string]any{"kind": "reply", "body": "<p>The first answer</p>"}, "reply", []string{"The first answer"}, 1},
		{"the next answer", map[string]any{"kind": "reply", "body": "<p>And one more thing</p>", "attachments": []string{other}}, "reply", []string{"The first answer", "And one more thing"}, 2},
		{"a note", map[string]any{"kind": "note", "body": "<p>Between us</p>"}, "note", []string{"The first answer", "Between us"}, 1},
	} {
		m := send()
		if c.begun != nil {
			d.Call("PUT", path, d.Token, c.begun, 200, nil)
		}
		got, kept := undo(d, d.Token, m), draft{}
		d.Get(path, &kept)
		if got.Kind != c.kind || len(got.Attachments) != c.files || got.SeenMessageID != first.Messages.Items[0].ID || len(got.To) != 1 || kept.Body != got.Body {
			t.Errorf("%s: answered %+v, kept %+v", c.name, got, kept)
		}
		rest := got.Body
		for _, text := range c.want {
			_, after, found := strings.Cut(rest, text)
			if !found {
				t.Errorf("%s: no %q in %q", c.name, text, got.Body)
			}
			rest = after
		}
		if strings.Contains(rest, "The first answer") {
			t.Errorf("%s: the text is there twice: %q", c.name, got.Body)
		}
		d.Call("DELETE", path, d.Token, nil, 204, nil)
	}
}

// TestUndoGivesTheTextOnlyToWhoMayWriteThere lets others try to take a reply back.
func TestUndoGivesTheTextOnlyToWhoMayWriteThere(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Private", "text"))
	first := d.WaitTickets(1)[0]
	_, admin := hire(d, "Admin", []desk.Role{desk.RoleAdmin}, first.Team.ID)
	_, outside := hire(d, "Outside", []desk.Role{desk.RoleAssociate})
	_, inside := hire(d, "Inside", []desk.Role{desk.RoleAssociate}, first.Team.ID)
	m := reply(d, first.Number, map[string]any{"body": "<p>Secret of the customer</p>", "undo_s": 60}, 201)
	for who, want := range map[string]struct {
		token  string
		status int
	}{"admin": {admin, 403}, "outside": {outside, 404}} {
		if status, body := d.Call("DELETE", "/api/desk/outbox/"+m.Delivery.ID, want.token, nil, 0, nil); status != want.status || strings.Contains(body, "Secret") {
			t.Errorf("%s: %d %s", who, status, body)
		}
	}
	if got := undo(d, inside, m); !strings.Contains(got.Body, "Secret") {
		t.Errorf("a colleague takes back %+v", got)
	}
	d.Call("PATCH", "/api/desk/outbox/pause", d.Token, map[string]any{"paused": true}, 200, nil)
	id := automatic(t, d, 1) // tells nothing of a ticket
	d.Call("DELETE", "/api/desk/outbox/"+id, admin, nil, 200, nil)
}

// TestUndoGivesTheWaitingBack takes replies back in the ways a ticket can have
// gone on, and looks since when the customer waits and what is shown as last.
func TestUndoGivesTheWaitingBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(d *desktest.Desk, number int64)
		in     map[string]any
		since  func(d *desktest.Desk, number int64)
		waits  string // "before", "" or "new"
		last   string
		speaks string
	}{
		{name: "nothing happened", waits: "before", last: "first", speaks: "customer"},
		{name: "solved with it", in: map[string]any{"status": "solved"}, waits: "before", last: "first", speaks: "customer"},
		{name: "waiting before it", before: setStatus("pending"), in: map[string]any{"status": "solved"}, last: "first", speaks: "customer"},
		{name: "a colleague waits for the customer", since: setStatus("pending"), last: "first", speaks: "customer"},
		{name: "the customer wrote again", since: again("more"), waits: "before", last: "more", speaks: "customer"},
		{name: "answered by another", since: func(d *desktest.Desk, number int64) {
			reply(d, number, map[string]any{"body": "<p>the other answer</p>", "undo_s": 0}, 201)
		}, last: "the other answer", speaks: "agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := start(t)
			d.Receive("a@a.test", desktest.Mail("a@a.test", "Waits", "first", "Message-ID: <w1@a.test>"))
			number := d.WaitTickets(1)[0].Number
			was := row(d, number)
			if c.before != nil {
				c.before(d, number)
			}
			in := map[string]any{"body": "<p>too early</p>", "undo_s": 60}
			for k, v := range c.in {
				in[k] = v
			}
			m := reply(d, number, in, 201)
			time.Sleep(5 * time.Millisecond)
			if c.since != nil {
				c.since(d, number)
			}
			undo(d, d.Token, m)
			got := row(d, number)
			want := map[string]string{"before": was.WaitingSince}[c.waits]
			if got.WaitingSince != want || got.Preview != c.last || got.LastFrom != c.speaks {
				t.Errorf("waits since %q, not %q; last %q by %s", got.WaitingSince, want, got.Preview, got.LastFrom)
			}
			if c.since == nil && got.LastAt != was.LastAt {
				t.Errorf("the last message is of %s, not %s", got.LastAt, was.LastAt)
			}
		})
	}
}

func setStatus(to string) func(d *desktest.Desk, number int64) {
	return func(d *desktest.Desk, number int64) {
		d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", number), d.Token, map[string]any{"status": to}, 200, nil)
	}
}

func again(text string) func(d *desktest.Desk, number int64) {
	return func(d *desktest.Desk, number int64) {
		before := len(d.Tickets()[0].Messages.Items)
		d.Receive("a@a.test", desktest.Mail("a@a.test", "Re: Waits", text, "References: <w1@a.test>"))
		d.Eventually("the customer wrote again", func() bool { return len(d.Tickets()[0].Messages.Items) > before })
	}
}

// TestATicketThatMovesAwayIsNotAnswered moves a ticket to another team while a
// reply, a note and a change of somebody of the old team wait for the database.
func TestATicketThatMovesAwayIsNotAnswered(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Moves", "text"))
	first := d.WaitTickets(1)[0]
	_, inside := hire(d, "Inside", []desk.Role{desk.RoleAssociate}, first.Team.ID)
	var other struct{ ID string }
	d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Orders"}, 201, &other)
	held := reply(d, first.Number, map[string]any{"body": "<p>x</p>", "undo_s": 60}, 201)
	one := fmt.Sprintf("/api/desk/tickets/%d", first.Number)
	calls := []struct {
		method, path string
		in           any
	}{
		{"POST", one + "/replies", map[string]any{"body": "<p>late</p>"}},
		{"POST", one + "/notes", map[string]any{"body": "<p>late</p>"}},
		{"PATCH", one, map[string]any{"priority": "high"}},
		{"DELETE", "/api/desk/outbox/" + held.Delivery.ID, nil},
		{"POST", "/api/desk/outbox/" + held.Delivery.ID + "/retry", map[string]any{}},
	}
	answers := make(chan string, len(calls))
	err := d.App.RunInTransaction(func(tx core.App) error {
		for _, c := range calls {
			go func() {
				status, body := d.Call(c.method, c.path, inside, c.in, 0, nil)
				answers <- fmt.Sprintf("%d %s %s: %s", status, c.method, c.path, body)
			}()
		}
		time.Sleep(300 * time.Millisecond) // they have all been let in by now
		moved, err := ticket.ByNumber(tx, first.Number)
		if err != nil {
			return err
		}
		return d.Desk.Tickets.Change(tx, desk.System("test"), moved, ticket.Change{Team: &other.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	for range calls {
		if got := <-answers; !strings.HasPrefix(got, "404") {
			t.Error(got)
		}
	}
	if d, err := outbox.Find(d.App, held.Delivery.ID); err != nil || d.State != desk.SendHeld {
		t.Errorf("the delivery is %v, %v", d, err)
	}
}
