package story_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/sqlite"
)

// told is a desk whose owner hears of everything, sends replies at once and
// believes mx.desk.test.
func told(t *testing.T) (*desktest.Desk, *smtptest.Server) {
	t.Helper()
	d, sink := start(t)
	d.Call("PATCH", "/api/desk/settings", d.Token, map[string]any{"mail.undo_s": 0, "desk.url": "https://desk.example.com/"}, 200, nil)
	d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"auth_servers": []string{"mx.desk.test"}}, 200, nil)
	hear(d, d.Token)
	return d, sink
}

// hear has the agent of a token hear of everything.
func hear(d *desktest.Desk, token string) {
	d.Call("PATCH", "/api/desk/me", token, map[string]any{"notify_new": true, "notify_answer": true}, 200, nil)
}

var messageID = regexp.MustCompile(`(?m)^Message-ID: <([^>]+)>`)

// notices are the Message-IDs of the notices that an address got, in order.
func notices(sink *smtptest.Server, to string) (ids []string) {
	for _, m := range sink.Mails() {
		if found := messageID.FindStringSubmatch(unfolded(m.Data)); found != nil && strings.HasPrefix(found[1], "notice.") && m.To[0] == to {
			ids = append(ids, found[1])
		}
	}
	return ids
}

// waitNotice waits for the nth notice to an address.
func waitNotice(d *desktest.Desk, sink *smtptest.Server, to string, n int) string {
	d.Eventually(fmt.Sprintf("notice %d to %s", n, to), func() bool { return len(notices(sink, to)) >= n })
	return notices(sink, to)[n-1]
}

// answerOf is what an agent writes to a notice, as their server vouches for it.
func answerOf(from, id, body string, headers ...string) string {
	return desktest.Mail(from, "Re: [#1001] Broken pole", body, append([]string{authPass + "people.test", "In-Reply-To: <" + id + ">"}, headers...)...)
}

// firstTeam is the id of the desk's team.
func firstTeam(t *testing.T, d *desktest.Desk) string {
	t.Helper()
	var me struct{ Teams []struct{ ID string } }
	d.Get("/api/desk/me", &me)
	if len(me.Teams) != 1 {
		t.Fatalf("%d teams", len(me.Teams))
	}
	return me.Teams[0].ID
}

func inQuarantine(d *desktest.Desk) []quarantined {
	var list struct{ Items []quarantined }
	d.Get("/api/desk/quarantine", &list)
	return list.Items
}

const quotedNotice = "\n\nOn Tue, 24 Nov 2026 at 10:00, Desk Test <support@desk.test> wrote:\n> --- Write your answer above this line ---\n>\n> Maren Holt <maren@shop.test> opened #1001 in your team.\n"

