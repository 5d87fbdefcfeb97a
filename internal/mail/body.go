package mail

import (
	"bytes"
	"strings"

	"github.com/deskbell/deskbell/internal/richtext"
)

// block is a stretch of the message in one or both forms.
type block struct {
	text, html       string
	hasText, hasHTML bool
}

// collector walks the tree and sorts leaves into blocks and files.
type collector struct {
	charset string
	blocks  []block
	parts   []Part
	made    map[string]int
	defects []string
}

func (m *Mail) readBody(root *part) {
	c := &collector{charset: m.Header.charset, made: map[string]int{}}
	c.walk(root, "")
	m.Parts = c.parts
	blocks := mergeTwins(c.blocks)
	m.Text, m.HTML = joinBlocks(blocks)
	m.htmlOnly = onlyHTML(blocks)
	m.Defects = append(m.Defects, c.defects...)
	markInline(m.Parts, m.HTML)
}

func (c *collector) walk(p *part, parent string) {
	switch {
	case p.leftover:
		c.file(p)
	case p.mediaType == "multipart/alternative" && len(p.children) > 0:
		c.alternative(p)
	case len(p.children) > 0:
		for _, child := range p.children {
			c.walk(child, p.mediaType)
		}
	case isBody(p, parent):
		c.body(p)
	default:
		c.file(p)
	}
}

// alternative makes one block of the forms of the same text.
func (c *collector) alternative(p *part) {
	outer := c.blocks
	c.blocks = nil
	var both block
	for _, child := range p.children {
		c.walk(child, p.mediaType)
		for _, b := range c.blocks {
			both.add(b)
		}
		c.blocks = nil
	}
	c.blocks = outer
	if both.hasText || both.hasHTML {
		c.blocks = append(c.blocks, both)
	}
}

func (b *block) add(more block) {
	if more.hasText {
		b.text, b.hasText = joinText(b.text, more.text), true
	}
	if more.hasHTML {
		b.html, b.hasHTML = b.html+more.html, true
	}
}

// isBody tells text to read from text that is a file: one with a name or
// marked as attachment. Some mailers name the forms of an alternative and the
// one part of a plain mail.
func isBody(p *part, parent string) bool {
	switch p.mediaType {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "text", "text/x-plain", "application/xhtml+xml":
	default:
		return parent == "" && strings.HasPrefix(p.mediaType, "text/") && p.name == "" && p.disposition != "attachment" && p.mediaType != "text/calendar"
	}
	if parent == "multipart/alternative" && p.mediaType != "text/plain" && p.mediaType != "text/html" {
		return false
	}
	if p.disposition == "attachment" && parent != "" {
		return false
	}
	return p.name == "" || parent == "" || parent == "multipart/alternative"
}

func (c *collector) body(p *part) {
	s := c.text(p)
	if p.mediaType == "text/html" || p.mediaType == "application/xhtml+xml" {
		if strings.TrimSpace(s) != "" {
			c.blocks = append(c.blocks, block{html: s, hasHTML: true})
		}
		return
	}
	if p.mediaType == "text/enriched" || p.mediaType == "text/richtext" {
		s = richtext.Text(strings.ReplaceAll(s, "<<", "&lt;"))
	}
	if strings.EqualFold(p.params["format"], "flowed") {
		s = unflow(s, strings.EqualFold(p.params["delsp"], "yes"))
	}
	c.blocks = append(c.blocks, block{text: s, hasText: true})
}

// text returns a leaf's content as UTF-8.
func (c *collector) text(p *part) string {
	content, defect := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	if defect != "" {
		c.defects = append(c.defects, defect)
	}
	label := p.params["charset"]
	if label == "" && p.mediaType == "text/html" {
		label = metaCharset(content)
	}
	s := strings.TrimPrefix(decodeText(content, label, false), "\ufeff")
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// metaCharset reads the charset an HTML document declares for itself.
func metaCharset(b []byte) string {
	head := bytes.ToLower(b[:min(len(b), 2048)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 || !bytes.Contains(head[:i], []byte("<meta")) {
		return ""
	}
	v := strings.TrimLeft(string(head[i+len("charset="):]), `"' `)
	if end := strings.IndexAny(v, `"' >;/`); end >= 0 {
		v = v[:end]
	}
	return v
}

func (c *collector) file(p *part) {
	content, defect := p.body, ""
	if !p.leftover {
		content, defect = decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	}
	f := Part{Name: p.name, ContentType: p.mediaType, Content: content, Inline: p.disposition == "inline"}
	if ids := messageIDs([]string{p.header.raw("Content-ID")}); len(ids) > 0 {
		f.ContentID = ids[0]
	}
	if f.Name == "" && strings.HasPrefix(p.mediaType, "message/rfc822") {
		inner, _, _ := splitHeader(content)
		if subject := safeName(inner.Get("Subject")); subject != "" {
			f.Name = bound(subject, maxName-4) + ".eml"
		}
	}
	if f.Name == "" {
		c.made[p.mediaType]++
		f.Name = madeName(p.mediaType, c.made[p.mediaType])
	}
	if defect != "" {
		c.defects = append(c.defects, f.Name+": "+defect)
	}
	c.parts = append(c.parts, f)
}

// mergeTwins joins a text and the HTML after it when they say the same: some
// senders put both into multipart/mixed.
func mergeTwins(blocks []block) []block {
	var out []block
	for _, b := range blocks {
		if n := len(out); n > 0 && b.hasHTML && !b.hasText && out[n-1].hasText && !out[n-1].hasHTML {
			if sameWords(out[n-1].text, richtext.Text(b.html)) {
				out[n-1].html, out[n-1].hasHTML = b.html, true
				continue
			}
		}
		out = append(out, b)
	}
	return out
}

// sameWords compares the first words of both.
func sameWords(a, b string) bool {
	a, b = strings.Join(strings.Fields(bound(a, 4000)), ""), strings.Join(strings.Fields(bound(b, 4000)), "")
	n := min(len(a), len(b), 400)
	return n > 0 && (a[:n] == b[:n] || strings.Contains(b, a))
}

// joinBlocks makes the plain text and, if any block has it, the HTML of the
// whole message: a block with only one form is converted.
func joinBlocks(blocks []block) (text, html string) {
	rich, plain := false, false
	for _, b := range blocks {
		rich, plain = rich || b.hasHTML, plain || b.hasText
	}
	var h strings.Builder
	for _, b := range blocks {
		if b.hasText && strings.TrimSpace(b.text) != "" || !b.hasHTML {
			text = joinText(text, b.text)
		} else {
			text = joinText(text, richtext.Text(b.html))
		}
		switch {
		case b.hasHTML:
			h.WriteString(b.html)
		case rich && strings.TrimSpace(b.text) != "":
			h.WriteString(richtext.FromText(b.text))
		}
	}
	return text, h.String()
}

func onlyHTML(blocks []block) bool {
	for _, b := range blocks {
		if b.hasText && strings.TrimSpace(b.text) != "" {
			return false
		}
	}
	return len(blocks) > 0
}

func joinText(a, b string) string {
	switch {
	case strings.TrimSpace(a) == "":
		return b
	case strings.TrimSpace(b) == "":
		return a
	}
	return strings.TrimRight(a, "\n") + "\n\n" + strings.TrimLeft(b, "\n")
}

// markInline sets Inline on the parts the HTML refers to.
func markInline(parts []Part, html string) {
	for i := range parts {
		id := parts[i].ContentID
		if id != "" && html != "" && strings.Contains(html, "cid:"+id) {
			parts[i].Inline = true
		}
	}
}
