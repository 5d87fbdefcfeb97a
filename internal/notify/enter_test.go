package notify

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/mail"
)

func parsed(kind, body string) *mail.Mail {
	return mail.Parse([]byte(strings.ReplaceAll("From: a@a.test\nSubject: Re: [#1001] x\nContent-Type: "+kind+"; charset=utf-8\n\n"+body, "\n", "\r\n")))
}

// TestOnlyWhatWasWrittenIsSentOn answers as mail programs do, and in ways none
// of them does.
func TestOnlyWhatWasWrittenIsSentOn(t *testing.T) {
	const fenced = "--- Write your answer above this line ---"
	for name, c := range map[string]struct {
		kind, body, want string
		note             bool
	}{
		"quoted":              {"text/plain", "Yes.\n\nOn Tue, Desk <s@desk.test> wrote:\n> " + fenced + "\n> Secret", "Yes.", false},
		"outlook":             {"text/plain", "Yes.\n\nFrom: Desk <s@desk.test>\nSent: Tuesday\nTo: Ines\nSubject: [#1001] x\n\n" + fenced + "\nSecret", "Yes.", false},
		"not marked at all":   {"text/plain", "Yes.\n\n" + fenced + "\nSecret", "Yes.", false},
		"marked by a pipe":    {"text/plain", "Yes.\n| " + fenced + "\n| Secret", "Yes.", false},
		"below the quote":     {"text/plain", "On Tue, Desk <s@desk.test> wrote:\n> " + fenced + "\n> Secret\n\nYes.", "Yes.", false},
		"nothing written":     {"text/plain", "On Tue, Desk <s@desk.test> wrote:\n> " + fenced + "\n> Secret", "", false},
		"html":                {"text/html", `<div>Yes.</div><div class="gmail_quote">On Tue wrote:<blockquote>` + fenced + `<br>Secret</blockquote></div>`, "Yes.", false},
		"nothing but a quote": {"text/html", `<div class="gmail_quote">On Tue, Desk wrote:<blockquote>` + fenced + `<br>Secret</blockquote></div>`, "", false},
		"html without marks":  {"text/html", `<p>Yes.</p><p>` + fenced + `</p><p>Secret</p>`, "Yes.", false},
		"a note":              {"text/plain", "#note Ask first.\nThen act.", "Ask first.\nThen act.", true},
		"a note on two lines": {"text/plain", "\n#NOTE:\nAsk first.", "Ask first.", true},
		"no note":             {"text/plain", "Yes.\n#note is a word", "Yes.\n#note is a word", false},
	} {
		text, note := written(parsed(c.kind, c.body))
		if text != c.want || note != c.note {
			t.Errorf("%s: %q, note %v", name, text, note)
		}
	}
}
