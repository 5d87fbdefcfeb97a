//go:build unix

package crash_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// message is what the checks look at of a message.
type message struct {
	ID          string
	Ticket      int64
	Kind        string
	Text        string
	HTML        string
	MessageID   string `json:"message_id"`
	Reason      struct{ Code string }
	Attachments []struct{ Name, URL string }
	Delivery    *struct {
		ID, State  string
		Recipients []struct{ Address, State string }
	}
}

type ledgerRow struct {
	ID, SHA256, State string
	Message           *string
	Quarantine        *string
}

// found is what the desk shows in the end.
type found struct {
	tickets  []int64
	messages []message
	ledger   []ledgerRow
	byStamp  map[string][]message
}

// pages reads a list to its end.
func pages[T any](d *desk, path string) (all []T) {
	d.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []T
			Next  *string `json:"next_cursor"`
		}
		d.get(path+"limit=200&cursor="+url.QueryEscape(cursor), &page)
		all = append(all, page.Items...)
		if page.Next == nil {
			return all
		}
		cursor = *page.Next
	}
}

func (w *world) ledger() []ledgerRow { return pages[ledgerRow](w.d, "/api/desk/ledger?") }

func (w *world) collect() *found {
	w.t.Helper()
	f := &found{ledger: w.ledger(), byStamp: map[string][]message{}}
	for _, t := range pages[struct{ Number int64 }](w.d, "/api/desk/tickets?sort=created&") {
		f.tickets = append(f.tickets, t.Number)
		for _, m := range pages[message](w.d, fmt.Sprintf("/api/desk/tickets/%d/messages?", t.Number)) {
			f.messages = append(f.messages, m)
			if s := stamp.FindString(m.Text + m.HTML); s != "" {
				f.byStamp[s] = append(f.byStamp[s], m)
			}
		}
	}
	slices.Sort(f.tickets)
	if twice := len(f.tickets) - len(slices.Compact(slices.Clone(f.tickets))); twice > 0 {
		w.t.Errorf("%d ticket numbers are there twice", twice)
	}
	return f
}

// checkMails holds that every mail is one message with its files, and that
// nobody else's became one.
func (w *world) checkMails(f *found) {
	w.t.Helper()
	if len(w.letters) != w.size.mails {
		w.t.Fatalf("%d mails were written, not %d", len(w.letters), w.size.mails)
	}
	for s, l := range w.letters {
		if got := f.byStamp[s]; len(got) != 1 {
			w.t.Errorf("the mail %s is %d messages", s, len(got))
			continue
		}
		w.checkFiles(l, f.byStamp[s][0])
	}
	fromOutside := 0
	for _, m := range f.messages {
		if m.Kind != "reply" {
			fromOutside++
		}
	}
	if fromOutside != w.size.mails {
		w.t.Errorf("%d messages came from outside, not %d", fromOutside, w.size.mails)
	}
}

func (w *world) checkFiles(l *letter, m message) {
	w.t.Helper()
	if len(m.Attachments) != len(l.files) {
		w.t.Errorf("the mail %s has %d files, not %d", l.stamp, len(m.Attachments), len(l.files))
		return
	}
	for _, a := range m.Attachments {
		status, body, err := w.d.try("GET", a.URL, "", nil)
		if err != nil || status != 200 || sum(string(body)) != l.files[a.Name] {
			w.t.Errorf("the file %s of %s is not what was sent: %d, %v", a.Name, l.stamp, status, err)
		}
	}
}

// checkAnswers holds that an answer to a reply is in the ticket of that reply.
func (w *world) checkAnswers(f *found) {
	w.t.Helper()
	n := 0
	for s, l := range w.letters {
		if l.answer == nil || len(f.byStamp[s]) != 1 {
			continue
		}
		n++
		m, p := f.byStamp[s][0], w.replies[l.answer.stamp]
		if m.Ticket != p.number || m.Reason.Code != "token" {
			w.t.Errorf("the answer %s is in ticket %d (%s), not in %d", s, m.Ticket, m.Reason.Code, p.number)
		}
	}
	if n < w.size.mails/20 {
		w.t.Errorf("only %d mails answered a reply; the test tests less than it says", n)
	}
}

// checkLedger holds that everything accepted has a row, and that every row
// names the message that it is, one of them as its own.
func (w *world) checkLedger(f *found) {
	w.t.Helper()
	byID, rows, done := map[string]message{}, map[string]int{}, map[string]int{}
	for _, m := range f.messages {
		byID[m.ID] = m
	}
	for _, row := range f.ledger {
		rows[row.SHA256]++
		if row.Message == nil || byID[*row.Message].ID == "" || row.Quarantine != nil || row.State != "done" && row.State != "duplicate" {
			w.t.Errorf("a ledger row is %+v", row)
			continue
		}
		if want := w.accepted[row.SHA256]; want != stamp.FindString(byID[*row.Message].Text) {
			w.t.Errorf("the ledger row %s of the mail %s names another's message", row.ID, want)
		}
		if row.State == "done" {
			done[*row.Message]++
		}
	}
	for sha, s := range w.accepted {
		if rows[sha] == 0 {
			w.t.Errorf("the mail %s was accepted and has no ledger row", s)
		}
	}
	for id, n := range done {
		if n != 1 {
			w.t.Errorf("%d ledger rows became the message %s", n, id)
		}
	}
}

// checkReplies holds that a reply is one message of its ticket, and that the
// sink took it once, or at most once when the desk says it does not know.
func (w *world) checkReplies(f *found) {
	w.t.Helper()
	took := map[string]int{}
	for _, m := range w.sink.Mails() {
		s, ok := received(m)
		if p := w.replies[s.stamp]; !ok || p == nil || p.messageID != s.messageID {
			w.t.Errorf("the sink took a mail that nobody wrote: %.300s", m.Data)
		}
		took[s.stamp]++
	}
	if len(w.replies) != w.size.replies {
		w.t.Errorf("%d replies were written, not %d", len(w.replies), w.size.replies)
	}
	uncertain := 0
	for s, p := range w.replies {
		got := f.byStamp[s]
		if len(got) != 1 || got[0].ID != p.id || got[0].Ticket != p.number || got[0].Kind != "reply" || got[0].Delivery == nil {
			w.t.Errorf("the reply %s to ticket %d is %+v", s, p.number, got)
			continue
		}
		switch d := got[0].Delivery; {
		case d.State == "sent" && took[s] == 1:
		case d.State == "uncertain" && took[s] <= 1:
			uncertain++
		default:
			w.t.Errorf("the sink took the reply %s %d times; the desk says %+v", s, took[s], *d)
		}
	}
	// Each kill may catch two mails on their way, and the sink broke off at some.
	if most := 2*w.size.kills + int(w.bodies.Load())/30 + int(w.bodies.Load())/60 + 2; uncertain > most {
		w.t.Errorf("%d replies are uncertain, more than the %d that can be", uncertain, most)
	}
}

// checkCommands holds that the desk only ever read its mailbox.
func (w *world) checkCommands() {
	w.t.Helper()
	for _, c := range w.box.Commands() {
		c = strings.ToUpper(c)
		for _, verb := range []string{"SELECT", "STORE", "UID STORE", "EXPUNGE", "UID EXPUNGE", "COPY", "UID COPY", "MOVE", "UID MOVE", "APPEND"} {
			if strings.HasPrefix(c, verb+" ") {
				w.t.Errorf("the desk changes its mailbox: %s", c)
			}
		}
	}
}
