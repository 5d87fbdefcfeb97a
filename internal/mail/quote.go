package mail

import (
	"strings"

	"github.com/deskbell/deskbell/internal/richtext"
)

// maxQuoteLines bounds what is searched for quotes; the rest of a longer text
// stays visible.
const maxQuoteLines = 20000

// VisibleText is what the sender wrote this time: the text without the quoted
// thread and without the signature. Where nothing would be left it is the
// whole text. Fold what it leaves out, never drop it.
func VisibleText(m *Mail) string {
	if m.htmlOnly {
		visible, _ := SplitQuote(m.HTML)
		text, _ := SplitText(richtext.Text(ownQuotes.Replace(visible)))
		return text
	}
	visible, _ := SplitText(m.Text)
	return visible
}

// Written is what the sender wrote this time and nothing else: "" where nothing
// is left beside the quoted thread and the signature. It is for texts that are
// sent on, from which a quote must not leak.
func Written(m *Mail) string {
	text := m.Text
	if m.htmlOnly {
		visible, _ := splitQuote(m.HTML)
		text = richtext.Text(ownQuotes.Replace(visible))
	}
	lines := textLines(text)
	fold := foldLines(lines)
	var b strings.Builder
	for i, l := range lines {
		if !fold[i] {
			b.WriteString(text[l.start:l.end])
		}
	}
	return squeezeBlank(strings.TrimSpace(b.String()))
}

// ownQuotes makes a blockquote that SplitQuote left, one of the sender's own, a
// plain block, so that it isn't taken for a quoted thread afterwards.
var ownQuotes = strings.NewReplacer("<blockquote", "<div", "</blockquote", "</div", "<BLOCKQUOTE", "<div", "</BLOCKQUOTE", "</div")

// SplitText divides plain text into what was written and what is to be folded:
// the quoted thread with the line above it, forwarded mail and the signature.
// Visible is never empty unless text is; folded holds every line visible does
// not.
func SplitText(text string) (visible, folded string) {
	lines := textLines(text)
	fold := foldLines(lines)
	var v, f strings.Builder
	for i, l := range lines {
		if fold[i] {
			f.WriteString(text[l.start:l.end])
		} else {
			v.WriteString(text[l.start:l.end])
		}
	}
	if strings.TrimSpace(v.String()) == "" {
		return strings.TrimSpace(text), ""
	}
	return squeezeBlank(strings.TrimSpace(v.String())), strings.Trim(f.String(), "\n")
}

// line is one line of text and where it stands in its source.
type line struct {
	text       string // without line break, blanks trimmed
	start, end int
}

func (l line) quoted() bool { return strings.HasPrefix(l.text, ">") }
func (l line) blank() bool  { return l.text == "" }

func textLines(text string) []line {
	var lines []line
	at := 0
	for s := range strings.Lines(text) {
		if len(lines) == maxQuoteLines {
			lines = append(lines, line{text: "…", start: at, end: len(text)})
			break
		}
		lines = append(lines, line{strings.Trim(s, " \t\r\n\u00a0\u200b\u200e\ufeff"), at, at + len(s)})
		at += len(s)
	}
	return lines
}

// foldLines marks the lines to fold.
func foldLines(lines []line) []bool {
	fold := make([]bool, len(lines))
	end := len(lines)
	mark := func(from, to int) {
		for i := from; i < to; i++ {
			fold[i] = true
		}
	}
	for i := 0; i < end; i++ {
		if lines[i].blank() || lines[i].quoted() && !quotedVerb().MatchString(lines[i].text) {
			continue
		}
		if start, ok := threadStart(lines, i); ok {
			mark(start, len(lines))
			break
		}
		start, ok := attribution(lines, i)
		if !ok {
			continue
		}
		first := nextText(lines, i+1)
		if first == len(lines) || !lines[first].quoted() {
			mark(start, len(lines))
			break
		}
		to := quoteEnd(lines, first)
		mark(start, to)
		i = to - 1
	}
	foldOuterQuotes(lines, fold, mark)
	if cut := signatureStart(lines, fold); cut < len(lines) {
		mark(cut, len(lines))
		foldOuterQuotes(lines, fold, mark)
	}
	foldDeviceLines(lines, fold)
	return fold
}

// nextText is the first line at or after i that is not blank.
func nextText(lines []line, i int) int {
	for i < len(lines) && lines[i].blank() {
		i++
	}
	return i
}

// quoteEnd is the line after a run of quoted lines. Blank lines and the broken
// off ends of quoted lines belong to it if quoted lines follow at once.
func quoteEnd(lines []line, i int) int {
	end := i
	for i < len(lines) {
		switch {
		case lines[i].quoted():
			i++
			end = i
		case lines[i].blank():
			i++
		case i+1 < len(lines) && lines[i-1].quoted() && lines[i+1].quoted() && len(lines[i].text) < 100:
			i++
		default:
			return end
		}
	}
	return end
}

// foldOuterQuotes folds a quote nobody introduced when it stands before all of
// what was written, or after. Quotes between are answered one by one and stay.
func foldOuterQuotes(lines []line, fold []bool, mark func(from, to int)) {
	last := len(lines)
	for last > 0 && (lines[last-1].blank() || fold[last-1]) {
		last--
	}
	for from := last; from > 0; from-- {
		if l := lines[from-1]; !l.quoted() && !l.blank() {
			if from < last && lines[from:last][0].quoted() || from < last && hasQuote(lines[from:last]) {
				mark(from, last)
			}
			break
		}
	}
	first := nextText(lines, 0)
	if first < len(lines) && lines[first].quoted() && !fold[first] {
		if to := quoteEnd(lines, first); nextText(lines, to) < len(lines) && !hasUnfoldedQuote(lines, fold, to) {
			mark(0, to)
		}
	}
}

func hasQuote(lines []line) bool {
	for _, l := range lines {
		if l.quoted() {
			return true
		}
	}
	return false
}

func hasUnfoldedQuote(lines []line, fold []bool, from int) bool {
	for i := from; i < len(lines); i++ {
		if lines[i].quoted() && !fold[i] {
			return true
		}
	}
	return false
}

// squeezeBlank leaves at most two line breaks where lines were taken out.
func squeezeBlank(s string) string {
	for strings.Contains(s, "\n\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n\n", "\n\n\n")
	}
	return s
}
