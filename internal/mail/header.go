package mail

import (
	"bytes"
	"iter"
	"strings"
	"unicode/utf8"
)

const (
	maxFields     = 5000    // header fields kept; a real mail has under 150
	maxFieldBytes = 1 << 18 // bytes of one field kept
)

// Header holds the fields of a mail or part in the order they came. Its
// methods decode on each call; the zero value is an empty header.
type Header struct {
	fields  []field
	charset string // what raw 8-bit values are in; empty: guess
}

type field struct {
	name  string
	value []byte // as sent, still folded
}

// Get returns the first value of the named field, unfolded and with encoded
// words decoded, or "". Names are compared without case.
func (h *Header) Get(name string) string {
	return decodeHeader(h.raw(name), h.charset)
}

// Values returns every value of the named field, decoded as by Get.
func (h *Header) Values(name string) []string {
	var all []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			all = append(all, decodeHeader(unfold(f.value), h.charset))
		}
	}
	return all
}

// Has tells whether the named field is there, even if empty.
func (h *Header) Has(name string) bool {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

// Names returns the field names in the order they came, repeated ones too.
func (h *Header) Names() []string {
	names := make([]string, len(h.fields))
	for i, f := range h.fields {
		names[i] = f.name
	}
	return names
}

// All goes through the fields in the order they came, values decoded as by Get.
func (h *Header) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, f := range h.fields {
			if !yield(f.name, decodeHeader(unfold(f.value), h.charset)) {
				return
			}
		}
	}
}

// isUTF8 tells whether all values are valid as they are.
func (h *Header) isUTF8() bool {
	for _, f := range h.fields {
		if !utf8.Valid(f.value) {
			return false
		}
	}
	return true
}

// raw returns the first value unfolded but not decoded.
func (h *Header) raw(name string) string {
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			return unfold(f.value)
		}
	}
	return ""
}

// rawValues returns all values unfolded but not decoded.
func (h *Header) rawValues(name string) []string {
	var all []string
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			all = append(all, unfold(f.value))
		}
	}
	return all
}

// unfold joins the lines of a folded value; a fold is one space.
func unfold(v []byte) string {
	v = bytes.TrimSpace(v)
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 && bytes.IndexByte(v, 0) < 0 {
		return string(v)
	}
	var b strings.Builder
	b.Grow(len(v))
	for line := range bytes.FieldsFuncSeq(v, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
			line = bytes.TrimLeft(line, " \t")
		}
		b.Write(bytes.TrimRight(line, " \t"))
	}
	return strings.ReplaceAll(b.String(), "\x00", "")
}

// splitHeader cuts raw into header fields and body. It forgives what real
// mail does: blank lines or an mbox "From " line before the header, lines that
// are no field, and a body that follows without a blank line. The last result
// lists what was wrong.
func splitHeader(raw []byte) (h Header, body []byte, defects []string) {
	rest := skipPreamble(raw)
	dropped := 0
	for len(rest) > 0 {
		line, after := cutLine(rest)
		switch {
		case len(line) == 0:
			return h, after, countDropped(defects, dropped)
		case isFold(line) && len(h.fields) == 0:
			defects = append(defects, "header starts with a continuation line")
		case isFold(line):
			if len(bytes.TrimSpace(line)) == 0 && !continues(after) {
				return h, after, countDropped(defects, dropped)
			}
			h.extend(line, rest)
		default:
			name, value, ok := cutField(line)
			if !ok && !h.stray(line, after) {
				return h, rest, append(countDropped(defects, dropped), "no blank line between header and body")
			}
			switch {
			case !ok:
				defects = append(defects, "a header line is no field")
			case len(h.fields) >= maxFields:
				dropped++
			default:
				h.fields = append(h.fields, field{name, value})
			}
		}
		rest = after
	}
	return h, nil, countDropped(defects, dropped)
}

func countDropped(defects []string, dropped int) []string {
	if dropped > 0 {
		return append(defects, "too many header fields, the rest was left out")
	}
	return defects
}

// extend adds a continuation line to the last field. Lines follow each other
// in memory, so the value only grows by reslicing.
func (h *Header) extend(line, from []byte) {
	f := &h.fields[len(h.fields)-1]
	if len(f.value) > maxFieldBytes {
		return
	}
	gap := cap(f.value) - cap(from) // where line starts, counted from the value
	if end := gap + len(line); gap >= 0 && end <= cap(f.value) {
		f.value = f.value[:end]
	}
}

// stray tells whether a line that is no field may be passed over: the header
// goes on after it.
func (h *Header) stray(line, after []byte) bool {
	if bytes.HasPrefix(line, []byte("--")) {
		return false
	}
	next, _ := cutLine(after)
	if len(next) == 0 {
		return len(h.fields) > 0 && len(after) > 0
	}
	_, _, ok := cutField(next)
	return ok
}

// skipPreamble passes over a byte order mark, blank lines and an mbox
// separator.
func skipPreamble(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for range 100 {
		line, after := cutLine(raw)
		blank := len(bytes.TrimSpace(line)) == 0
		mbox := bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
		if len(raw) == 0 || !blank && !mbox {
			break
		}
		raw = after
	}
	return raw
}

func cutLine(b []byte) (line, after []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimSuffix(b, []byte("\r")), nil
	}
	return bytes.TrimRight(b[:i], "\r"), b[i+1:]
}

func isFold(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

// continues tells whether what follows a line of blanks still is header.
func continues(after []byte) bool {
	next, _ := cutLine(after)
	if len(next) == 0 {
		return false
	}
	if isFold(next) {
		return len(bytes.TrimSpace(next)) > 0
	}
	_, _, ok := cutField(next)
	return ok
}

// cutField splits "Name: value"; blanks before the colon are forgiven.
func cutField(line []byte) (name string, value []byte, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return "", nil, false
	}
	n := bytes.TrimRight(line[:i], " \t")
	for _, c := range n {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	if len(n) == 0 {
		return "", nil, false
	}
	return string(n), line[i+1:], true
}
