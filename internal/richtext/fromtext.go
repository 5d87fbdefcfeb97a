package richtext

import (
	"strings"

	"golang.org/x/net/html"
)

// FromText makes safe HTML of plain text: a paragraph per block of lines, line
// breaks and indents kept, web and mail addresses made links.
func FromText(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	open := false
	blank := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\n")
		switch {
		case line == "":
			blank = true
			continue
		case !open:
			b.WriteString("<p>")
		case blank:
			b.WriteString("</p>\n<p>")
		default:
			b.WriteString("<br>\n")
		}
		open, blank = true, false
		writeLine(&b, line)
	}
	if open {
		b.WriteString("</p>\n")
	}
	return b.String()
}

var linkPattern = lazily(`(?i)\b(?:https?://|www\.)[^\s<>"'\x60{}|\\^]+|\b[a-z0-9][a-z0-9._%+-]*@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.[a-z]{2,24}\b`)

// maxLink bounds the text of an address that is made a link.
const maxLink = 2000

func writeLine(b *strings.Builder, line string) {
	text := strings.TrimLeft(line, " \t")
	indent := strings.ReplaceAll(line[:len(line)-len(text)], "\t", "    ")
	b.WriteString(strings.Repeat("\u00a0", len(indent)))
	at := 0
	for _, m := range linkPattern().FindAllStringIndex(text, -1) {
		if m[1]-m[0] > maxLink {
			continue
		}
		label := trimLink(text[m[0]:m[1]])
		target := label
		if strings.Contains(label, "@") && !strings.Contains(label, "/") {
			target = "mailto:" + label
		}
		href := linkURL(target)
		if href == "" {
			continue
		}
		b.WriteString(keepSpaces(text[at:m[0]]))
		b.WriteString(`<a href="` + html.EscapeString(href) + `" rel="` + linkRel + `" target="_blank">` + html.EscapeString(label) + "</a>")
		at = m[0] + len(label)
	}
	b.WriteString(keepSpaces(text[at:]))
}

// trimLink leaves off punctuation that ends the sentence, not the address.
func trimLink(s string) string {
	for {
		t := strings.TrimRight(s, ".,;:!?*_~…")
		if strings.HasSuffix(t, ")") && strings.Count(t, ")") > strings.Count(t, "(") {
			t = t[:len(t)-1]
		}
		if strings.HasSuffix(t, "]") && !strings.Contains(t, "[") {
			t = t[:len(t)-1]
		}
		if t == s {
			return s
		}
		s = t
	}
}

func keepSpaces(s string) string {
	return strings.ReplaceAll(html.EscapeString(strings.ReplaceAll(s, "\x00", "")), "  ", " \u00a0")
}
