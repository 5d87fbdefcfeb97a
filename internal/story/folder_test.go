package story_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// fetching is a desk that fetches its mail from a server with a folder of sent
// mail.
func fetching(t *testing.T) (*desktest.Desk, *imaptest.Server, *smtptest.Server) {
	t.Helper()
	server, sink := imaptest.New(t, imaptest.Options{}), smtptest.New(t, smtptest.Options{})
	server.Create(t, "Sent")
	server.AppendAt(t, desktest.Mail("old@a.test", "Old question", "Long ago", "Message-ID: <old1@a.test>"), time.Now().Add(-72*time.Hour))
	server.AppendAt(t, desktest.Mail("old@a.test", "Re: Old question", "And more", "Message-ID: <old2@a.test>", "In-Reply-To: <old1@a.test>"), time.Now().Add(-48*time.Hour))
	d := desktest.Start(t, desktest.Options{
		SMTP: &desktest.Server{Port: sink.Port()}, IMAP: &desktest.Server{Port: server.Port(), User: "user", Password: "password"},
	})
	return d, server, sink
}

// TestAnAnswerFromAPhoneJoinsItsTicket holds that what somebody answers with
// another program is an answer in the ticket, and is not sent by the desk.
func TestAnAnswerFromAPhoneJoinsItsTicket(t *testing.T) {
	t.Parallel()
	d, server, sink := fetching(t)
	server.Append(t, desktest.Mail("Maren <maren@shop.test>", "Broken pole", "It snapped.", "Message-ID: <one@shop.test>"))
	d.WaitTickets(1)
	server.AppendTo(t, "Sent", desktest.Mail("Desk Test <support@desk.test>", "Private", "Dinner at eight?", "To: friend@home.test"), time.Time{})
	server.AppendTo(t, "Sent", strings.Replace(desktest.Mail("Desk Test <support@desk.test>", "Re: Broken pole", "A spare is on its way.", "Message-ID: <phone1@desk.test>", "In-Reply-To: <one@shop.test>"),
		"To: support@desk.test", "To: maren@shop.test\r\nCc: carla@shop.test", 1), time.Time{})
	server.Append(t, desktest.Mail("lee@shop.test", "Another matter", "Hello", "Message-ID: <two@shop.test>"))
	d.Eventually("the answer is in the ticket", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
	got := d.Tickets()[0]
	m := got.Messages.Items[1]
	if m.Kind != "reply" || m.Author.Kind != "agent" || m.VisibleText != "A spare is on its way." || m.Delivery != nil || m.Reason.Code != "sent_elsewhere" || got.Status != "open" {
		t.Errorf("the answer: %+v, status %s", m, got.Status)
	}
	server.Append(t, desktest.Mail("carla@shop.test", "Re: Broken pole", "Thanks from me, too", "Message-ID: <c1@shop.test>", "In-Reply-To: <phone1@desk.test>"))
	d.Eventually("who got it takes part", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	if n := len(d.Tickets()); n != 2 || len(sink.Mails()) != 0 {
		t.Errorf("%d tickets, %d mails sent", n, len(sink.Mails()))
	}
	var ledger struct {
		Items []struct {
			SourceID string `json:"source_id"`
		}
	}
	d.Get("/api/desk/ledger?limit=50", &ledger)
	if n := len(ledger.Items); n != 4 {
		t.Errorf("%d mails in the ledger: what people send elsewhere is not the desk's", n)
	}
}

// TestOlderMailEntersSolved holds that mail from before the connection comes in
// when somebody asks for it, at its own time, solved, and that nothing of it is
// answered or waits.
func TestOlderMailEntersSolved(t *testing.T) {
	t.Parallel()
	d, server, sink := fetching(t)
	server.Append(t, desktest.Mail("new@a.test", "New", "Hello", "Message-ID: <new1@a.test>"))
	d.WaitTickets(1)
	id := mailbox(t, d)
	d.Call("POST", "/api/desk/mailboxes/"+id+"/older", d.Token, map[string]any{"days": 0}, 400, nil)
	d.Call("POST", "/api/desk/mailboxes/"+id+"/older", d.Token, map[string]any{"days": 30}, 200, nil)
	all := d.WaitTickets(2)
	d.Eventually("both older mails are one ticket", func() bool { all = d.Tickets(); return len(all) == 2 && len(all[0].Messages.Items) == 2 })
	old := all[0]
	if old.Subject != "Old question" || old.Status != "solved" || old.Messages.Items[0].Reason.Code != "older" {
		t.Errorf("older: %+v", old)
	}
	if at, err := time.Parse(time.RFC3339, old.Messages.Items[0].Created); err != nil || time.Since(at) < 71*time.Hour {
		t.Errorf("it came at %s", old.Messages.Items[0].Created)
	}
	server.Append(t, desktest.Mail("old@a.test", "Re: Old question", "It broke again", "Message-ID: <old3@a.test>", "In-Reply-To: <old2@a.test>"))
	d.Eventually("an answer opens it again", func() bool { return d.Tickets()[0].Status == "open" })
	if n := len(sink.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	var folders struct {
		Items []struct {
			Name       string
			Read, Sent bool
		}
	}
	d.Get("/api/desk/mailboxes/"+id+"/folders", &folders)
	if got := fmt.Sprint(folders.Items); got != "[{INBOX true false} {Sent false true}]" {
		t.Errorf("folders %s", got)
	}
}