func TestAnAgentHearsOfATicketAndAnswersByMail(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Broken pole", "The front pole snapped.", "Message-ID: <one@shop.test>"))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	first := sink.Mails()[0]
	raw := unfolded(first.Data)
	for _, want := range []string{
		"Subject: [#1001] Broken pole", "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "Maren Holt <maren@shop.test> opened #1001 in your team.",
		"The front pole snapped.", "https://desk.example.com/inbox/all/1001", "#note",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("the notice lacks %q:\n%s", want, raw)
		}
	}
	if first.From != "" || strings.Contains(raw, "one@shop.test") {
		t.Errorf("from %q, or it refers to the customer's mail:\n%s", first.From, raw)
	}
	if n := count(t, d, "SELECT count(*) FROM deliveries WHERE message_id LIKE 'notice.%'"); n != 0 {
		t.Error("the token lies open in the outbox")
	}
	local, _, _ := strings.Cut(id, "@")
	if n := count(t, d, "SELECT count(*) FROM notices WHERE hash LIKE ?", "%"+strings.Split(local, ".")[1]+"%"); n != 0 {
		t.Error("the token itself is stored")
	}

	d.Receive("x@x.test", answerOf("Ines <"+desktest.OwnerEmail+">", id, "A spare is on its way.\n\n-- \nInes\nPrivate phone 123"+quotedNotice, "Message-ID: <ans1@people.test>"))
	d.Eventually("the answer goes out", func() bool { return len(sink.Mails()) == 2 })
	out := sink.Mails()[1]
	raw = unfolded(out.Data)
	if out.To[0] != "maren@shop.test" || !strings.Contains(raw, "A spare is on its way.") || !strings.Contains(raw, "In-Reply-To: <one@shop.test>") {
		t.Errorf("to %v:\n%s", out.To, raw)
	}
	for _, leak := range []string{"above this line", "in your team", "Private phone", "notice."} {
		if strings.Contains(raw, leak) {
			t.Errorf("the customer reads %q:\n%s", leak, raw)
		}
	}
	got := d.WaitTickets(1)[0]
	if m := got.Messages.Items[1]; m.Kind != "reply" || m.Author.Kind != "agent" || m.Author.Name != "Ines Moreau" || got.Status != "open" {
		t.Errorf("the reply: %+v, %s", m, got.Status)
	}
	d.Eventually("the ledger knows the reply", func() bool {
		return count(t, d, "SELECT count(*) FROM ledger WHERE message = ?", got.Messages.Items[1].ID) == 1
	})

	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Re: Broken pole", "Thanks, when?", "In-Reply-To: <"+got.Messages.Items[1].MessageID+">"))
	second := waitNotice(d, sink, desktest.OwnerEmail, 2)
	if raw := unfolded(sink.Mails()[2].Data); !strings.Contains(raw, "answered in your ticket #1001") || !strings.Contains(raw, "Thanks, when?") {
		t.Errorf("the second notice:\n%s", raw)
	}
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, second, "#note: Ask the *store* first."+quotedNotice))
	d.Eventually("the note is there", func() bool { return len(d.Tickets()[0].Messages.Items) == 4 })
	if m := d.Tickets()[0].Messages.Items[3]; m.Kind != "note" || strings.TrimSpace(m.Text) != "Ask the *store* first." {
		t.Errorf("the note: %+v", m)
	}
	if len(sink.Mails()) != 3 || len(inQuarantine(d)) != 0 {
		t.Errorf("%d mails went out, in quarantine %v", len(sink.Mails()), inQuarantine(d))
	}
}

// TestAFileOfAnAgentsAnswerGoesAlong attaches one to the answer.
func TestAFileOfAnAgentsAnswerGoesAlong(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	parts := "--b\nContent-Type: text/plain\n\nSee the plan.\n--b\nContent-Type: application/pdf; name=plan.pdf\nContent-Disposition: attachment; filename=plan.pdf\n\n%PDF-1.4 plan\n--b--"
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, id, parts, "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"))
	d.Eventually("the answer goes out", func() bool { return len(sink.Mails()) == 2 })
	if raw := string(sink.Mails()[1].Data); !strings.Contains(raw, "plan.pdf") {
		t.Errorf("without its file:\n%s", raw)
	}
	if m := d.Tickets()[0].Messages.Items[1]; len(m.Attachments) != 1 || m.Attachments[0].Name != "plan.pdf" {
		t.Errorf("in the ticket: %+v", m.Attachments)
	}
}

