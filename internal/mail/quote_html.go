package mail

import (
	"strings"

	"golang.org/x/net/html"
)

// SplitQuote divides the raw HTML of a mail into what was written and what is
// quoted, by the structure mail programs leave (gmail_quote, blockquote
// type=cite, divRplyFwdMsg, yahoo_quoted ...) and by the same lines as in
// plain text. Split first, then sanitise each half: sanitising removes the
// marks. Together the halves hold all text; quoted is "" where visible would be
// empty.
func SplitQuote(markup string) (visible, quoted string) {
	visible, quoted = splitQuote(markup)
	if quoted != "" && !hasText(visible) {
		return markup, ""
	}
	return visible, quoted
}

// splitQuote is SplitQuote for which nothing need be left.
func splitQuote(markup string) (visible, quoted string) {
	d := scanHTML(markup)
	cuts := d.cuts()
	if len(cuts) == 0 {
		return markup, ""
	}
	var v, q strings.Builder
	open := openTags{markup: markup, tags: d.tags}
	at := 0
	for _, c := range cuts {
		v.WriteString(markup[at:c.from])
		v.WriteString("\n") // or what stands on both sides could become a tag
		if q.Len() > 0 {
			q.WriteString("\n")
		}
		q.WriteString(open.at(c.from))
		q.WriteString(markup[c.from:c.to])
		at = c.to
	}
	v.WriteString(markup[at:])
	return v.String(), q.String()
}

// hasText tells whether markup shows anything: words or a picture.
func hasText(markup string) bool {
	z := html.NewTokenizer(strings.NewReader(markup))
	skip := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			if string(name) == "img" {
				return true
			}
			skip = string(name) == "style" || string(name) == "script" || string(name) == "title"
		case html.EndTagToken:
			skip = false
		case html.TextToken:
			if !skip && strings.Trim(string(z.Text()), " \t\r\n\u00a0\u200b\ufeff") != "" {
				return true
			}
		}
	}
}
