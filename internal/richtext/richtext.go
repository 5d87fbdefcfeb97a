// Package richtext turns foreign HTML into HTML that is safe to show, and HTML
// and plain text into each other.
//
// Sanitize is the only sanitiser of mail: two layers, our own pass that
// rebuilds the markup balanced and from allow-lists (element, attribute, URL
// scheme, style declaration), and bluemonday with the same lists as the gate
// behind it. SanitizeCompose is its narrow sister for what agents write.
// All functions are linear in their input, bounded in depth, free of
// state and safe for concurrent use.
package richtext

import (
	"strings"

	"golang.org/x/net/html"
)

// maxDepth bounds open elements; deeper tags are dropped, their content stays.
const maxDepth = 150

// visitor receives markup in balanced order: every open is closed.
type visitor interface {
	open(e *element)
	close(e *element)
	text(s string)
}

// element is an open tag.
type element struct {
	name  string
	attrs []html.Attribute
	out   string // what the visitor wrote for it; "" if nothing
	flag  bool   // the visitor's own
}

// attr returns an attribute's value, "" if there is none.
func (e *element) attr(key string) string {
	for _, a := range e.attrs {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// walk reads markup as a browser would closely enough: tags are balanced,
// what HTML closes by itself is closed, comments and the content of scripts
// and styles are left out. Elements in rename count as the other.
func walk(markup string, rename map[string]string, v visitor) {
	w := walker{visit: v, rename: rename}
	w.read(markup)
	if rest := w.unclosed(); rest != "" {
		w.read(rest)
		v.text(w.unclosed())
	}
	w.closeTo(0)
}

func (w *walker) read(markup string) {
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return // end of input; the tokenizer has no other error for a string
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			w.start(&element{name: t.Data, attrs: t.Attr})
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		}
	}
}

type walker struct {
	visit  visitor
	rename map[string]string
	stack  []*element
	over   int    // open elements beyond maxDepth
	raw    string // element whose content is one raw text token
	held   string // that token
}

func (w *walker) text(s string) {
	s = strings.ReplaceAll(s, "\x00", "")
	if w.raw != "" && w.raw != "textarea" && w.raw != "xmp" && w.raw != "plaintext" {
		w.held = s
		return
	}
	w.visit.text(s)
}

// unclosed returns what a title or the like without end has swallowed: the
// rest of the mail, which people must see. A script or style stays dropped.
func (w *walker) unclosed() string {
	rest := w.held
	if w.raw == "" || w.raw == "script" || w.raw == "style" {
		rest = ""
	}
	w.raw, w.held = "", ""
	return rest
}

func (w *walker) start(e *element) {
	w.raw, w.held = "", ""
	if rawText[e.name] {
		w.raw = e.name
		return
	}
	if to, ok := w.rename[e.name]; ok {
		e.name = to
	}
	w.imply(e.name)
	if void[e.name] {
		w.visit.open(e)
		return
	}
	if len(w.stack) >= maxDepth {
		w.over++
		return
	}
	w.stack = append(w.stack, e)
	w.visit.open(e)
}

// imply closes what the start of an element closes.
func (w *walker) imply(name string) {
	if blocks[name] {
		w.closeWithin("p", "td", "th", "table", "caption")
	}
	switch name {
	case "li":
		w.closeWithin("li", "ul", "ol", "table", "td", "th")
	case "dt", "dd":
		w.closeWithin("dt", "dl", "table", "td", "th")
		w.closeWithin("dd", "dl", "table", "td", "th")
	case "td", "th":
		w.closeWithin("td", "tr", "table")
		w.closeWithin("th", "tr", "table")
	case "tr":
		w.closeWithin("tr", "table")
	case "tbody", "thead", "tfoot":
		w.closeWithin("tbody", "table")
		w.closeWithin("thead", "table")
		w.closeWithin("tfoot", "table")
	case "a":
		w.closeWithin("a", "td", "th", "table")
	}
}

// closeWithin closes the innermost open element of that name unless one of
// the walls stands before it.
func (w *walker) closeWithin(name string, walls ...string) {
	for i := len(w.stack) - 1; i >= 0; i-- {
		open := w.stack[i].name
		if open == name {
			w.closeTo(i)
			return
		}
		for _, wall := range walls {
			if open == wall {
				return
			}
		}
	}
}

func (w *walker) end(name string) {
	w.raw, w.held = "", ""
	if to, ok := w.rename[name]; ok {
		name = to
	}
	if void[name] || rawText[name] {
		if name == "br" {
			w.visit.open(&element{name: name}) // browsers read </br> as <br>
		}
		return
	}
	if w.over > 0 {
		w.over--
		return
	}
	for i := len(w.stack) - 1; i >= 0; i-- {
		open := w.stack[i].name
		if open == name {
			w.closeTo(i)
			return
		}
		if (open == "td" || open == "th" || open == "table") && !tableParts[name] {
			return
		}
	}
}

func (w *walker) closeTo(n int) {
	for i := len(w.stack) - 1; i >= n; i-- {
		w.visit.close(w.stack[i])
		w.stack[i] = nil
	}
	w.stack = w.stack[:min(n, len(w.stack))]
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

var (
	// rawText are the elements whose content the tokenizer hands over unparsed.
	rawText = set("script style title iframe noembed noframes noscript textarea xmp plaintext")
	void    = set("area base basefont bgsound br col command embed frame hr image img input keygen link meta param source track wbr")
	blocks  = set("address article aside blockquote center details dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 " +
		"header hgroup hr main menu nav ol p pre section summary table ul dt dd li")
	tableParts = set("table tbody thead tfoot tr td th caption colgroup")
)