// TestNobodySpeaksForAnAgentByMail is H4: everything that is less than the one
// agent's proven answer to an own notice is quarantined, and nothing goes out.
func TestNobodySpeaksForAnAgentByMail(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	team := firstTeam(t, d)
	_, otto := hire(d, "Otto", []desk.Role{desk.RoleAssociate}, team)
	hear(d, otto)
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Broken pole", "It snapped."))
	own, ottos := waitNotice(d, sink, desktest.OwnerEmail, 1), waitNotice(d, sink, "otto@people.test", 1)
	parts := strings.Split(own, ".")
	forged := strings.Join([]string{parts[0], strings.Repeat("0", len(parts[1])), parts[2], parts[3]}, ".") + ".test"
	recoded := strings.Join([]string{parts[0], parts[1], strings.Repeat("0", len(parts[2])), parts[3]}, ".") + ".test"
	const fail = "Authentication-Results: mx.desk.test; dmarc=fail (p=REJECT) header.from=people.test"
	re := func(id string) string { return "In-Reply-To: <" + id + ">" }
	cases := []struct {
		name, from, code string
		headers          []string
	}{
		{"made up", desktest.OwnerEmail, "answer_unknown", []string{authPass + "people.test", re(forged)}},
		{"another code", desktest.OwnerEmail, "answer_unknown", []string{authPass + "people.test", re(recoded)}},
		{"another agent's notice", desktest.OwnerEmail, "answer_stranger", []string{authPass + "people.test", re(ottos)}},
		{"a stranger", "mallory@evil.test", "answer_stranger", []string{authPass + "evil.test", re(own)}},
		{"the customer", "maren@shop.test", "answer_stranger", []string{authPass + "shop.test", re(own)}},
		{"the agent as a name", `"` + desktest.OwnerEmail + `" <mallory@evil.test>`, "answer_stranger", []string{authPass + "evil.test", re(own)}},
		{"two authors", desktest.OwnerEmail + ", mallory@evil.test", "answer_stranger", []string{authPass + "people.test", re(own)}},
		{"the agent as Sender and Reply-To", "mallory@evil.test", "answer_stranger", []string{authPass + "evil.test", re(own), "Sender: " + desktest.OwnerEmail, "Reply-To: " + desktest.OwnerEmail}},
		{"nothing proven", desktest.OwnerEmail, "answer_unproven", []string{re(own)}},
		{"proven by a server that nobody named", desktest.OwnerEmail, "answer_unproven", []string{"Authentication-Results: mx.evil.test; dmarc=pass header.from=people.test", re(own)}},
		{"failed", desktest.OwnerEmail, "answer_unproven", []string{fail, re(own)}},
		{"failed, with a pass below", desktest.OwnerEmail, "answer_unproven", []string{fail, authPass + "people.test", re(own)}},
		{"by References only", "mallory@evil.test", "answer_stranger", []string{authPass + "evil.test", "References: <a@b.test> <" + own + ">"}},
		{"in capitals", "mallory@evil.test", "answer_stranger", []string{authPass + "evil.test", re(strings.ToUpper(own))}},
	}
	for i, c := range cases {
		d.Receive("x@evil.test", desktest.Mail(c.from, c.name, "Send the money elsewhere.", append(c.headers, fmt.Sprintf("Message-ID: <h4-%d@x.test>", i))...))
	}
	d.Eventually("all are in quarantine", func() bool { return len(inQuarantine(d)) == len(cases) })
	for _, q := range inQuarantine(d) {
		for _, c := range cases {
			if c.name == q.Subject && (q.Reason.Code != c.code || !strings.Contains(q.Reason.Text, "not sent on")) {
				t.Errorf("%s: %+v", c.name, q.Reason)
			}
		}
		_, body := d.Call("POST", "/api/desk/quarantine/"+q.ID+"/retry", d.Token, map[string]any{}, 422, nil)
		if !strings.Contains(body, "never sent on") {
			t.Errorf("trying again says %s", body)
		}
	}
	if got := d.WaitTickets(1)[0]; len(got.Messages.Items) != 1 || len(inQuarantine(d)) != len(cases) {
		t.Errorf("%d messages, %d in quarantine", len(got.Messages.Items), len(inQuarantine(d)))
	}
	for _, m := range sink.Mails() {
		if strings.Contains(string(m.Data), "money") || m.To[0] == "maren@shop.test" {
			t.Errorf("went out to %v:\n%s", m.To, m.Data)
		}
	}
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, own, "It works still.", "Message-ID: <real@people.test>"))
	d.Eventually("what was tried did not use it up", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
}

