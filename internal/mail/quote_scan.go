package mail

import (
	"strings"

	"golang.org/x/net/html"
)

// span is a stretch of the source.
type span struct{ from, to int }

// node is an element of the source that may be a quote.
type node struct {
	name     string
	from, to int
	kind     int
	parent   int // index of the enclosing node, -1 if none
	lines    int // lines before it
}

// tag is any tag of the source.
type tag struct {
	name    string
	at, end int
	close   bool
}

// document is the source seen as lines of text and elements.
type document struct {
	markup string
	lines  []line
	nodes  []node
	tags   []tag
}

// maxWatched bounds the open elements that are looked at.
const maxWatched = 500

// scanner reads a document in one pass.
type scanner struct {
	document
	open      []int // watched nodes that are open
	text      strings.Builder
	lineStart int
	skip      bool // inside style, script or title
}

// scanHTML reads the source once.
func scanHTML(markup string) *document {
	s := &scanner{document: document{markup: markup}}
	z := html.NewTokenizer(strings.NewReader(markup))
	at := 0
	for {
		kind := z.Next()
		end := at + len(z.Raw())
		switch kind {
		case html.ErrorToken:
			s.breakLine(len(markup))
			s.closeNodes(0, len(markup))
			return &s.document
		case html.TextToken:
			if !s.skip && s.text.Len() < 2000 {
				s.text.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			s.startTag(z, at, end)
		case html.EndTagToken:
			s.endTag(z, at, end)
		}
		at = end
	}
}

// breakLine ends the current line; the next one begins at a place.
func (s *scanner) breakLine(at int) {
	text := strings.Join(strings.Fields(unseen.Replace(s.text.String())), " ")
	if text != "" && len(s.lines) < maxQuoteLines {
		s.lines = append(s.lines, line{text, s.lineStart, at})
	}
	s.lineStart = at
	s.text.Reset()
}

// unseen are characters that would keep a line from matching.
var unseen = strings.NewReplacer("\u00a0", " ", "\u200e", "", "\u200f", "", "\u200b", "", "\ufeff", "")

func (s *scanner) startTag(z *html.Tokenizer, at, end int) {
	name, attrs := tagOf(z)
	s.skip = name == "style" || name == "script" || name == "title"
	if breaksLine[name] {
		s.breakLine(at)
	}
	s.tags = append(s.tags, tag{name: name, at: at, end: end})
	if voidTag[name] {
		if name == "br" {
			s.lineStart = end
		}
		if kindOf(name, attrs) == restElement { // a rule above the thread
			s.nodes = append(s.nodes, node{name: name, from: at, to: end, kind: restElement, parent: -1, lines: len(s.lines)})
		}
		return
	}
	if !watched[name] || len(s.open) >= maxWatched {
		return
	}
	parent := -1
	if len(s.open) > 0 {
		parent = s.open[len(s.open)-1]
	}
	s.open = append(s.open, len(s.nodes))
	s.nodes = append(s.nodes, node{name: name, from: at, kind: kindOf(name, attrs), parent: parent, lines: len(s.lines)})
}

func (s *scanner) endTag(z *html.Tokenizer, at, end int) {
	b, _ := z.TagName()
	name := string(b)
	s.skip = false
	if breaksLine[name] {
		s.breakLine(at)
		s.lineStart = end
	}
	s.tags = append(s.tags, tag{name: name, at: at, end: end, close: true})
	if !watched[name] {
		return
	}
	for i := len(s.open) - 1; i >= 0; i-- {
		if s.nodes[s.open[i]].name == name {
			s.closeNodes(i, end)
			return
		}
	}
}

func (s *scanner) closeNodes(from, end int) {
	for _, n := range s.open[from:] {
		s.nodes[n].to = end
	}
	s.open = s.open[:from]
}

// tagOf reads a tag; attributes only of the elements that may be quotes.
func tagOf(z *html.Tokenizer) (name string, attrs map[string]string) {
	b, more := z.TagName()
	name = string(b)
	if !watched[name] {
		return name, nil
	}
	attrs = map[string]string{}
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		attrs[string(k)] = string(v)
	}
	return name, attrs
}

var (
	watched    = words("hr div blockquote table td section article span p")
	voidTag    = words("area base br col embed hr img input link meta param source track wbr")
	breaksLine = words("address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead tr ul")
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}
