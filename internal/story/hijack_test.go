package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/ticket"
)

// aliceWrote is a desk with an answered ticket of alice, and the answer.
func aliceWrote(t *testing.T, headers ...string) (*desktest.Desk, *smtptest.Server, desktest.Message) {
	t.Helper()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"auth_servers": []string{"mx.desk.test"}}, 200, nil)
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Order 7", "My secret order.", append(headers, "Message-ID: <a1@a.test>")...))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>Here.</p>", "undo_s": 0}, 201)
	sink.Wait(t, 1)
	return d, sink, sent
}

// plusOf is the signed address of a ticket at the kit's mailbox.
func plusOf(d *desktest.Desk, number int64) string {
	return ticket.Tokens{Signer: d.Secrets}.PlusAddress(desktest.Address, number)
}

// takesPart lists who takes part in a ticket.
func takesPart(t *testing.T, d *desktest.Desk, number int64) []string {
	t.Helper()
	var text string
	_, err := sqlite.One(d.App, []any{&text}, `SELECT coalesce(group_concat(address), '') FROM
		(SELECT address FROM ticket_participants WHERE ticket = (SELECT ticket FROM ticket_numbers WHERE number = ?) ORDER BY address)`, number)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(text, ",")
}

// wentTo lists everybody who got a mail.
func wentTo(sink *smtptest.Server) (out []string) {
	for _, m := range sink.Mails() {
		out = append(out, m.To...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestAStrangerWithTheIDsOfATicketGetsNothing is H2.
func TestAStrangerWithTheIDsOfATicketGetsNothing(t *testing.T) {
	t.Parallel()
	d, sink, sent := aliceWrote(t)
	plus := plusOf(d, 1001)
	mails := []string{
		desktest.Mail("mallory@evil.test", "Re: Order 7", "Me too", "In-Reply-To: <"+sent.MessageID+">", "References: <a1@a.test> <"+sent.MessageID+">", authPass+"evil.test"),
		strings.Replace(desktest.Mail("mallory@evil.test", "Re: [#1001] Order 7", "By the signed address", authPass+"evil.test"), "To: "+desktest.Address, "To: "+plus, 1),
		strings.Replace(desktest.Mail("mallory@evil.test", "[#1001]", "By a number"), "To: "+desktest.Address, "To: support+1001@desk.test, support+t1001@desk.test", 1),
	}
	for i, raw := range mails {
		d.ReceiveFor("mallory@evil.test", desktest.Address, "Message-ID: <h2-"+fmt.Sprint(i)+"@evil.test>\n"+raw)
		if got := d.WaitTickets(2 + i)[1+i]; got.Customer.Email != "mallory@evil.test" {
			t.Errorf("mail %d is of %s", i, got.Customer.Email)
		}
	}
	d.ReceiveFor("mallory@evil.test", plus, desktest.Mail("mallory@evil.test", "Envelope", "To the signed address", "Message-ID: <h2-e@evil.test>"))
	d.WaitTickets(5)
	reply(d, 1001, map[string]any{"body": "<p>More for you only.</p>", "undo_s": 0}, 201)
	sink.Wait(t, 2)
	if got := d.Tickets()[0]; len(got.Messages.Items) != 3 || !slices.Equal(takesPart(t, d, 1001), []string{"alice@a.test"}) {
		t.Errorf("%d messages, with %v", len(got.Messages.Items), takesPart(t, d, 1001))
	}
	if got := wentTo(sink); !slices.Equal(got, []string{"alice@a.test"}) {
		t.Errorf("mail went to %v", got)
	}
}

// TestACopyMakesNobodyTakePart is H3: whom a customer copies gets nothing and may
// do nothing until an agent answers to all.
func TestACopyMakesNobodyTakePart(t *testing.T) {
	t.Parallel()
	d, sink, sent := aliceWrote(t, "Cc: mallory@evil.test")
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Re: Order 7", "Thanks", "Cc: eve@evil.test", "In-Reply-To: <"+sent.MessageID+">", "Message-ID: <h3@a.test>"))
	d.Eventually("it joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	reply(d, 1001, map[string]any{"body": "<p>More.</p>", "undo_s": 0}, 201)
	sink.Wait(t, 2)
	if got := wentTo(sink); !slices.Equal(got, []string{"alice@a.test"}) {
		t.Errorf("mail went to %v", got)
	}
	for i, who := range []string{"mallory@evil.test", "eve@evil.test"} {
		d.Receive(who, desktest.Mail(who, "Re: Order 7", "I am copied", "In-Reply-To: <"+sent.MessageID+">", authPass+"evil.test", "Message-ID: <h3-"+fmt.Sprint(i)+"@evil.test>"))
		if got := d.WaitTickets(2 + i)[1+i]; got.Customer.Email != who {
			t.Errorf("%s's mail is of %s", who, got.Customer.Email)
		}
	}
	if got := takesPart(t, d, 1001); !slices.Equal(got, []string{"alice@a.test"}) {
		t.Errorf("%v take part", got)
	}
}

// TestOnlyTheFromAddressSaysWhoWrote is H5.
func TestOnlyTheFromAddressSaysWhoWrote(t *testing.T) {
	t.Parallel()
	d, _, sent := aliceWrote(t)
	const evil = "evil@evil.test"
	cases := []struct {
		name, from string
		headers    []string
	}{
		{"Reply-To", evil, []string{"Reply-To: alice@a.test"}},
		{"Sender", evil, []string{"Sender: alice@a.test"}},
		{"X-Original-From", evil, []string{"X-Original-From: alice@a.test"}},
		{"Resent-From", evil, []string{"Resent-From: alice@a.test"}},
		{"Return-Path", evil, []string{"Return-Path: <alice@a.test>"}},
		{"two in one From", "alice@a.test, " + evil, nil},
		{"two in one From, the other way round", evil + ", alice@a.test", nil},
		{"two From fields", evil, []string{"From: alice@a.test"}},
		{"an address as name", `"alice@a.test" <evil@evil.test>`, nil},
		{"an address as comment", `evil@evil.test (alice@a.test)`, nil},
		{"a look-alike domain", "alice@xn--80a.test", nil},
		{"a look-alike letter", "аlice@a.test", nil},
		{"a null in the address", "alice@a.test\x00@evil.test", nil},
		{"a group", "alice@a.test: evil@evil.test;", nil},
		{"a long name", strings.Repeat("alice@a.test ", 160) + "<evil@evil.test>", nil},
	}
	for i, c := range cases {
		d.Receive(evil, desktest.Mail(c.from, c.name, "Not alice", append(c.headers, "In-Reply-To: <"+sent.MessageID+">", "Message-ID: <h5-"+fmt.Sprint(i)+"@evil.test>")...))
		all := d.WaitTickets(2 + i)
		last := all[len(all)-1]
		if len(all[0].Messages.Items) != 2 {
			t.Fatalf("%s joined alice's ticket", c.name)
		}
		if m := last.Messages.Items[0]; last.Customer.Email == "alice@a.test" && m.Authentication != "fail" {
			t.Errorf("%s was taken for alice: %+v", c.name, m)
		}
		if strings.Contains(last.Messages.Items[0].Text, "secret") {
			t.Errorf("%s reads alice's mail", c.name)
		}
	}
	if got := takesPart(t, d, 1001); !slices.Equal(got, []string{"alice@a.test"}) {
		t.Errorf("%v take part", got)
	}
}

// TestACodeForTheDeskStaysInTheDesk is H6: what a third party sends to the desk's
// own address goes to nobody, not even to who claims that address.
func TestACodeForTheDeskStaysInTheDesk(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	d.Receive("bounces@slack.com", desktest.Mail("Slack <noreply@slack.com>", "Slack code: 123-456", "Your code is 123-456", "Message-ID: <code@slack.com>"))
	first := d.WaitTickets(1)[0]
	if first.Customer.Email != "noreply@slack.com" {
		t.Errorf("it is of %s", first.Customer.Email)
	}
	for i, from := range []string{desktest.Address, "Support <SUPPORT+x@desk.test>"} {
		d.Receive("x@evil.test", desktest.Mail(from, "Re: Slack code", "Send it to me", "In-Reply-To: <code@slack.com>", "Message-ID: <h6-"+fmt.Sprint(i)+"@evil.test>"))
	}
	d.Receive("x@evil.test", desktest.Mail("boss@desk.test", "Re: Slack code", "Send it to me", "In-Reply-To: <code@slack.com>", "Message-ID: <h6-b@evil.test>"))
	all := d.WaitTickets(2)
	d.Eventually("two in quarantine", func() bool { return len(inQuarantine(d)) == 2 })
	settled(t, d)
	if m := all[1].Messages.Items[0]; m.Authentication != "fail" || len(d.Tickets()[0].Messages.Items) != 1 {
		t.Errorf("of the own domain: %+v", m)
	}
	if n := len(sink.Mails()); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

// TestAnAcknowledgementThatBouncesReopensNothing is L4 for automatic mail.
func TestAnAcknowledgementThatBouncesReopensNothing(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Question", "text"))
	sink.Wait(t, 1)
	d.Eventually("it is there", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
	id := d.Tickets()[0].Messages.Items[1].MessageID
	d.Call("PATCH", "/api/desk/tickets/1001", d.Token, map[string]any{"status": "solved"}, 200, nil)
	d.ReceiveFor("", desktest.Address, report(id, "a@a.test", "failed", "5.1.1"))
	d.Eventually("the report joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	last := count(t, d, "SELECT max(seq) FROM events WHERE kind = 'delivery.failed'")
	d.Eventually("the watch has seen it", func() bool {
		return count(t, d, "SELECT seq FROM event_cursors WHERE name = 'reply.failed'") >= last
	})
	got := d.WaitTickets(1)[0]
	if m := got.Messages.Items[1]; got.Status != "solved" || m.Bounced == nil || m.Delivery.State != "failed" || len(sink.Mails()) != 1 {
		t.Errorf("%s, %+v", got.Status, m)
	}
}