// TestANoticeTakesOneAnswer sends the same answer again, and another one.
func TestANoticeTakesOneAnswer(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	answer := answerOf(desktest.OwnerEmail, id, "Here it is.", "Message-ID: <a@people.test>")
	d.Receive("x@x.test", answer)
	d.Eventually("it goes out", func() bool { return len(sink.Mails()) == 2 })
	d.Receive("x@x.test", answer)
	d.Eventually("the copy is one", func() bool { return count(t, d, "SELECT count(*) FROM ledger WHERE state = 'duplicate'") == 1 })
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, id, "And this.", "Message-ID: <b@people.test>"))
	d.Eventually("the second is held", func() bool { q := inQuarantine(d); return len(q) == 1 && q[0].Reason.Code == "answer_used" })
	if got := d.WaitTickets(1)[0]; len(got.Messages.Items) != 2 || len(sink.Mails()) != 2 {
		t.Errorf("%d messages, %d mails", len(got.Messages.Items), len(sink.Mails()))
	}
}

// TestANoticeDiesWithTheAgentsAccess takes away, in turn, what it rests on, and
// gives it back where that can be.
func TestANoticeDiesWithTheAgentsAccess(t *testing.T) {
	t.Parallel()
	sink := smtptest.New(t, smtptest.Options{})
	clock := desk.NewTestClock(time.Now())
	d := desktest.Start(t, desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}, Clock: clock})
	d.Call("PATCH", "/api/desk/mailboxes/"+mailbox(t, d), d.Token, map[string]any{"auth_servers": []string{"mx.desk.test"}}, 200, nil)
	team := firstTeam(t, d)
	agent := func(id string, in any) func(string) {
		return func(string) { d.Call("PATCH", "/api/desk/agents/"+id, d.Token, in, 200, nil) }
	}
	members := func(ids ...string) {
		d.Call("PATCH", "/api/desk/teams/"+team, d.Token, map[string]any{"members": append([]string{}, ids...)}, 200, nil)
	}
	names := []string{"Left", "Returned", "Moved", "Rejoined", "Password", "Late"}
	ids, tokens := map[string]string{}, map[string]string{}
	for _, n := range names {
		ids[n], tokens[n] = hire(d, n, []desk.Role{desk.RoleAssociate}, team)
		hear(d, tokens[n])
	}
	var all []string
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	for _, n := range names {
		all = append(all, ids[n])
		waitNotice(d, sink, strings.ToLower(n)+"@people.test", 1)
	}
	agent(ids["Left"], map[string]any{"active": false})("")
	agent(ids["Returned"], map[string]any{"active": false})("")
	agent(ids["Returned"], map[string]any{"active": true})("")
	agent(ids["Moved"], map[string]any{"teams": []string{}})("")
	clock.Advance(time.Second)
	members(ids["Password"], ids["Late"])
	members(ids["Rejoined"], ids["Password"], ids["Late"], ids["Returned"])
	d.Call("PATCH", "/api/desk/me", tokens["Password"], map[string]any{"password": "another long password", "old_password": desktest.OwnerPassword}, 200, nil)
	for i, n := range names[:5] {
		address := strings.ToLower(n) + "@people.test"
		d.Receive("x@x.test", answerOf(address, notices(sink, address)[0], "Text of "+n, fmt.Sprintf("Message-ID: <r%d@people.test>", i)))
	}
	d.Eventually("five in quarantine", func() bool { return len(inQuarantine(d)) == 5 })
	for _, q := range inQuarantine(d) {
		if q.Reason.Code != "answer_revoked" {
			t.Errorf("of %s: %+v", q.From.Address, q.Reason)
		}
	}
	clock.Advance(15 * 24 * time.Hour)
	d.Receive("x@x.test", answerOf("late@people.test", notices(sink, "late@people.test")[0], "Late", "Message-ID: <late@people.test>"))
	d.Eventually("the late one too", func() bool { q := inQuarantine(d); return len(q) == 6 && q[0].Reason.Code == "answer_expired" })
	if n := count(t, d, "SELECT count(*) FROM messages WHERE kind IN ('reply','note')"); n != 0 || len(all) != len(sink.Mails()) {
		t.Errorf("%d replies, %d mails", n, len(sink.Mails()))
	}
}

