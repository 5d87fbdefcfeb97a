package message

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

const (
	// MaxText bounds each text of a row, and its HTML with the quoted part, in bytes.
	MaxText = 1 << 20
	// maxSubject bounds a subject, in characters.
	maxSubject = 1000
	// scrap is room too small to put another element into.
	scrap = 256
)

// cutMark ends a text that goes on in the original.
const cutMark = "\n\n[…]"

// bound cuts what is too long to be kept in a row and notes that it did.
func (m *Message) bound() {
	var cut [5]bool
	m.Text, cut[0] = cutText(m.Text, MaxText)
	m.VisibleText, cut[1] = cutText(m.VisibleText, MaxText)
	m.HTML, cut[2] = cutHTML(m.HTML, MaxText)
	m.HTMLQuoted, cut[3] = cutHTML(m.HTMLQuoted, MaxText-len(m.HTML))
	if r := []rune(m.Subject); len(r) > maxSubject {
		m.Subject, cut[4] = string(r[:maxSubject])+"…", true
	}
	m.Shortened = m.Shortened || slices.Contains(cut[:], true)
}

func cutText(s string, limit int) (string, bool) {
	if len(s) <= limit {
		return s, false
	}
	return whole(s[:limit-len(cutMark)]) + cutMark, true
}

// whole takes off the part of a character that a cut left at the end.
func whole(s string) string {
	for i := 1; i <= utf8.UTFMax && i <= len(s); i++ {
		if b := s[len(s)-i]; utf8.RuneStart(b) {
			if !utf8.FullRuneInString(s[len(s)-i:]) {
				return s[:len(s)-i]
			}
			return s
		}
	}
	return s
}

// cutHTML is the beginning of safe HTML, with what is open there closed, in at
// most limit bytes. A picture that has no room is left out and what follows it
// kept.
func cutHTML(markup string, limit int) (string, bool) {
	if len(markup) <= limit {
		return markup, false
	}
	c := cutter{limit: limit}
	z := html.NewTokenizer(strings.NewReader(markup))
	for c.add(z.Next(), z) {
	}
	for i := len(c.open) - 1; i >= 0; i-- {
		c.out.WriteString("</" + c.open[i] + ">")
	}
	return c.out.String(), true
}

// cutter copies tokens as long as there is room for them and for closing what
// is open.
type cutter struct {
	out     strings.Builder
	open    []string
	closing int // bytes that closing takes
	limit   int
}

func (c *cutter) room() int { return c.limit - c.out.Len() - c.closing }

// add copies one token and answers whether to go on.
func (c *cutter) add(kind html.TokenType, z *html.Tokenizer) bool {
	raw := string(z.Raw())
	switch kind {
	case html.ErrorToken:
		return false
	case html.TextToken:
		if len(raw) > c.room() {
			c.out.WriteString(wholeEntity(raw[:max(0, c.room())]))
			return false
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		name, _ := z.TagName()
		return c.start(string(name), raw)
	case html.EndTagToken:
		name, _ := z.TagName()
		return c.end(string(name))
	default: // comments have no place in safe HTML
		return true
	}
	c.out.WriteString(raw)
	return true
}

func (c *cutter) start(name, raw string) bool {
	need := len(raw)
	if !void[name] {
		need += len("</>") + len(name)
	}
	if need > c.room() {
		return void[name] && c.room() > scrap
	}
	c.out.WriteString(raw)
	if !void[name] {
		c.open = append(c.open, name)
		c.closing += len("</>") + len(name)
	}
	return true
}

// end closes an element and what was left open in it; an end without a
// beginning is left out.
func (c *cutter) end(name string) bool {
	at := len(c.open) - 1
	for at >= 0 && c.open[at] != name {
		at--
	}
	if at < 0 {
		return true
	}
	for i := len(c.open) - 1; i >= at; i-- {
		c.out.WriteString("</" + c.open[i] + ">")
		c.closing -= len("</>") + len(c.open[i])
	}
	c.open = c.open[:at]
	return true
}

// void are the elements of safe HTML that have no end.
var void = map[string]bool{"br": true, "hr": true, "img": true, "wbr": true, "col": true, "input": true, "area": true}

// wholeEntity takes off the part of a character or of an entity that a cut left
// at the end.
func wholeEntity(s string) string {
	if at := strings.LastIndexByte(s, '&'); at >= 0 && len(s)-at < 12 && !strings.Contains(s[at:], ";") {
		s = s[:at]
	}
	return whole(s)
}
