package mail

import (
	"bytes"
	"strings"
)

const (
	maxBoundaryTail = 200 // bytes after a boundary looked at for blanks

	maxDepth = 30   // nested multiparts; deeper ones become one .eml attachment
	maxParts = 1000 // leaves; what follows becomes one .eml attachment
)

// part is a node of the MIME tree. Its body is a slice of the raw mail.
type part struct {
	header      Header
	body        []byte
	mediaType   string // lower case, "" if the sender gave none
	params      map[string]string
	disposition string
	name        string // safe, "" if the sender gave none
	children    []*part
	leftover    bool // raw rest of a mail with too many or too deep parts
}

// splitter builds the tree in one pass a level, within bounds, so that hostile
// nesting costs no more than its size.
type splitter struct {
	charset string // for raw 8-bit header values
	leaves  int
	defects []string
}

func (s *splitter) note(defect string) {
	if len(s.defects) < 50 {
		s.defects = append(s.defects, defect)
	}
}

// split reads one entity. Inside a digest the default type is a message.
func (s *splitter) split(h Header, body []byte, depth int, defaultType string) *part {
	p := s.describe(h, body, defaultType)
	if !strings.HasPrefix(p.mediaType, "multipart") {
		s.leaves++
		return p
	}
	if depth >= maxDepth {
		s.note("parts are nested too deeply, the inner ones were kept as one attachment")
		s.leaves++
		p.mediaType, p.leftover = "message/rfc822", true
		return p
	}
	segments, closed := segmentsOf(body, p.params["boundary"])
	if len(segments) == 0 {
		if b := guessBoundary(body); b != "" {
			s.note("boundary of a multipart is missing or wrong")
			segments, closed = segmentsOf(body, b)
		}
	}
	if len(segments) == 0 {
		s.note("multipart without parts, shown as text")
		p.mediaType = sniffText(body)
		s.leaves++
		return p
	}
	if !closed {
		s.note("multipart is not closed, the mail may be cut off")
	}
	s.splitChildren(p, segments, depth)
	return p
}

func (s *splitter) splitChildren(p *part, segments [][]byte, depth int) {
	inner := "text/plain"
	if p.mediaType == "multipart/digest" {
		inner = "message/rfc822"
	}
	for i, seg := range segments {
		if s.leaves >= maxParts {
			s.note("too many parts, the rest was kept as one attachment")
			rest := joinSegments(segments[i:])
			p.children = append(p.children, &part{mediaType: "message/rfc822", body: rest, leftover: true})
			return
		}
		h, body, _ := splitPartHeader(seg)
		h.charset = s.charset
		p.children = append(p.children, s.split(h, body, depth+1, inner))
	}
}

// describe reads the headers that say what a part is.
func (s *splitter) describe(h Header, body []byte, defaultType string) *part {
	p := &part{header: h, body: body}
	p.mediaType, p.params = parseParams(h.raw("Content-Type"))
	if p.mediaType == "" {
		p.mediaType = defaultType
	}
	if !strings.Contains(p.mediaType, "/") {
		p.mediaType = mendType(p.mediaType, p.params)
	}
	var dispo map[string]string
	if raw := h.raw("Content-Disposition"); raw != "" {
		p.disposition, dispo = parseParams(raw)
	}
	for _, n := range []string{dispo["filename"], p.params["name"], dispo["name"], p.params["filename"], p.params["file"]} {
		if n != "" {
			if p.name = safeName(decodeHeader(n, s.charset)); p.name != "" {
				break
			}
		}
	}
	if p.name == "" && !strings.HasPrefix(p.mediaType, "text/") && !strings.HasPrefix(p.mediaType, "multipart") && !strings.HasPrefix(p.mediaType, "message/") {
		p.name = locationName(h.Get("Content-Location"))
	}
	if p.name == "" && p.disposition == "attachment" {
		p.name = safeName(bound(h.Get("Content-Description"), 100))
	}
	return p
}

// locationName takes a file name from a Content-Location, as saved web pages
// have it.
func locationName(v string) string {
	v, _, _ = strings.Cut(v, "?")
	name := safeName(v)
	if !strings.Contains(name, ".") || strings.HasPrefix(v, "cid:") {
		return ""
	}
	return name
}

// mendType makes a media type of half of one.
func mendType(t string, params map[string]string) string {
	switch t {
	case "text", "plain":
		return "text/plain"
	case "html":
		return "text/html"
	case "multipart":
		return "multipart/mixed"
	}
	if params["boundary"] != "" {
		return "multipart/mixed"
	}
	if params["charset"] != "" {
		return "text/plain"
	}
	return "application/octet-stream"
}

// splitPartHeader is splitHeader for a part, which may have no header at all.
func splitPartHeader(seg []byte) (Header, []byte, []string) {
	line, after := cutLine(seg)
	if len(line) == 0 {
		return Header{}, after, nil
	}
	if _, _, ok := cutField(line); !ok {
		if next, _ := cutLine(after); len(next) == 0 || !bytes.HasPrefix(bytes.ToLower(next), []byte("content-")) {
			return Header{}, seg, []string{"part without header"}
		}
	}
	return splitHeader(seg)
}

// segmentsOf cuts body at the lines that are the boundary, whole: one that
// only begins with it belongs to another multipart. A boundary that comes
// again after the closing one opens a part again.
func segmentsOf(body []byte, boundary string) (segments [][]byte, closed bool) {
	if boundary == "" {
		return nil, false
	}
	mark := []byte("--" + boundary)
	start, from := -1, 0
	for {
		i := bytes.Index(body[from:], mark)
		if i < 0 {
			break
		}
		i += from
		from = i + len(mark)
		if i > 0 && body[i-1] != '\n' {
			continue
		}
		rest, _ := cutLine(body[from:min(len(body), from+maxBoundaryTail)])
		final := bytes.HasPrefix(rest, []byte("--"))
		if !final && len(bytes.TrimSpace(rest)) > 0 {
			continue
		}
		if start >= 0 {
			segments = append(segments, trimLastBreak(body[start:max(start, i)]))
		}
		start, closed = from+lineLen(body[from:]), final
		if final {
			start = -1
		}
	}
	if start >= 0 && start <= len(body) {
		segments = append(segments, body[start:])
	}
	return segments, closed
}

func lineLen(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

func trimLastBreak(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

func joinSegments(segments [][]byte) []byte {
	return bytes.Join(segments, []byte("\r\n\r\n"))
}

// guessBoundary looks for a line that works as one: "--x" with a part header
// or a blank line after it, near the top.
func guessBoundary(body []byte) string {
	for range 200 {
		if len(body) == 0 {
			break
		}
		line, after := cutLine(body)
		body = after
		b, ok := bytes.CutPrefix(bytes.TrimRight(line, " \t"), []byte("--"))
		if !ok || len(b) < 2 || len(b) > 200 || bytes.HasSuffix(b, []byte("--")) {
			continue
		}
		next, _ := cutLine(after)
		if bytes.HasPrefix(bytes.ToLower(next), []byte("content-")) || bytes.Contains(after, []byte("\n--"+string(b)+"--")) {
			return string(b)
		}
	}
	return ""
}

// sniffText tells HTML from plain text where nothing is declared.
func sniffText(body []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if bytes.HasPrefix(head, []byte(tag)) {
			return "text/html"
		}
	}
	return "text/plain"
}
