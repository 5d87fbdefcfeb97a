package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/sqlite"
)

// report is a delivery report about a mail of ours, for one address.
func report(messageID, address, action, status string) string {
	return strings.NewReplacer("MESSAGE-ID", messageID, "a@a.test", address, "Action: failed", "Action: "+action, "5.1.1", status).Replace(dsn)
}

// answered is a ticket whose answer went to some addresses and which is solved.
func answered(t *testing.T, to ...string) (*desktest.Desk, int64, desktest.Message) {
	t.Helper()
	d, sink := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Reports", "text"))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0, "status": "solved", "to": to}, 201)
	sink.Wait(t, len(to))
	d.Eventually("sent", func() bool { return d.Tickets()[0].Messages.Items[1].Delivery.State == "sent" })
	return d, number, sent
}

// arrives hands a report in and waits until it is in the ticket.
func arrives(d *desktest.Desk, raw string) desktest.Ticket {
	n := len(d.Tickets()[0].Messages.Items)
	d.Receive("", strings.Replace(raw, "could not be delivered.", fmt.Sprintf("could not be delivered (%d).", n), 1)) // else it is a copy
	d.Eventually("the report is in the ticket", func() bool { return len(d.Tickets()[0].Messages.Items) > n })
	return d.Tickets()[0]
}

// kinds counts the events of a ticket by kind and reason.
func kinds(d *desktest.Desk, number int64) map[string]int {
	var page struct {
		Items []struct {
			Kind   string
			Reason struct{ Code, Text string }
		}
	}
	d.Get(fmt.Sprintf("/api/desk/tickets/%d/events", number), &page)
	out := map[string]int{}
	for _, e := range page.Items {
		out[e.Kind]++
		if e.Reason.Code != "" {
			out[e.Kind+" "+e.Reason.Code]++
		}
	}
	return out
}

func TestReportsAboutOneMailAddUp(t *testing.T) {
	t.Parallel()
	d, number, sent := answered(t, "a@a.test", "b@a.test")
	arrives(d, report(sent.MessageID, "b@a.test", "delayed", "4.4.1"))
	if got := d.Tickets()[0]; got.Status != "solved" || !got.Messages.Items[1].Bounced.Delayed {
		t.Errorf("a delay: %s, %+v", got.Status, got.Messages.Items[1].Bounced)
	}
	arrives(d, report(sent.MessageID, "a@a.test", "failed", "5.1.1"))
	d.Eventually("reopened", func() bool { return d.Tickets()[0].Status == "open" })
	arrives(d, report(sent.MessageID, "b@a.test", "failed", "5.7.1"))
	got := d.Tickets()[0].Messages.Items[1].Bounced
	if !slices.Equal(got.Recipients, []string{"a@a.test", "b@a.test"}) || got.Status != "5.1.1" || !got.Permanent || got.Delayed {
		t.Errorf("both reports: %+v", got)
	}
	setStatus("solved")(d, number)
	arrives(d, report(sent.MessageID, "a@a.test", "failed", "5.1.1"))
	arrives(d, report(sent.MessageID, "b@a.test", "delayed", "4.4.1"))
	if got := d.Tickets()[0]; got.Status != "solved" || got.Messages.Items[1].Bounced.Status != "5.1.1" {
		t.Errorf("the same reports again: %s, %+v", got.Status, got.Messages.Items[1].Bounced)
	}
}

func TestAReportAboutAnUnknownAddressReopensOnce(t *testing.T) {
	t.Parallel()
	d, number, sent := answered(t, "a@a.test", "b@a.test")
	strange := report(sent.MessageID, "forwarded@elsewhere.test", "failed", "5.1.1")
	if got := arrives(d, strange); got.Status != "open" || got.Messages.Items[1].Bounced == nil {
		t.Errorf("not reopened: %s, %+v", got.Status, got.Messages.Items[1].Bounced)
	}
	if n := kinds(d, number); n["ticket.reopened bounced"] != 1 || n["message.bounced"] != 1 {
		t.Errorf("events: %v", n)
	}
	setStatus("solved")(d, number)
	if got := arrives(d, strange); got.Status != "solved" {
		t.Errorf("reopened a second time: %s", got.Status)
	}
}

func TestAReportToOneRecipientIsAboutThatOne(t *testing.T) {
	t.Parallel()
	d, _, sent := answered(t, "a@a.test")
	arrives(d, report(sent.MessageID, "forwarded@elsewhere.test", "failed", "5.1.1"))
	d.Eventually("failed and reopened", func() bool {
		got := d.Tickets()[0]
		return got.Status == "open" && got.Messages.Items[1].Delivery.State == "failed"
	})
}

func TestAReportAboutAMailWithoutDeliveryReopens(t *testing.T) {
	t.Parallel()
	d, number, sent := answered(t, "a@a.test")
	for _, query := range []string{"DELETE FROM delivery_recipients", "DELETE FROM deliveries"} { // as after an import
		if err := sqlite.Exec(d.App, query); err != nil {
			t.Fatal(err)
		}
	}
	if got := arrives(d, report(sent.MessageID, "a@a.test", "failed", "5.1.1")); got.Status != "open" {
		t.Errorf("not reopened: %s", got.Status)
	}
	if n := kinds(d, number); n["ticket.reopened bounced"] != 1 {
		t.Errorf("events: %v", n)
	}
}
