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
	if !hasText(v.String()) {
		return markup, ""
	}
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

// span is a stretch of the source.
type span struct{ from, to int }

// node is an element of the source that may be a quote.
type node struct {
	name     string
	from, to int // to is 0 while open
	kind     int
	parent   int // index of the enclosing node in document.open order, -1
	lines    int // lines before it
}

const (
	plainElement   = iota
	quoteElement   // the element is a quote
	restElement    // from here on everything is
	blockquoteMaby // a blockquote without marks
)

// document is the source seen as lines of text and elements.
type document struct {
	markup string
	lines  []line
	nodes  []node
	tags   []tag
}

// tag is any tag of the source.
type tag struct {
	name    string
	at, end int
	close   bool
}

// scanHTML reads the source once.
func scanHTML(markup string) *document {
	d := &document{markup: markup}
	z := html.NewTokenizer(strings.NewReader(markup))
	var open []int
	current := line{start: -1}
	lineStart := 0
	var text strings.Builder
	flush := func(at int) {
		current.text = strings.Join(strings.Fields(unseen.Replace(text.String())), " ")
		if current.text != "" && len(d.lines) < maxQuoteLines {
			current.start, current.end = lineStart, at
			d.lines = append(d.lines, current)
			lineStart = at
		} else if current.text != "" {
			lineStart = at
		}
		text.Reset()
		current = line{start: -1}
	}
	at, skip := 0, false
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			flush(len(markup))
			for _, n := range open {
				d.nodes[n].to = len(markup)
			}
			return d
		}
		raw := z.Raw()
		end := at + len(raw)
		switch kind {
		case html.TextToken:
			if !skip && text.Len() < 2000 {
				text.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attrs := tagOf(z)
			skip = name == "style" || name == "script" || name == "title"
			if breaksLine[name] {
				flush(at)
				if strings.TrimSpace(text.String()) == "" {
					lineStart = at
				}
			}
			d.tags = append(d.tags, tag{name: name, at: at, end: end})
			if voidTag[name] {
				if name == "br" {
					lineStart = end
				}
				break
			}
			if watched[name] && len(open) < 500 {
				parent := -1
				if len(open) > 0 {
					parent = open[len(open)-1]
				}
				d.nodes = append(d.nodes, node{name: name, from: at, kind: kindOf(name, attrs), parent: parent, lines: len(d.lines)})
				open = append(open, len(d.nodes)-1)
			}
		case html.EndTagToken:
			b, _ := z.TagName()
			name := string(b)
			skip = false
			if breaksLine[name] {
				flush(at)
				lineStart = end
			}
			d.tags = append(d.tags, tag{name: name, at: at, end: end, close: true})
			if watched[name] {
				for i := len(open) - 1; i >= 0; i-- {
					if d.nodes[open[i]].name == name {
						for _, n := range open[i:] {
							d.nodes[n].to = end
						}
						open = open[:i]
						break
					}
				}
			}
		}
		at = end
	}
}

// unseen are characters that would keep a line from matching.
var unseen = strings.NewReplacer("\u00a0", " ", "\u200e", "", "\u200f", "", "\u200b", "", "\ufeff", "")

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

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

var (
	watched    = words("div blockquote table td section article span p hr")
	voidTag    = words("area base br col embed hr img input link meta param source track wbr")
	breaksLine = words("address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead tr ul")
)

// kindOf tells quotes by the class, id and style programs give them.
func kindOf(name string, attrs map[string]string) int {
	class := " " + strings.ToLower(attrs["class"]) + " "
	id := strings.ToLower(attrs["id"])
	for _, prefix := range []string{"x_", "m_"} { // Outlook and Gmail rename what they quote again
		id = strings.TrimPrefix(id, prefix)
		class = strings.ReplaceAll(class, " "+prefix, " ")
	}
	if name == "blockquote" {
		switch {
		case strings.EqualFold(attrs["type"], "cite"), hasAny(class, quoteClasses):
			return quoteElement
		case strings.Contains(class, " gmail_quote "):
			return plainElement // Gmail's own indent; a reply wraps it in a div
		}
		return blockquoteMaby
	}
	if restIDs[id] {
		return restElement
	}
	if quoteIDs[id] || hasAny(class, quoteClasses) || strings.Contains(class, " gmail_quote ") || strings.HasPrefix(id, "yahoo_quoted") {
		return quoteElement
	}
	return plainElement
}

func hasAny(class string, names map[string]bool) bool {
	for w := range strings.FieldsSeq(class) {
		if names[w] {
			return true
		}
	}
	return false
}

var (
	quoteClasses = words("gmail_quote_container yahoo_quoted moz-cite-prefix moz-forward-container protonmail_quote tutanota_quote zmail_extra freshdesk_quote front-blockquote wm_quote hs_reply " +
		"hmmessage-quote quoted-message quotedmail mailquote mail-quote skiff_quote gmx_quote webmail_quote email-quote iloo-quote history_container ntes-mail-quote foxmail_quote mcntmcntmcnt")
	quoteIDs = words("olk_src_body_section mail-editor-reference-message-container isreplycontent isforwardcontent qt reply-intro replyblock origbody oriMsgHtmlSeperator yahoo_quoted")
	restIDs  = words("divrplyfwdmsg appendonsend stopspelling mailcontainer-quote zwchr isreplyheader")
)
