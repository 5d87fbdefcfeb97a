package story_test

import (
	"fmt"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/sqlite"
)

const authPass = "Authentication-Results: mx.desk.test; dmarc=pass header.from="

// acknowledge has the desk answer new tickets, and believe mx.desk.test.
func acknowledge(t *testing.T, d *desktest.Desk, text string, outsideHours bool) {
	t.Helper()
	box := mailbox(t, d)
	d.Call("PATCH", "/api/desk/mailboxes/"+box, d.Token, map[string]any{"auth_servers": []string{"mx.desk.test"}}, 200, nil)
	d.Call("PUT", "/api/desk/mailboxes/"+box+"/acknowledgement", d.Token, map[string]any{"on": true, "text": text, "outside_hours": outsideHours}, 200, nil)
}

// number of a query's only column.
func count(t *testing.T, d *desktest.Desk, query string, args ...any) (n int) {
	t.Helper()
	if _, err := sqlite.One(d.App, []any{&n}, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

func automaticMails(t *testing.T, d *desktest.Desk) int {
	t.Helper()
	return count(t, d, "SELECT count(*) FROM messages WHERE kind = 'auto'")
}

// settled waits until the subscriber that acknowledges has seen all there is.
func settled(t *testing.T, d *desktest.Desk) {
	t.Helper()
	last := count(t, d, "SELECT max(seq) FROM events WHERE kind = 'message.received'")
	d.Eventually("the acknowledgements follow", func() bool {
		return count(t, d, "SELECT coalesce((SELECT seq FROM event_cursors WHERE name = 'reply.acknowledge'), 0)") >= last
	})
}

func unfolded(raw []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(raw), "=\r\n", ""), "\r\n ", " ")
}

func TestANewTicketIsAcknowledgedOnce(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>Hello {{customer.first_name|there}}, we have #{{ticket.number}}.</p>", false)
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Broken pole", "It snapped.", "Message-ID: <one@shop.test>", authPass+"shop.test"))
	mail := sink.Wait(t, 1)[0]
	raw := unfolded(mail.Data)
	for _, want := range []string{
		"To: <maren@shop.test>", "Subject: Re: Broken pole", "In-Reply-To: <one@shop.test>", "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Hello Maren, we have #1001.",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("the acknowledgement lacks %q:\n%s", want, raw)
		}
	}
	if mail.From != "" {
		t.Errorf("its envelope is from %q", mail.From)
	}
	got := d.WaitTickets(1)[0]
	if m := got.Messages.Items[1]; m.Kind != "auto" || m.Author.Kind != "system" || m.Delivery == nil || got.Status != "new" || got.Preview != "It snapped." {
		t.Errorf("in the ticket: %+v, %+v", got, m)
	}
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Re: Broken pole", "And again.", "In-Reply-To: <"+got.Messages.Items[1].MessageID+">", authPass+"shop.test"))
	d.Eventually("the answer to it joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	settled(t, d)
	if n := automaticMails(t, d); n != 1 {
		t.Errorf("%d automatic mails", n)
	}
	sent := reply(d, got.Number, map[string]any{"body": "<p>A spare comes.</p>", "undo_s": 0}, 201)
	if raw := unfolded(sink.Wait(t, 2)[1].Data); !strings.Contains(raw, "Re: Broken pole") || sent.Kind != "reply" {
		t.Errorf("the reply after it: %s", raw)
	}
}

// TestAStrangerCannotHaveTheDeskCarryAText writes under a name, a subject and a
// Reply-To that nobody has proven.
func TestAStrangerCannotHaveTheDeskCarryAText(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>Hello {{customer.first_name|there}}, we have #{{ticket.number}}.</p>", false)
	d.Receive("x@evil.test", desktest.Mail("Evil Winner <victim@v.test>", "Buy at evil.test", "Click evil.test now", "Message-ID: <b@v.test>", "Reply-To: other@w.test"))
	mail := sink.Wait(t, 1)[0]
	raw := strings.ReplaceAll(unfolded(mail.Data), "b@v.test", "")
	if strings.Contains(strings.ToLower(raw), "evil") || strings.Contains(raw, "Winner") || strings.Contains(raw, "other@w.test") {
		t.Errorf("carries what the stranger wrote:\n%s", raw)
	}
	if !strings.Contains(raw, "Subject: Your message to Desk Test [#1001]") || !strings.Contains(raw, "Hello there, we") || mail.To[0] != "victim@v.test" {
		t.Errorf("to %s:\n%s", mail.To, raw)
	}
}

