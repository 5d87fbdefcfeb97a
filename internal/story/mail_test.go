package story_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// start is a desk that takes mail by its own listener and sends to a sink.
func start(t *testing.T) (*desktest.Desk, *smtptest.Server) {
	t.Helper()
	sink := smtptest.New(t, smtptest.Options{})
	return desktest.Start(t, desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}}), sink
}

func reply(d *desktest.Desk, number int64, in map[string]any, status int) desktest.Message {
	var m desktest.Message
	if status == 201 {
		d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", number), d.Token, in, status, &m)
	} else {
		d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", number), d.Token, in, status, nil)
	}
	return m
}

func TestAMailIsAnsweredAndItsAnswerJoins(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Broken pole", "The front pole snapped.", "Message-ID: <one@shop.test>"))
	first := d.WaitTickets(1)[0]
	if first.Status != "new" || first.Customer.Email != "maren@shop.test" || first.Customer.Name != "Maren Holt" || first.Messages.Items[0].VisibleText != "The front pole snapped." {
		t.Fatalf("ticket: %+v", first)
	}
	sent := reply(d, first.Number, map[string]any{"body": "<p>A spare is on its way.</p>", "undo_s": 0, "status": "pending"}, 201)
	mail := sink.Wait(t, 1)[0]
	raw := string(mail.Data)
	for _, want := range []string{"Message-ID: <" + sent.MessageID + ">", "In-Reply-To: <one@shop.test>", "A spare is on its way.", "Subject: Re: Broken pole"} {
		if !strings.Contains(strings.ReplaceAll(raw, "\r\n ", " "), want) {
			t.Errorf("the answer lacks %q:\n%s", want, raw)
		}
	}
	d.Eventually("the reply is sent", func() bool {
		m := d.Tickets()[0].Messages.Items[1]
		return m.Delivery != nil && m.Delivery.State == "sent"
	})
	if got := d.Tickets()[0]; got.Status != "pending" || got.Assignee == nil {
		t.Errorf("after the answer: status %s, assignee %v", got.Status, got.Assignee)
	}
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Re: Broken pole", "Thank you!\n\nOn Tue, 24 Nov 2026 at 10:00, Desk Test <support@desk.test> wrote:\n> A spare is on its way.", "In-Reply-To: <"+sent.MessageID+">"))
	d.Eventually("the customer's answer joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	got := d.WaitTickets(1)[0]
	if got.Status != "open" || got.Messages.Items[2].Reason.Code != "token" || got.Messages.Items[2].VisibleText != "Thank you!" {
		t.Errorf("after the customer's answer: %s, %+v", got.Status, got.Messages.Items[2])
	}
}

func TestWhoseMailJoinsATicket(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Order 7", "Where is it?", "Message-ID: <a1@a.test>"))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>Here.</p>", "undo_s": 0}, 201)
	sink.Wait(t, 1)
	cases := []struct {
		name, from, subject string
		headers             []string
		joins               bool
		reason              string
		like                bool
	}{
		{"a stranger with our signed id", "mallory@evil.test", "Re: Order 7", []string{"In-Reply-To: <" + sent.MessageID + ">"}, false, "stranger", true},
		{"a stranger with the customer's id", "mallory@evil.test", "Re: Order 7", []string{"References: <a1@a.test>"}, false, "stranger", true},
		{"a number in the subject", "bob@b.test", fmt.Sprintf("[#%d] hello", number), nil, false, "number_in_subject", true},
		{"the same subject alone", "alice@a.test", "Re: Order 7", nil, false, "same_subject", true},
		{"a forged token", "alice@a.test", "hi", []string{"In-Reply-To: <x." + fmt.Sprint(number) + ".aaaaaaaaaaaaaaaa@desk.test>"}, false, "new_sender_or_matter", false},
		{"reply-to is no identity", "mallory@evil.test", "x", []string{"Reply-To: alice@a.test", "References: <a1@a.test>"}, false, "stranger", true},
		{"two authors are none", "alice@a.test, bob@b.test", "x", []string{"References: <a1@a.test>"}, false, "unproven", true},
		{"the customer by reference", "Alice@A.test", "new subject", []string{"References: <zzz@x.test> <a1@a.test>"}, true, "reference", false},
		{"the customer by token", "alice@a.test", "Re: Order 7", []string{"References: <a1@a.test> <" + sent.MessageID + ">"}, true, "token", false},
	}
	tickets, messages := 1, 2
	for i, c := range cases {
		d.Receive("x@y.test", desktest.Mail(c.from, c.subject, "text "+c.name, append(c.headers, fmt.Sprintf("Message-ID: <case%d@t.test>", i))...))
		if c.joins {
			messages++
			d.Eventually(c.name, func() bool { return len(d.Tickets()[0].Messages.Items) == messages })
			if m := d.Tickets()[0].Messages.Items[messages-1]; m.Reason.Code != c.reason {
				t.Errorf("%s: reason %q", c.name, m.Reason.Code)
			}
			continue
		}
		tickets++
		all := d.WaitTickets(tickets)
		last := all[len(all)-1]
		if len(all[0].Messages.Items) != messages {
			t.Fatalf("%s joined the ticket", c.name)
		}
		if got := last.Messages.Items[0].Reason; got.Code != c.reason || got.Text == "" {
			t.Errorf("%s: reason %+v", c.name, got)
		}
		if like := len(last.LooksLike) > 0 && last.LooksLike[0] == number; like != c.like {
			t.Errorf("%s: looks like %v", c.name, last.LooksLike)
		}
	}
}

