package mail

import (
	"sort"
	"strings"
)

// cuts lists the quoted stretches in order, not overlapping.
func (d *document) cuts() []span {
	var cuts []span
	for i := range d.nodes {
		n := &d.nodes[i]
		switch n.kind {
		case quoteElement:
			cuts = append(cuts, span{d.introduced(n), n.to})
		case restElement:
			cuts = append(cuts, span{n.from, len(d.markup)})
		}
	}
	if from, ok := d.threadCut(); ok {
		cuts = append(cuts, span{from, len(d.markup)})
	}
	if len(cuts) == 0 {
		cuts = d.lastBlockquote()
	}
	for i := range cuts {
		cuts[i].from = d.wholeFrom(cuts[i].from)
	}
	return mergeSpans(cuts)
}

// wholeFrom moves a cut before the tags that only open what is cut off, so
// that no empty box or rule stays behind.
func (d *document) wholeFrom(from int) int {
	for range 50 {
		head := strings.TrimRight(d.markup[:from], " \t\r\n")
		at := strings.LastIndexByte(head, '<')
		if at < 0 || !strings.HasSuffix(head, ">") || strings.IndexByte(head[at:], '>') != len(head)-at-1 {
			break
		}
		name, _, _ := strings.Cut(strings.Trim(head[at:], "</>"), " ")
		name = strings.ToLower(name)
		if head[at+1] == '/' || name != "hr" && (!breaksLine[name] || name == "body" || name == "td") {
			break
		}
		from = at
	}
	return from
}

// introduced is where a quote begins with the line above it that names its
// author.
func (d *document) introduced(n *node) int {
	if n.lines == 0 {
		return n.from
	}
	if start, ok := attribution(d.lines[:n.lines], n.lines-1); ok {
		return min(d.lines[start].start, n.from)
	}
	return n.from
}

// threadCut finds the lines that begin a quoted thread in plain text.
func (d *document) threadCut() (from int, ok bool) {
	for i, l := range d.lines {
		if start, ok := threadStart(d.lines, i); ok {
			return d.lines[start].start, true
		}
		if start, ok := attribution(d.lines, i); ok && !d.quoteFollows(l.end) {
			return d.lines[start].start, true
		}
	}
	return 0, false
}

// quoteFollows tells whether an element that is a quote begins right after.
func (d *document) quoteFollows(at int) bool {
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.name == "blockquote" && n.from >= at-1 && !hasText(d.markup[at:max(at, n.from)]) {
			return true
		}
		if n.from > at+2000 {
			break
		}
	}
	return false
}

// lastBlockquote takes the last blockquote without marks, if it is in no
// other, for a quote: few people write one themselves.
func (d *document) lastBlockquote() []span {
	for i := len(d.nodes) - 1; i >= 0; i-- {
		if n := &d.nodes[i]; n.kind == blockquoteMaby && !d.insideBlockquote(n) {
			return []span{{d.introduced(n), n.to}}
		}
	}
	return nil
}

func (d *document) insideBlockquote(n *node) bool {
	for p := n.parent; p >= 0; p = d.nodes[p].parent {
		if d.nodes[p].name == "blockquote" {
			return true
		}
	}
	return false
}

func mergeSpans(cuts []span) []span {
	sort.Slice(cuts, func(i, j int) bool { return cuts[i].from < cuts[j].from })
	var out []span
	for _, c := range cuts {
		if n := len(out); n > 0 && c.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, c.to)
			continue
		}
		out = append(out, c)
	}
	return out
}

// opened repeats the tags that are open at a place, so that what begins there
// keeps its surroundings.
func (d *document) opened(at int) string {
	var open []tag
	for _, t := range d.tags {
		if t.at >= at {
			break
		}
		if !t.close {
			if len(open) < 200 {
				open = append(open, t)
			}
			continue
		}
		for i := len(open) - 1; i >= 0; i-- {
			if open[i].name == t.name {
				open = open[:i]
				break
			}
		}
	}
	var b strings.Builder
	for _, t := range open {
		if t.name != "html" && t.name != "head" && len(t.raw) < 4096 {
			b.WriteString(t.raw)
		}
	}
	return b.String()
}
