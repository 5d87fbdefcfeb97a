package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// decodeHeader makes a field value readable: RFC 2047 words in any place
// (senders put them inside quotes, glue them to text and break characters
// between two of them), raw 8-bit text by the mail's charset, control
// characters removed.
func decodeHeader(s, charset string) string {
	if isPlain(s) && !strings.Contains(s, "=?") {
		return s
	}
	if !utf8.ValidString(s) {
		s = decodeText([]byte(s), charset, false)
	}
	if strings.Contains(s, "=?") {
		s = decodeWords(s)
	}
	return cleanLine(s)
}

func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// cleanLine turns control characters into spaces and drops NULs, so a value
// stays on one line.
func cleanLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0 || r == 0x7f || r == 0xfeff:
			return -1
		case r < ' ':
			return ' '
		}
		return r
	}, s)
}

type word struct {
	charset, encoding, text string
	start, end              int
}

// decodeWords decodes every encoded word; words of one charset and encoding
// that stand side by side are decoded as one, since a character may be split
// between them.
func decodeWords(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	at := 0
	for {
		w, ok := nextWord(s, at)
		if !ok {
			b.WriteString(s[at:])
			return b.String()
		}
		b.WriteString(s[at:w.start])
		var raw []byte
		for {
			next, ok := nextWord(s, w.end)
			if !ok || strings.TrimSpace(s[w.end:next.start]) != "" {
				break
			}
			if w.continues(next) {
				next.text = w.text + next.text
			} else {
				raw = append(raw, w.bytes()...)
			}
			if !strings.EqualFold(next.charset, w.charset) {
				b.WriteString(decodeText(raw, w.charset, true))
				raw = nil
			}
			w = next
		}
		b.WriteString(decodeText(append(raw, w.bytes()...), w.charset, true))
		at = w.end
	}
}

// continues tells that the next word goes on with the base64 of this one.
func (w word) continues(next word) bool {
	return w.encoding == "B" && next.encoding == "B" && strings.EqualFold(w.charset, next.charset) && len(w.text)%4 != 0 && len(w.text) < 4096 && !strings.HasSuffix(w.text, "=")
}

// nextWord finds "=?charset?Q?text?=" at or after from.
func nextWord(s string, from int) (w word, ok bool) {
	for from < len(s) {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			return w, false
		}
		start := from + i
		from = start + 2
		head := s[from:min(len(s), from+80)]
		cs, rest, ok1 := strings.Cut(head, "?")
		enc, rest, ok2 := strings.Cut(rest, "?")
		enc = strings.ToUpper(strings.TrimSpace(enc))
		if !ok1 || !ok2 || strings.ContainsAny(cs, " \t=") || enc != "Q" && enc != "B" {
			continue
		}
		text := from + len(head) - len(rest)
		length := strings.Index(s[text:], "?=")
		if length < 0 {
			return w, false
		}
		cs, _, _ = strings.Cut(cs, "*") // RFC 2231 language
		return word{cs, enc, s[text : text+length], start, text + length + 2}, true
	}
	return w, false
}

func (w word) bytes() []byte {
	if w.encoding == "B" {
		return lenientBase64(w.text)
	}
	out := make([]byte, 0, len(w.text))
	for i := 0; i < len(w.text); i++ {
		c := w.text[i]
		switch {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(w.text) && isHex(w.text[i+1]) && isHex(w.text[i+2]):
			out = append(out, unhex(w.text[i+1])<<4|unhex(w.text[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// lenientBase64 decodes as much as there is, passing over foreign bytes.
func lenientBase64(s string) []byte {
	clean := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if base64Value[s[i]] >= 0 {
			clean = append(clean, s[i])
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean)
	return out[:n]
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
