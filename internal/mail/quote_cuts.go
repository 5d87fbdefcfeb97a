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
	cuts = mergeSpans(cuts)
	if len(cuts) > maxCuts {
		cuts[maxCuts-1].to = len(d.markup)
		cuts = cuts[:maxCuts]
	}
	return cuts
}

const (
	maxCuts = 200 // quotes of one mail; the rest is folded as one
	maxOpen = 200 // open tags repeated around a quote
)

// wholeFrom moves a cut before the tags that only open what is cut off, so
// that no empty box or rule stays behind.
func (d *document) wholeFrom(from int) int {
	i := sort.Search(len(d.tags), func(i int) bool { return d.tags[i].end > from })
	for i--; i >= 0; i-- {
		t := d.tags[i]
		if t.close || t.name != "hr" && !boxes[t.name] || strings.TrimSpace(d.markup[t.end:from]) != "" {
			break
		}
		from = t.at
	}
	return from
}

// boxes are the blocks wholeFrom takes along.
var boxes = words("article aside blockquote br center div figure footer h1 h2 h3 h4 h5 h6 header li main nav ol p pre section table tbody tr ul")

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
	first := sort.Search(len(d.nodes), func(i int) bool { return d.nodes[i].from >= at-1 })
	for _, n := range d.nodes[first:] {
		if n.from > at+2000 {
			break
		}
		if n.name == "blockquote" {
			return !hasText(d.markup[at:max(at, n.from)])
		}
	}
	return false
}

// lastBlockquote takes the last blockquote without marks, if it is in no
// other, for a quote: few people write one themselves.
func (d *document) lastBlockquote() []span {
	for i := len(d.nodes) - 1; i >= 0; i-- {
		if n := &d.nodes[i]; n.kind == blockquoteMaybe && !d.insideBlockquote(n) {
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

// openTags knows the tags that are open at a place; places are asked in order.
type openTags struct {
	markup string
	tags   []tag // still ahead
	open   []tag
}

// at repeats the tags that are open at a place, so that what begins there
// keeps its surroundings.
func (o *openTags) at(place int) string {
	for len(o.tags) > 0 && o.tags[0].at < place {
		t := o.tags[0]
		o.tags = o.tags[1:]
		if voidTag[t.name] {
			continue
		}
		if !t.close {
			if len(o.open) < maxOpen {
				o.open = append(o.open, t)
			}
			continue
		}
		for i := len(o.open) - 1; i >= 0; i-- {
			if o.open[i].name == t.name {
				o.open = o.open[:i]
				break
			}
		}
	}
	var b strings.Builder
	for _, t := range o.open {
		if t.name != "html" && t.name != "head" && t.end-t.at < 4096 {
			b.WriteString(o.markup[t.at:t.end])
		}
	}
	return b.String()
}
