package story_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest"
)

type quarantined struct {
	ID, Subject string
	From        struct{ Name, Address string }
	Reason      struct{ Code, Text string }
}

// TestTheQuarantineIsReadInPages fills it with mails that say they are our own.
func TestTheQuarantineIsReadInPages(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	for i := range 5 {
		d.Receive("x@x.test", desktest.Mail("Desk <support@desk.test>", fmt.Sprintf("Loop %d", i), "x", fmt.Sprintf("Message-ID: <loop%d@x.test>", i)))
	}
	type list struct {
		Items      []quarantined
		NextCursor *string `json:"next_cursor"`
	}
	d.Eventually("five in quarantine", func() bool {
		var all list
		d.Get("/api/desk/quarantine", &all)
		return len(all.Items) == 5
	})
	var subjects []string
	for cursor, pages := "", 0; ; pages++ {
		var l list
		d.Get("/api/desk/quarantine?limit=2&cursor="+cursor, &l)
		for _, m := range l.Items {
			if m.From.Address != "support@desk.test" || m.From.Name != "Desk" || m.Reason.Code != "own_address" || m.Reason.Text == "" {
				t.Errorf("listed as %+v", m)
			}
			subjects = append(subjects, m.Subject)
		}
		if l.NextCursor == nil || pages > 5 {
			break
		}
		cursor = *l.NextCursor
	}
	if got := strings.Join(subjects, ","); got != "Loop 4,Loop 3,Loop 2,Loop 1,Loop 0" {
		t.Errorf("the pages list %s", got)
	}
	d.Call("GET", "/api/desk/quarantine?cursor=other", d.Token, nil, 400, nil)
	var first list
	d.Get("/api/desk/quarantine?limit=1", &first)
	d.Call("POST", "/api/desk/quarantine/"+first.Items[0].ID+"/retry", d.Token, map[string]any{}, 200, nil)
	if all := d.WaitTickets(1); all[0].Subject != "Loop 4" {
		t.Errorf("became %q", all[0].Subject)
	}
	d.Call("POST", "/api/desk/quarantine/"+first.Items[0].ID+"/retry", d.Token, map[string]any{}, 404, nil)
}

// TestASecondMailUnderAMessageIDIsFlaggedWhereverItGoes answers twice under one
// Message-ID, with other words.
func TestASecondMailUnderAMessageIDIsFlaggedWhereverItGoes(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Twins", "text"))
	number := d.WaitTickets(1)[0].Number
	sent := reply(d, number, map[string]any{"body": "<p>x</p>", "undo_s": 0}, 201)
	sink.Wait(t, 1)
	for i, words := range []string{"the first words", "other words"} {
		d.Receive("a@a.test", desktest.Mail("a@a.test", "Re: Twins", words, "Message-ID: <twin@a.test>", "In-Reply-To: <"+sent.MessageID+">"))
		d.Eventually("it joins", func() bool { return len(d.Tickets()[0].Messages.Items) == 3+i })
	}
	all := d.Tickets()[0].Messages.Items
	flag := fmt.Sprintf("the Message-ID of another mail, in #%d", number)
	if strings.Contains(all[2].Reason.Text, flag) || all[3].Reason.Code != "token" || !strings.Contains(all[3].Reason.Text, flag) {
		t.Errorf("the first %+v, the second %+v", all[2].Reason, all[3].Reason)
	}
	_, why := d.Call("GET", fmt.Sprintf("/api/desk/tickets/%d/why", number), d.Token, nil, 200, nil)
	if !strings.Contains(why, flag) {
		t.Errorf("why does not tell: %s", why)
	}
}

// TestAMailOfAnyLengthIsKeptWhole sends a mail too long for a row.
func TestAMailOfAnyLengthIsKeptWhole(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	line := strings.Repeat("words ", 12) + "\n"
	plain := strings.Repeat(line, 3<<20/len(line))
	page := "<div><p>" + strings.Repeat("<b>"+strings.TrimSpace(line)+"</b><br>\n", 2<<20/len(line)) + "</p>The end</div>"
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Long text", plain+"The end"))
	d.WaitTickets(1)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Long page", page, "Content-Type: text/html"))
	for _, ticket := range d.WaitTickets(2) {
		m := ticket.Messages.Items[0]
		if !m.Shortened || len(m.Text) > 1<<20 || len(m.HTML) > 1<<20 || len(m.VisibleText) > 1<<20 || len(m.Text) < 1<<19 {
			t.Errorf("%s: shortened %v, text %d, html %d", ticket.Subject, m.Shortened, len(m.Text), len(m.HTML))
		}
		if m.HTML != "" && (!strings.HasSuffix(m.HTML, "</p></div>") || strings.Contains(m.HTML, "The end")) {
			t.Errorf("%s ends with %q", ticket.Subject, m.HTML[len(m.HTML)-40:])
		}
		_, raw := d.Call("GET", "/api/desk/messages/"+m.ID+"/raw", d.Token, nil, 200, nil)
		if !strings.Contains(raw, "The end") {
			t.Errorf("%s: the original ends with %q", ticket.Subject, raw[max(0, len(raw)-40):])
		}
	}
	number := d.Tickets()[0].Number
	long := map[string]any{"body": "<p>" + strings.Repeat("x", 1<<20) + "</p>", "kind": "reply"}
	d.Call("PUT", fmt.Sprintf("/api/desk/tickets/%d/draft", number), d.Token, long, 413, nil)
	delete(long, "kind")
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/notes", number), d.Token, long, 413, nil)
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", number), d.Token, long, 413, nil)
}