func TestMachinesAndListsGetNoAcknowledgement(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	cases := []struct {
		name, envelope, from string
		headers              []string
	}{
		{"auto-generated", "a@a.test", "a@a.test", []string{"Auto-Submitted: auto-generated"}},
		{"auto-replied", "a@a.test", "a@a.test", []string{"Auto-Submitted: auto-replied"}},
		{"bulk", "a@a.test", "a@a.test", []string{"Precedence: bulk"}},
		{"junk", "a@a.test", "a@a.test", []string{"Precedence: junk"}},
		{"list", "a@a.test", "a@a.test", []string{"List-Id: <l.a.test>"}},
		{"unsubscribe", "a@a.test", "a@a.test", []string{"List-Unsubscribe: <mailto:u@a.test>"}},
		{"suppress", "a@a.test", "a@a.test", []string{"X-Auto-Response-Suppress: All"}},
		{"null return path", "a@a.test", "a@a.test", []string{"Return-Path: <>"}},
		{"null envelope", "", "a@a.test", nil},
		{"envelope of a robot", "bounces+7@a.test", "a@a.test", nil},
		{"mailer-daemon", "a@a.test", "MAILER-DAEMON@a.test", nil},
		{"postmaster", "a@a.test", "postmaster@a.test", nil},
		{"no-reply", "a@a.test", "no-reply@a.test", nil},
		{"two authors", "a@a.test", "a@a.test, b@b.test", nil},
		{"failed check", "a@a.test", "a@a.test", []string{"Authentication-Results: mx.desk.test; dmarc=fail (p=REJECT) header.from=a.test"}},
		{"spam", "a@a.test", "a@a.test", []string{"X-Spam-Flag: YES"}},
	}
	for i, c := range cases {
		d.ReceiveFor(c.envelope, desktest.Address, desktest.Mail(c.from, c.name, "text", append(c.headers, fmt.Sprintf("Message-ID: <m%d@a.test>", i))...))
	}
	d.ReceiveFor("a@a.test", desktest.Address, desktest.Mail("Support <support@desk.test>", "own address", "text"))
	d.WaitTickets(len(cases))
	fetched(t, d, desktest.Mail("old@a.test", "Old", "text"), time.Now().Add(-30*time.Hour))
	d.WaitTickets(len(cases) + 1)
	settled(t, d)
	if n := automaticMails(t, d); n != 0 {
		t.Errorf("%d automatic mails: %s", n, sink.Wait(t, 1)[0].Data)
	}
	d.Receive("a@a.test", desktest.Mail("a@a.test", "A person", "text", "Auto-Submitted: no"))
	if raw := unfolded(sink.Wait(t, 1)[0].Data); !strings.Contains(raw, fmt.Sprintf("#%d", 1001+len(cases)+1)) {
		t.Errorf("acknowledged: %s", raw)
	}
}

func TestAnAcknowledgementIsForClosedHoursOnly(t *testing.T) {
	t.Parallel()
	sink := smtptest.New(t, smtptest.Options{})
	clock := desk.NewTestClock(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)) // a Tuesday
	d := desktest.Start(t, desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}, Clock: clock})
	acknowledge(t, d, "<p>We are closed. #{{ticket.number}}</p>", true)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "By day", "text"))
	d.WaitTickets(1)
	settled(t, d)
	if n := automaticMails(t, d); n != 0 {
		t.Fatalf("%d automatic mails within business hours", n)
	}
	clock.Advance(12 * time.Hour)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "By night", "text"))
	if raw := unfolded(sink.Wait(t, 1)[0].Data); !strings.Contains(raw, "We are closed. #1002") {
		t.Errorf("by night: %s", raw)
	}
}

