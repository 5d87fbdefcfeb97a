package story_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
)

// listed is a ticket as the list shows it.
type listed struct {
	Number       int64
	Unread       bool
	Preview      string
	LastFrom     string `json:"last_from"`
	LastAt       string `json:"last_at"`
	WaitingSince string `json:"waiting_since"`
	Updated      string
	Created      string
}

func row(d *desktest.Desk, number int64) (found listed) {
	var list struct{ Items []listed }
	d.Get(fmt.Sprintf("/api/desk/tickets?q=%%23%d", number), &list)
	if len(list.Items) == 1 {
		found = list.Items[0]
	}
	return found
}

// fetched hands a mail to the desk as its fetcher does for one that lay at the
// server since a time.
func fetched(t *testing.T, d *desktest.Desk, raw string, since time.Time) {
	t.Helper()
	box, err := d.Mailboxes.Default(d.App)
	if err == nil {
		err = d.Ledger.Store(t.Context(), desk.Inbound{Channel: desk.ChannelEmail, Mailbox: box.ID, Raw: []byte(strings.ReplaceAll(raw, "\n", "\r\n")), Received: since})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAMailThatCameLateIsNewsAllTheSame fetches a mail that reached its server
// before the agent answered: it is unread, and the last one, and keeps its date.
func TestAMailThatCameLateIsNewsAllTheSame(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Late", "first", "Message-ID: <late1@a.test>"))
	ticket := d.WaitTickets(1)[0]
	if !row(d, ticket.Number).Unread {
		t.Error("a new mail is read")
	}
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/read", ticket.Number), d.Token, map[string]any{}, 204, nil)
	reply(d, ticket.Number, map[string]any{"body": "<p>answer</p>", "undo_s": 0}, 201)
	if got := row(d, ticket.Number); got.Unread || got.LastFrom != "agent" || got.WaitingSince != "" {
		t.Errorf("after the answer: %+v", got)
	}
	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	fetched(t, d, desktest.Mail("a@a.test", "Re: Late", "it is urgent", "References: <late1@a.test>"), since)
	d.Eventually("the late mail joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	got := row(d, ticket.Number)
	if !got.Unread || got.Preview != "it is urgent" || got.LastFrom != "customer" || got.LastAt < ticket.Messages.Items[0].Created {
		t.Errorf("a late mail looks like no news: %+v", got)
	}
	if want := desk.MustStamp(desk.Millis(since)); got.WaitingSince != want {
		t.Errorf("the customer waits since %s, not %s", got.WaitingSince, want)
	}
	for _, m := range d.Tickets()[0].Messages.Items {
		if m.Text == "it is urgent" && (m.Created != desk.MustStamp(desk.Millis(since)) || m.Arrived <= m.Created) {
			t.Errorf("the late mail shows %s, arrived %s", m.Created, m.Arrived)
		}
	}
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/read", ticket.Number), d.Token, map[string]any{}, 204, nil)
	if row(d, ticket.Number).Unread {
		t.Error("it stays unread")
	}
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/read", ticket.Number), d.Token, map[string]any{"unread": true}, 204, nil)
	if !row(d, ticket.Number).Unread {
		t.Error("it can't be marked unread")
	}
}

// TestATicketOpenedByALateMailIsOnTop fetches a mail that opens a ticket an hour
// after it reached its server.
func TestATicketOpenedByALateMailIsOnTop(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Now", "x"))
	d.WaitTickets(1)
	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	fetched(t, d, desktest.Mail("b@b.test", "An hour ago", "x"), since)
	all := d.WaitTickets(2)
	var list struct{ Items []listed }
	d.Get("/api/desk/tickets?sort=-updated", &list)
	late := list.Items[0]
	if late.Number == all[1].Number || late.Created != desk.MustStamp(desk.Millis(since)) || late.Updated <= late.Created || !late.Unread {
		t.Errorf("the list begins with %+v", late)
	}
}

// TestASeenMessageMustBeOneOfTheTicket answers by ids of messages that are
// there, were taken back, or never were.
func TestASeenMessageMustBeOneOfTheTicket(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Seen", "first", "Message-ID: <seen1@a.test>"))
	number := d.WaitTickets(1)[0].Number
	d.Receive("b@b.test", desktest.Mail("b@b.test", "Another", "x"))
	other := d.WaitTickets(2)[1].Messages.Items[0].ID
	answer := func(seen string) map[string]any {
		return map[string]any{"body": "<p>x</p>", "seen_message_id": seen, "undo_s": 60}
	}
	for _, seen := range []string{"nosuchmessage00", other} {
		_, body := d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", number), d.Token, answer(seen), 400, nil)
		if !strings.Contains(body, "seen_message_id names no message of this ticket") {
			t.Errorf("%s: %s", seen, body)
		}
	}
	mine := reply(d, number, map[string]any{"body": "<p>too early</p>", "undo_s": 60}, 201)
	d.Call("DELETE", "/api/desk/outbox/"+mine.Delivery.ID, d.Token, nil, 200, nil)
	mine = reply(d, number, answer(mine.ID), 201) // who saw it taken back may go on
	d.Call("DELETE", "/api/desk/outbox/"+mine.Delivery.ID, d.Token, nil, 200, nil)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Re: Seen", "more", "References: <seen1@a.test>"))
	d.Eventually("the customer wrote again", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", number), d.Token, answer(mine.ID), 409, nil)
}