// TestWhoHearsOfWhat holds that nobody hears of other teams, of what they did
// themselves, of machines or of mail from before.
func TestWhoHearsOfWhat(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	team := firstTeam(t, d)
	_, off := hire(d, "Off", []desk.Role{desk.RoleAssociate}, team)
	_, elsewhere := hire(d, "Elsewhere", []desk.Role{desk.RoleAssociate})
	gone, goneToken := hire(d, "Gone", []desk.Role{desk.RoleAssociate}, team)
	_, otto := hire(d, "Otto", []desk.Role{desk.RoleAssociate}, team)
	hear(d, elsewhere)
	hear(d, goneToken)
	hear(d, otto)
	d.Call("PATCH", "/api/desk/me", off, map[string]any{"notify_answer": true}, 200, nil)
	d.Call("PATCH", "/api/desk/agents/"+gone, d.Token, map[string]any{"active": false}, 200, nil)

	d.Call("POST", "/api/desk/tickets", otto, map[string]any{"subject": "By phone", "customer": map[string]any{"email": "c@c.test"}, "body": "<p>x</p>"}, 201, nil)
	waitNotice(d, sink, desktest.OwnerEmail, 1)
	d.Receive("x@x.test", desktest.Mail("otto@people.test", "From Otto himself", "text"))
	waitNotice(d, sink, desktest.OwnerEmail, 2)
	d.Receive("x@x.test", desktest.Mail("m@m.test", "Out of office: x", "Away", "Auto-Submitted: auto-replied"))
	box, err := d.Mailboxes.Default(d.App)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.ReplaceAll(desktest.Mail("old@m.test", "Older", "text"), "\n", "\r\n")
	if err := d.Ledger.Store(t.Context(), desk.Inbound{Channel: desk.ChannelEmail, Mailbox: box.ID, Raw: []byte(older), Backfill: true}); err != nil {
		t.Fatal(err)
	}
	d.WaitTickets(4)
	d.Receive("x@x.test", desktest.Mail("l@m.test", "The last", "text"))
	waitNotice(d, sink, desktest.OwnerEmail, 3)
	waitNotice(d, sink, "otto@people.test", 1)
	var subjects []string
	for _, m := range sink.Mails() {
		subject := regexp.MustCompile(`Subject: (.*?)\r`).FindStringSubmatch(unfolded(m.Data))[1]
		subjects = append(subjects, m.To[0]+" "+subject)
	}
	if len(subjects) != 4 || strings.Contains(strings.Join(subjects, "\n"), "lder") || strings.Contains(strings.Join(subjects, "\n"), "Out of") {
		t.Errorf("told: %s", strings.Join(subjects, "\n"))
	}
	var me struct{ Agent map[string]any }
	d.Call("GET", "/api/desk/me", off, nil, 200, &me)
	if me.Agent["notify_new"] != false || me.Agent["notify_answer"] != true {
		t.Errorf("me: %v", me.Agent)
	}
	if n := count(t, d, "SELECT count(*) FROM events WHERE kind = 'agent.notices_changed'"); n != 5 {
		t.Errorf("%d changes in the log", n)
	}
}

// TestAMachineThatAnswersANoticeIsDropped has a vacation program and a mail
// system answer, and an agent forward all mail to the desk.
func TestAMachineThatAnswersANoticeIsDropped(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	d.Call("PATCH", "/api/desk/tickets/1001", d.Token, map[string]any{"status": "solved"}, 200, nil)
	d.ReceiveFor("", desktest.Address, answerOf(desktest.OwnerEmail, id, "I am away.", "Auto-Submitted: auto-replied"))
	d.ReceiveFor("", desktest.Address, report(id, desktest.OwnerEmail, "failed", "5.1.1"))
	d.Receive("x@x.test", strings.ReplaceAll(string(sink.Mails()[0].Data), "\r\n", "\n"))
	states := func(reason string) int {
		return count(t, d, "SELECT count(*) FROM ledger WHERE state = 'refused' AND reason = ?", reason)
	}
	d.Eventually("all are dropped", func() bool {
		return states("auto_answer") == 1 && states("notice_bounce") == 1 && states("own_mail") == 1
	})
	if got := d.WaitTickets(1)[0]; got.Status != "solved" || len(got.Messages.Items) != 1 || len(sink.Mails()) != 1 || len(inQuarantine(d)) != 0 {
		t.Errorf("%s, %d messages, %d mails, in quarantine %v", got.Status, len(got.Messages.Items), len(sink.Mails()), inQuarantine(d))
	}
	if n := count(t, d, "SELECT count(*) FROM deliveries WHERE kind = 'notice' AND state = 'failed'"); n != 1 {
		t.Error("the outbox does not show that the notice failed")
	}
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, id, "A person.", "Message-ID: <p@people.test>"))
	d.Eventually("the notice is unused", func() bool { return len(d.Tickets()[0].Messages.Items) == 2 })
}