func TestTheTextOfAnAcknowledgementIsChecked(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	path := "/api/desk/mailboxes/" + mailbox(t, d) + "/acknowledgement"
	for text, says := range map[string]string{"": "Write the text", "<p>{{ticket.subject}}</p>": "no variable {{ticket.subject}}", strings.Repeat("x", 20_001): "too long"} {
		if _, body := d.Call("PUT", path, d.Token, map[string]any{"on": true, "text": text}, 400, nil); !strings.Contains(body, says) {
			t.Errorf("%.20q: %s", text, body)
		}
	}
	var got struct {
		On        bool
		Text      string
		Variables []string
	}
	d.Get(path, &got)
	if got.On || got.Text != "" || len(got.Variables) == 0 {
		t.Errorf("at first: %+v", got)
	}
	d.Call("PUT", path, d.Token, map[string]any{"on": true, "text": "<p onclick=x()>Hi</p><script>x()</script>"}, 200, &got)
	if !got.On || strings.Contains(got.Text, "script") || strings.Contains(got.Text, "onclick") || !strings.Contains(got.Text, "Hi") {
		t.Errorf("stored: %+v", got)
	}
	d.Call("PUT", "/api/desk/mailboxes/none/acknowledgement", d.Token, map[string]any{"on": false}, 404, nil)
}

// TestTwoDesksDoNotAnswerEachOtherForever has each acknowledge what the other
// sends.
func TestTwoDesksDoNotAnswerEachOtherForever(t *testing.T) {
	t.Parallel()
	const there = "help@other.test"
	a := desktest.Start(t, desktest.Options{})
	b := desktest.Start(t, desktest.Options{Address: there})
	for from, to := range map[*desktest.Desk]*desktest.Desk{a: b, b: a} {
		var port int
		if _, err := fmt.Sscanf(to.SMTP[strings.LastIndexByte(to.SMTP, ':'):], ":%d", &port); err != nil {
			t.Fatal(err)
		}
		from.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, from), from.Token, map[string]any{"smtp": map[string]any{"host": "127.0.0.1", "port": port, "security": "none"}}, 200, nil)
		acknowledge(t, from, "<p>We have #{{ticket.number}}.</p>", false)
	}
	a.Call("POST", "/api/desk/tickets", a.Token, map[string]any{"subject": "Order", "customer": map[string]any{"email": there}, "body": "<p>by phone</p>", "channel": "phone"}, 201, nil)
	reply(a, 1001, map[string]any{"body": "<p>Where is our order?</p>", "undo_s": 0}, 201)
	b.WaitTickets(1)
	a.Eventually("its acknowledgement comes back", func() bool { return len(a.Tickets()[0].Messages.Items) == 3 })
	settled(t, a)
	settled(t, b)
	if got := a.WaitTickets(1)[0]; len(got.Messages.Items) != 3 || got.Messages.Items[2].Reason.Code != "token" {
		t.Errorf("at the first desk: %+v", got.Messages.Items)
	}
	if got := b.WaitTickets(1)[0]; len(got.Messages.Items) != 2 || got.Messages.Items[1].Kind != "auto" {
		t.Errorf("at the other: %+v", got.Messages.Items)
	}
	if automaticMails(t, a) != 0 || automaticMails(t, b) != 1 {
		t.Errorf("%d and %d automatic mails", automaticMails(t, a), automaticMails(t, b))
	}
}

