package reply

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Variables are what an automatic text may name, as {{ticket.number}} or, with
// what stands in for an unknown one, {{customer.first_name|there}}.
var Variables = []string{"ticket.number", "customer.first_name", "desk.name"}

var variable = regexp.MustCompile(`\{\{\s*([^{}|]*?)\s*(?:\|([^{}]*))?\}\}`)

// CheckText errs with a sentence for people when an automatic text names a
// variable that there is not.
func CheckText(text string) error {
	for _, found := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(Variables, found[1]) {
			return desk.Errorf(desk.Invalid, "There is no variable {{%s}}; use {{%s}}.", found[1], strings.Join(Variables, "}}, {{"))
		}
	}
	return nil
}

// fill puts values into HTML, in which they are text.
func fill(text string, values map[string]string) string {
	text = variable.ReplaceAllStringFunc(text, func(s string) string {
		found := variable.FindStringSubmatch(s)
		if v := values[found[1]]; v != "" {
			return html.EscapeString(v)
		}
		return strings.TrimSpace(found[2])
	})
	return beforeMark.ReplaceAllString(text, "$1")
}

// beforeMark is the blank that an empty name leaves before a comma, as in
// "Hello ,".
var beforeMark = regexp.MustCompile(`[ \x{a0}]+([,!:])`)

// values are what the variables stand for in an answer to m.
func (r *Replies) values(app core.App, t *ticket.Ticket, m *message.Message) map[string]string {
	v := map[string]string{"ticket.number": numberText(t), "desk.name": r.Company(app)}
	if m.Authentication == desk.AuthPass { // the name is what the sender wrote
		v["customer.first_name"] = firstName(m.From.Name)
	}
	return v
}

func numberText(t *ticket.Ticket) string { return strconv.FormatInt(t.Number, 10) }

const maxFirstName = 30 // characters

// firstName is the first name in a display name, "" where that is no name of a
// person: it must not carry an address or a message.
func firstName(name string) string {
	name = strings.Trim(name, `"' `)
	if last, first, ok := strings.Cut(name, ","); ok { // "Holt, Maren"
		if name = strings.TrimSpace(first); strings.ContainsAny(last, " @") {
			return ""
		}
	}
	words := strings.Fields(name)
	if len(words) == 0 || len(words) > 5 || len([]rune(words[0])) > maxFirstName {
		return ""
	}
	for _, c := range words[0] {
		if !unicode.IsLetter(c) && !unicode.IsMark(c) && c != '-' && c != '\'' && c != '’' {
			return ""
		}
	}
	return words[0]
}