// TestAnswersThatTheDeskRefusesAreKept sends what can't be a reply.
func TestAnswersThatTheDeskRefusesAreKept(t *testing.T) {
	t.Parallel()
	d, sink := told(t)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, id, strings.TrimSpace(quotedNotice)))
	d.Eventually("it is in quarantine", func() bool { return len(inQuarantine(d)) == 1 })
	if q := inQuarantine(d)[0]; q.Reason.Code != "answer_refused" || !strings.Contains(q.Reason.Text, "nothing in it beside") || q.From.Address != desktest.OwnerEmail {
		t.Errorf("%+v", q)
	}
	if len(sink.Mails()) != 1 {
		t.Errorf("%d mails", len(sink.Mails()))
	}
}

// TestWhatComesAgainIsDoneOnce starts the desk again with its subscribers at the
// beginning of the log.
func TestWhatComesAgainIsDoneOnce(t *testing.T) {
	t.Parallel()
	sink := smtptest.New(t, smtptest.Options{})
	o := desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}, Dir: t.TempDir() + "/data"}
	d := desktest.Start(t, o)
	d.Call("PATCH", "/api/desk/settings", d.Token, map[string]any{"mail.undo_s": 0}, 200, nil)
	acknowledge(t, d, "<p>We have #{{ticket.number}}.</p>", false)
	hear(d, d.Token)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	id := waitNotice(d, sink, desktest.OwnerEmail, 1)
	d.Receive("x@x.test", answerOf(desktest.OwnerEmail, id, "Here it is."))
	sink.Wait(t, 3)
	d.Eventually("it is entered", func() bool {
		return count(t, d, "SELECT count(*) FROM ledger WHERE state = 'done' AND message <> ''") == 2
	})
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, entered := range []bool{true, false} {
		backwards(t, o.Dir, entered)
		d = desktest.Start(t, o)
		last := count(t, d, "SELECT max(seq) FROM events WHERE kind = 'message.received'")
		d.Eventually("the log is read again", func() bool {
			return count(t, d, "SELECT count(*) FROM event_cursors WHERE seq >= ? AND name IN ('notify.tell','notify.enter','reply.acknowledge')", last) == 3
		})
		d.Eventually("it is entered", func() bool {
			return count(t, d, "SELECT count(*) FROM ledger WHERE state = 'done' AND message <> ''") == 2
		})
		if n := count(t, d, "SELECT count(*) FROM deliveries"); n != 3 || len(sink.Mails()) != 3 {
			t.Errorf("%d deliveries, %d mails", n, len(sink.Mails()))
		}
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// backwards moves the subscribers of a stopped desk to the beginning of its log;
// entered tells whether the answer stays known as entered.
func backwards(t *testing.T, dir string, entered bool) {
	t.Helper()
	app, err := boot.Bootstrap(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlite.Exec(app, "DELETE FROM event_cursors WHERE name IN ('notify.tell','notify.enter','reply.acknowledge')")
	if err == nil && !entered {
		err = sqlite.Exec(app, "UPDATE ledger SET message = '' WHERE id IN (SELECT ledger FROM notices)")
	}
	if err == nil {
		err = app.ResetBootstrapState()
	}
	if err != nil {
		t.Fatal(err)
	}
}
