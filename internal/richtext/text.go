package richtext

import (
	"strconv"
	"strings"
	"unicode"
)

// Text makes readable plain text of HTML: paragraphs and list items on lines
// of their own, cells of a row side by side, quotes marked with "> ", links
// followed by their address where the text doesn't show it. Hidden elements,
// scripts and styles are left out. Any HTML will do, sanitised or not.
func Text(markup string) string {
	t := &textWriter{}
	t.out.Grow(len(markup) / 2)
	walk(markup, nil, t)
	return strings.Trim(t.out.String(), "\n") + t.end()
}

// textWriter renders text; breaks and blanks are owed until text comes.
type textWriter struct {
	out     strings.Builder
	breaks  int  // line breaks owed
	space   bool // a blank owed
	line    bool // the current line has text
	hidden  int
	pre     int
	quotes  int
	depth   int   // quotes of the last line
	lists   []int // per open list: next number, 0 for bullets
	links   []int // out length where each open link began
	started bool
}

func (t *textWriter) end() string {
	if t.started {
		return "\n"
	}
	return ""
}

func (t *textWriter) text(s string) {
	if t.hidden > 0 {
		return
	}
	if t.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				t.breaks++
				t.line = false
			}
			if line != "" {
				t.write(strings.TrimRight(line, "\r"))
			}
		}
		return
	}
	start := -1
	for i, r := range s {
		if !unicode.IsSpace(r) && r != 0xa0 && !invisible(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			t.write(s[start:i])
			start = -1
		}
		t.space = t.space || !invisible(r)
	}
	if start >= 0 {
		t.write(s[start:])
	}
}

// invisible are the characters newsletters pad their preview with.
func invisible(r rune) bool {
	return r == 0x200b || r == 0xfeff || r == 0xad || r == 0x34f
}

func (t *textWriter) write(s string) {
	switch {
	case t.breaks > 0 || !t.started:
		if t.started {
			for range min(t.breaks, 2) - 1 {
				t.out.WriteString("\n" + strings.TrimRight(strings.Repeat("> ", min(t.depth, t.quotes)), " "))
			}
			t.out.WriteByte('\n')
		}
		t.out.WriteString(strings.Repeat("> ", t.quotes))
	case t.space && t.line:
		t.out.WriteByte(' ')
	}
	t.breaks, t.space, t.line, t.started, t.depth = 0, false, true, true, t.quotes
	t.out.WriteString(s)
}

// owe asks for at least n line breaks before the next text.
func (t *textWriter) owe(n int) {
	if n == 0 { // an element within a line: a blank before it stays owed
		return
	}
	if t.hidden == 0 && t.started {
		t.breaks = max(t.breaks, n)
	}
	t.space, t.line = false, t.line && t.breaks == 0
}

func (t *textWriter) open(e *element) {
	if e.flag = isHidden(e); e.flag && !void[e.name] {
		t.hidden++
	}
	if t.hidden > 0 {
		return
	}
	switch e.name {
	case "br":
		if t.started {
			t.breaks = min(t.breaks+1, 2)
		}
		t.space, t.line = false, false
	case "hr":
		t.owe(1)
		t.write("----------")
		t.owe(1)
	case "img":
		if alt := strings.TrimSpace(e.attr("alt")); alt != "" {
			t.space = true
			t.write("[" + strings.Join(strings.Fields(alt), " ") + "]")
			t.space = true
		}
	case "a":
		t.links = append(t.links, t.out.Len())
	case "ul", "dir", "menu":
		t.owe(1)
		t.lists = append(t.lists, 0)
	case "ol":
		t.owe(1)
		n, err := strconv.Atoi(e.attr("start"))
		if err != nil || n < 1 {
			n = 1
		}
		t.lists = append(t.lists, n)
	case "li":
		t.owe(1)
		t.write(t.bullet())
		t.space = true
	case "td", "th":
		if t.line && t.breaks == 0 {
			t.out.WriteByte('\t')
			t.space = false
		}
	case "blockquote":
		t.owe(2)
		t.quotes = min(t.quotes+1, 20)
	case "pre", "listing":
		t.owe(1)
		t.pre++
	default:
		t.owe(lineBreaks(e.name))
	}
}

func (t *textWriter) bullet() string {
	if len(t.lists) == 0 {
		return "-"
	}
	indent := strings.Repeat("  ", min(len(t.lists)-1, 10))
	n := &t.lists[len(t.lists)-1]
	if *n == 0 {
		return indent + "-"
	}
	*n++
	return indent + strconv.Itoa(*n-1) + "."
}

func (t *textWriter) close(e *element) {
	if t.hidden > 0 {
		if e.flag {
			t.hidden--
		}
		return
	}
	switch e.name {
	case "a":
		t.closeLink(e)
	case "ul", "ol", "dir", "menu":
		if len(t.lists) > 0 {
			t.lists = t.lists[:len(t.lists)-1]
		}
		t.owe(1)
	case "blockquote":
		t.owe(2)
		t.quotes = max(t.quotes-1, 0)
	case "pre", "listing":
		t.pre = max(t.pre-1, 0)
		t.owe(1)
	default:
		t.owe(lineBreaks(e.name))
	}
}

// closeLink adds the address unless the text already is it.
func (t *textWriter) closeLink(e *element) {
	if len(t.links) == 0 {
		return
	}
	from := t.links[len(t.links)-1]
	t.links = t.links[:len(t.links)-1]
	href := linkURL(e.attr("href"))
	label := strings.TrimSpace(t.out.String()[from:])
	if href == "" || label == "" || len(href) > 300 || showsURL(label, href) {
		return
	}
	t.space = true
	t.write("(" + strings.TrimPrefix(href, "mailto:") + ")")
}

func showsURL(label, href string) bool {
	norm := func(s string) string {
		s = strings.ToLower(strings.Trim(s, " <>()[]"))
		for _, p := range []string{"mailto:", "tel:", "https://", "http://", "www."} {
			s = strings.TrimPrefix(s, p)
		}
		return strings.TrimRight(s, "/")
	}
	l, h := norm(label), norm(href)
	return l == h || strings.Contains(l, h) || strings.HasPrefix(href, "mailto:") && strings.Contains(l, "@")
}

func lineBreaks(name string) int {
	switch name {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dl", "figure", "center":
		return 2
	case "tr", "caption", "option":
		return 1
	}
	if blocks[name] {
		return 1
	}
	return 0
}

// isHidden tells whether an element is written not to be seen.
func isHidden(e *element) bool {
	for _, a := range e.attrs {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			return len(a.Val) < maxStyle && hidingStyle(a.Val)
		}
	}
	return false
}

func hidingStyle(style string) bool {
	style = strings.ToLower(squeeze(style))
	for _, s := range []string{"display:none", "visibility:hidden", "mso-hide:all"} {
		if strings.Contains(style, s) {
			return true
		}
	}
	for _, prop := range []string{"font-size:0", "opacity:0", "max-height:0"} {
		if _, after, ok := strings.Cut(style, prop); ok && zeroEnds(after) {
			return true
		}
	}
	return false
}

// zeroEnds tells that a value which begins with zero is zero: "0", "0px", "0.0".
func zeroEnds(after string) bool {
	after = strings.TrimLeft(after, ".0")
	for _, unit := range []string{"px", "pt", "em", "rem", "%"} {
		after = strings.TrimPrefix(after, unit)
	}
	return after == "" || after[0] == ';' || after[0] == '!'
}