func TestTheSameMailTwiceIsOneMessage(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	mail := desktest.Mail("a@a.test", "Once", "text", "Message-ID: <same@a.test>")
	d.Receive("a@a.test", mail)
	d.WaitTickets(1)
	d.Receive("a@a.test", "Received: from elsewhere by mx; Tue, 24 Nov 2026 10:00:00 +0000\n"+mail)
	d.Receive("a@a.test", strings.Replace(mail, "text", "other text", 1))
	all := d.WaitTickets(2)
	if got := all[1].Messages.Items[0].Reason.Code; got != "same_message_id" {
		t.Errorf("same Message-ID with other content: reason %q", got)
	}
	var ledger struct{ Items []struct{ State string } }
	d.Eventually("three ledger rows settle", func() bool {
		d.Get("/api/desk/ledger", &ledger)
		return len(ledger.Items) == 3 && ledger.Items[0].State != "stored"
	})
	if ledger.Items[1].State != "duplicate" {
		t.Errorf("ledger: %+v", ledger.Items)
	}
}

func TestUndoGivesTheReplyBack(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Undo", "text"))
	number := d.WaitTickets(1)[0].Number
	m := reply(d, number, map[string]any{"body": "<p>Too early</p>", "undo_s": 30, "status": "solved"}, 201)
	if m.Delivery.State != "held" || *m.Delivery.HeldBy != "undo" {
		t.Fatalf("delivery: %+v", m.Delivery)
	}
	var undone struct{ Draft struct{ Body string } }
	d.Call("DELETE", "/api/desk/outbox/"+m.Delivery.ID, d.Token, nil, 200, &undone)
	if !strings.Contains(undone.Draft.Body, "Too early") {
		t.Errorf("draft: %+v", undone)
	}
	got := d.Tickets()[0]
	if len(got.Messages.Items) != 1 || got.Status != "open" || got.Assignee != nil {
		t.Errorf("after undo: %d messages, %s, %v", len(got.Messages.Items), got.Status, got.Assignee)
	}
	d.Call("DELETE", "/api/desk/outbox/"+m.Delivery.ID, d.Token, nil, 409, nil)
	if n := len(sink.Mails()); n != 0 {
		t.Errorf("%d mails left the desk", n)
	}
}

