package story_test

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
)

// mailbox is the id of the desk's only mailbox.
func mailbox(t *testing.T, d *desktest.Desk) string {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	d.Get("/api/desk/mailboxes", &list)
	if len(list.Items) != 1 {
		t.Fatalf("%d mailboxes", len(list.Items))
	}
	return list.Items[0].ID
}

// TestAForgedSenderJoinsNothing holds that a signed id does not help whom the
// mail server found to be somebody else, and that nobody can write that finding
// for it.
func TestAForgedSenderJoinsNothing(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"auth_servers": []string{"mx.desk.test"}}, 200, nil)
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Order 7", "Where is it?", "Message-ID: <a1@a.test>"))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>Here.</p>", "undo_s": 0}, 201)
	sink.Wait(t, 1)
	ref := "In-Reply-To: <" + sent.MessageID + ">"
	const pass, fail = "Authentication-Results: mx.desk.test; dmarc=pass header.from=a.test", "Authentication-Results: mx.desk.test; dmarc=fail (p=REJECT) header.from=a.test"

	d.Receive("x@evil.test", desktest.Mail("alice@a.test", "Re: Order 7", "Send it to me instead", fail, ref, "Message-ID: <f1@a.test>"))
	all := d.WaitTickets(2)
	m := all[1].Messages.Items[0]
	if m.Authentication != "fail" || m.Reason.Code != "unproven" || !strings.Contains(m.Reason.Text, "The check of the sender failed") || len(all[1].LooksLike) != 1 || all[1].LooksLike[0] != number {
		t.Errorf("the forged mail: %+v, looks like %v", m, all[1].LooksLike)
	}
	d.Receive("x@evil.test", desktest.Mail("alice@a.test", "Re: Order 7", "Me again", fail, pass, ref, "Message-ID: <f2@a.test>"))
	if m := d.WaitTickets(3)[2].Messages.Items[0]; m.Authentication != "fail" {
		t.Errorf("a forged finding below the server's own was believed: %+v", m)
	}
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Re: Order 7", "Thanks", pass, ref, "Message-ID: <f3@a.test>"))
	d.Eventually("alice's own answer joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3 })
	if m := d.Tickets()[0].Messages.Items[2]; m.Authentication != "pass" || !strings.Contains(m.Reason.Text, "checked the sender") {
		t.Errorf("alice's answer: %+v", m)
	}
	d.Receive("alice@a.test", desktest.Mail("alice@a.test", "Re: Order 7", "Still thanks", ref, "Message-ID: <f4@a.test>"))
	d.Eventually("nothing known about it: joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 4 })
}

// TestOurOwnDomainIsNotForged holds that a mail which claims to be of the desk's
// own domain is shown as a forgery, whoever brings it.
func TestOurOwnDomainIsNotForged(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("x@evil.test", desktest.Mail("The Boss <boss@desk.test>", "Pay this at once", "IBAN ..."))
	m := d.WaitTickets(1)[0].Messages.Items[0]
	if m.Authentication != "fail" || !strings.Contains(m.Reason.Text, "our own domain") {
		t.Errorf("%+v", m)
	}
}

func TestNamesOfServersAreChecked(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	_, body := d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"auth_servers": []string{"not a server"}}, 400, nil)
	if !strings.Contains(body, "Authentication-Results") {
		t.Errorf("said %s", body)
	}
}
