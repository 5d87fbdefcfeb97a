package richtext

import (
	"strings"

	"golang.org/x/net/html"
)

// Sanitize makes the HTML of a mail safe to show: scripts, forms, frames,
// foreign markup and everything that loads from elsewhere but pictures is
// gone, layout, tables, fonts, colours and links stay. Pictures keep cid:,
// http(s) and data: sources; call RewriteImages before showing them. The
// result is balanced, so it can stand inside other markup, and
// Sanitize(Sanitize(x)) == Sanitize(x).
func Sanitize(markup string) string {
	return gate(mailPolicy(), rebuild(markup, mailRules))
}

// SanitizeCompose makes safe what an agent wrote in the editor: paragraphs,
// emphasis, lists, quotes, code, headings, links and pictures of our own
// (cid: or /api/desk/files/), no styles.
func SanitizeCompose(markup string) string {
	return gate(composePolicy(), rebuild(markup, composeRules))
}

// rules say what a rebuilt document may hold.
type rules struct {
	elements map[string]map[string]check // element -> its own attributes
	global   map[string]check            // attributes of all elements
	rename   map[string]string
	imageURL check
}

// check returns the value to write, or "" to drop the attribute.
type check func(value string) string

// builder writes allowed markup.
type builder struct {
	rules *rules
	out   strings.Builder
}

func rebuild(markup string, r *rules) string {
	b := &builder{rules: r}
	b.out.Grow(len(markup))
	walk(markup, r.rename, b)
	return b.out.String()
}

func (b *builder) text(s string) { b.out.WriteString(html.EscapeString(s)) }

func (b *builder) close(e *element) {
	if e.out != "" {
		b.out.WriteString("</" + e.out + ">")
	}
}

func (b *builder) open(e *element) {
	name := e.name
	own, ok := b.rules.elements[name]
	if !ok {
		return
	}
	attrs := b.attributes(e, own)
	if name == "p" && b.rules == mailRules && strings.Contains(e.attr("class"), "Mso") {
		attrs = closeUp(attrs)
	}
	switch name {
	case "a":
		attrs = link(attrs)
	case "img":
		src := b.rules.imageURL(e.attr("src"))
		if src == "" && e.attr("alt") == "" {
			return
		}
		if src != "" {
			attrs = append([]html.Attribute{{Key: "src", Val: src}}, attrs...)
		}
	}
	if len(attrs) == 0 && bare[name] {
		return
	}
	e.out = name
	b.out.WriteByte('<')
	b.out.WriteString(name)
	for _, a := range attrs {
		b.out.WriteString(" " + a.Key + `="` + html.EscapeString(a.Val) + `"`)
	}
	b.out.WriteByte('>')
}

// bare elements say nothing without attributes.
var bare = set("a font span")

func (b *builder) attributes(e *element, own map[string]check) []html.Attribute {
	var kept []html.Attribute
	seen := map[string]bool{}
	for _, a := range e.attrs {
		ok, found := own[a.Key]
		if !found {
			ok, found = b.rules.global[a.Key]
		}
		if !found || a.Namespace != "" || seen[a.Key] {
			continue
		}
		if v := ok(a.Val); v != "" {
			seen[a.Key] = true
			kept = append(kept, html.Attribute{Key: a.Key, Val: v})
		}
	}
	return kept
}

// closeUp takes the space around a paragraph of Outlook away: it writes a
// paragraph a line and says so in a style sheet, which is gone.
func closeUp(attrs []html.Attribute) []html.Attribute {
	for i, a := range attrs {
		if a.Key == "style" {
			if !strings.Contains(a.Val, "margin") {
				attrs[i].Val = "margin: 0; " + a.Val
			}
			return attrs
		}
	}
	return append(attrs, html.Attribute{Key: "style", Val: "margin: 0"})
}

// link gives a link what keeps the page behind it from us; without href it
// is none.
func link(attrs []html.Attribute) []html.Attribute {
	for _, a := range attrs {
		if a.Key == "href" {
			return append(attrs, html.Attribute{Key: "rel", Val: linkRel}, html.Attribute{Key: "target", Val: "_blank"})
		}
	}
	return nil
}

const linkRel = "nofollow noopener noreferrer"