func TestAStaleReplyIsRefusedWithTheNewMessage(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Stale", "first", "Message-ID: <s1@a.test>"))
	first := d.WaitTickets(1)[0]
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Re: Stale", "one more thing", "References: <s1@a.test>"))
	d.Eventually("two messages", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
	in := map[string]any{"body": "<p>x</p>", "seen_message_id": first.Messages.Items[0].ID}
	_, body := d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", first.Number), d.Token, in, 409, nil)
	if !strings.Contains(body, "one more thing") || !strings.Contains(body, "wrote while you typed") {
		t.Errorf("409 without the newer message: %s", body)
	}
	in["seen_message_id"] = d.Tickets()[0].Messages.Items[1].ID
	reply(d, first.Number, in, 201)
}

func TestARefusedAddressReopensTheTicket(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	sink.SetScript(func(step, arg string) string {
		if step == "RCPT" && strings.Contains(arg, "gone@") {
			return "550 5.1.1 No such user"
		}
		return ""
	})
	d.Receive("a@a.test", desktest.Mail("gone@a.test", "Bounce", "text"))
	number := d.WaitTickets(1)[0].Number
	reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0, "status": "solved", "to": []string{"gone@a.test", "here@a.test"}}, 201)
	d.Eventually("failed and reopened", func() bool {
		got := d.Tickets()[0]
		last := got.Messages.Items[len(got.Messages.Items)-1]
		return got.Status == "open" && last.Delivery.State == "failed" && strings.Contains(last.Delivery.Answer, "5.1.1")
	})
	if mails := sink.Wait(t, 1); len(mails) != 1 {
		t.Errorf("the other recipient got %d mails", len(mails))
	}
}

func TestABounceMarksTheMailItIsAbout(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Will bounce", "text"))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0, "status": "solved"}, 201)
	sink.Wait(t, 1)
	d.Eventually("sent", func() bool { return d.Tickets()[0].Messages.Items[1].Delivery.State == "sent" })
	d.Receive("", strings.ReplaceAll(dsn, "MESSAGE-ID", sent.MessageID))
	d.Eventually("bounced and reopened", func() bool {
		got := d.Tickets()[0]
		return got.Status == "open" && got.Messages.Items[1].Bounced != nil && got.Messages.Items[1].Delivery.State == "failed"
	})
	if n := len(d.Tickets()); n != 1 {
		t.Errorf("the bounce made a ticket of its own: %d", n)
	}
}

const dsn = `From: MAILER-DAEMON@mx.test
To: support@desk.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; a@a.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b
Content-Type: text/rfc822-headers

From: support@desk.test
To: a@a.test
Subject: Re: Will bounce
Message-ID: <MESSAGE-ID>

--b--
`

func TestAnAttachmentArrivesAndLeavesWhole(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", `From: a@a.test
To: support@desk.test
Subject: Files
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<p>See <img src="cid:p@x"><script>alert(1)</script><img src="http://tracker.test/p.png"></p>
--b
Content-Type: image/png; name=dot.png
Content-ID: <p@x>
Content-Disposition: inline; filename=dot.png
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==
--b
Content-Type: text/plain; name="../../evil.html"
Content-Disposition: attachment; filename="../../evil.html"

<script>alert(2)</script>
--b--
`)
	m := d.WaitTickets(1)[0].Messages.Items[0]
	if len(m.Attachments) != 2 || m.Attachments[1].Name != "evil.html" || strings.Contains(m.HTML, "script") {
		t.Fatalf("message: %+v", m)
	}
	var token struct{ Token string }
	d.Call("POST", "/api/desk/files/token", d.Token, map[string]any{}, 200, &token)
	_, page := d.Call("GET", "/api/desk/messages/"+m.ID+"/body?token="+token.Token, "", nil, 200, nil)
	if !strings.Contains(page, m.Attachments[0].URL) || strings.Contains(page, "tracker.test") || strings.Contains(page, "alert") {
		t.Errorf("body page: %s", page)
	}
	_, page = d.Call("GET", "/api/desk/messages/"+m.ID+"/body?images=1&token="+token.Token, "", nil, 200, nil)
	if !strings.Contains(page, "/api/desk/images?") {
		t.Errorf("with images: %s", page)
	}
	d.Call("GET", m.Attachments[0].URL+"?token="+token.Token, "", nil, 200, nil)
	d.Call("GET", m.Attachments[0].URL, "", nil, 401, nil)
	_, evil := d.Call("GET", m.Attachments[1].URL, d.Token, nil, 200, nil)
	if !strings.Contains(evil, "alert(2)") {
		t.Errorf("attachment: %q", evil)
	}
}