// TestAVacationProgramIsAnsweredNoMore answers an acknowledgement by a program
// that says what it is.
func TestAVacationProgramIsAnsweredNoMore(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Question", "text", "Message-ID: <q@a.test>"))
	sink.Wait(t, 1)
	id := d.WaitTickets(1)[0].Messages.Items[1].MessageID
	d.ReceiveFor("", desktest.Address, desktest.Mail("a@a.test", "Out of office: Question", "I am away.", "Auto-Submitted: auto-replied", "In-Reply-To: <"+id+">"))
	d.Eventually("it joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	settled(t, d)
	if got := d.WaitTickets(1)[0]; automaticMails(t, d) != 1 || got.Status != "new" {
		t.Errorf("%d automatic mails, status %s", automaticMails(t, d), got.Status)
	}
}

// TestABouncerWithoutHeadersIsStoppedByTheBudget sends back whatever it gets as
// a new mail of its own, as if a person had written it.
func TestABouncerWithoutHeadersIsStoppedByTheBudget(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	back := func(i int) {
		d.Receive("loop@a.test", desktest.Mail("loop@a.test", fmt.Sprintf("Your mail %d", i), fmt.Sprintf("Sent back %d", i), fmt.Sprintf("Message-ID: <back%d@a.test>", i)))
	}
	back(0)
	for i := 1; i <= 5; i++ {
		sink.Wait(t, i)
		back(i)
	}
	d.WaitTickets(6) // everything is stored
	settled(t, d)
	if n := automaticMails(t, d); n != 5 || len(sink.Mails()) != 5 {
		t.Errorf("%d automatic mails, %d sent", n, len(sink.Mails()))
	}
}

// TestABurstFromOneSenderIsStoredAndHardlyAnswered sends 500 mails at once.
func TestABurstFromOneSenderIsStoredAndHardlyAnswered(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	const n = 500
	c, err := smtp.Dial(d.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range n {
		if i > 0 && i%50 == 0 { // as a server does
			_ = c.Quit()
			if c, err = smtp.Dial(d.SMTP); err != nil {
				t.Fatal(err)
			}
		}
		if err := hand(c, desktest.Mail("bomb@a.test", fmt.Sprintf("Mail %d", i), "text", fmt.Sprintf("Message-ID: <bomb%d@a.test>", i))); err != nil {
			t.Fatalf("mail %d: %v", i, err)
		}
	}
	deadline := time.Now().Add(2 * time.Minute)
	for count(t, d, "SELECT count(*) FROM tickets") < n {
		if time.Now().After(deadline) {
			t.Fatalf("%d tickets after 2 minutes", count(t, d, "SELECT count(*) FROM tickets"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	settled(t, d)
	if got := automaticMails(t, d); got != 5 {
		t.Errorf("%d automatic mails", got)
	}
	if got := len(sink.Wait(t, 5)); got != 5 {
		t.Errorf("%d mails went out", got)
	}
	d.Get("/api/desk/tickets?limit=5", nil) // alive
}

func hand(c *smtp.Client, raw string) error {
	if err := c.Mail("bomb@a.test"); err != nil {
		return err
	}
	if err := c.Rcpt(desktest.Address); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(strings.ReplaceAll(raw, "\n", "\r\n"))); err != nil {
		return err
	}
	return w.Close()
}

func TestTheMailboxSignsForWhoHasNoSignature(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"signature": "<p>Your <b>Desk</b> team</p>"}, 200, nil)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Question", "text"))
	d.WaitTickets(1)
	reply(d, 1001, map[string]any{"body": "<p>First.</p>", "undo_s": 0}, 201)
	if raw := unfolded(sink.Wait(t, 1)[0].Data); !strings.Contains(raw, "Your <strong>Desk</strong> team") || !strings.Contains(raw, "Your Desk team") {
		t.Errorf("without the mailbox's signature:\n%s", raw)
	}
	d.Call("PATCH", "/api/desk/me", d.Token, map[string]any{"signature": "<p>Ines</p>"}, 200, nil)
	second := reply(d, 1001, map[string]any{"body": "<p>Second.</p>"}, 201)
	if strings.Contains(second.HTML, "Desk") || !strings.Contains(second.HTML, "Ines") {
		t.Errorf("signed %s", second.HTML)
	}
	d.Call("PATCH", "/api/desk/me", d.Token, map[string]any{"signature": ""}, 200, nil)
	third := reply(d, 1001, map[string]any{"body": "<p>Third.</p>"}, 201)
	if got := undo(d, d.Token, third); strings.Contains(got.Body, "Desk") || !strings.Contains(got.Body, "Third.") {
		t.Errorf("undone it is %s", got.Body)
	}
}
