package mail

import (
	"strconv"
	"strings"
)

// maxParams bounds the parameters of one value.
const maxParams = 200

// parseParams reads a value such as Content-Type into its lower-case main
// value and parameters (keys lower case, RFC 2231 pieces joined and decoded).
// It forgives missing quotes and semicolons, quotes inside quotes,
// unescaped backslashes and repeated keys (the first counts).
func parseParams(s string) (value string, params map[string]string) {
	s = bound(s, 16<<10)
	value, rest := cutValue(s)
	params = map[string]string{}
	pieces := map[string]map[int]piece{}
	for n := 0; rest != "" && n < maxParams; n++ {
		var key, val string
		key, val, rest = nextParam(rest)
		if key == "" {
			continue
		}
		base, index, extended, ok := splitKey(key)
		if !ok {
			if _, dup := params[key]; !dup {
				params[key] = val
			}
			continue
		}
		if pieces[base] == nil {
			pieces[base] = map[int]piece{}
		}
		pieces[base][index] = piece{val, extended}
	}
	for base, p := range pieces {
		if v := joinPieces(p); v != "" {
			params[base] = v
		}
	}
	return value, params
}

// cutValue takes what stands before the first parameter.
func cutValue(s string) (value, rest string) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	value, rest = s[:end], s[end:]
	if eq := strings.IndexByte(value, '='); eq >= 0 { // "multipart/mixed boundary=x", "charset=utf-8"
		start := strings.LastIndexAny(value[:eq], " \t") + 1
		value, rest = value[:start], s[start:]
	}
	if i := strings.IndexByte(value, '('); i >= 0 {
		value = value[:i]
	}
	value = strings.ToLower(strings.Trim(value, " \t\"'<>,"))
	if i := strings.IndexAny(value, " \t"); i > 0 {
		value = value[:i]
	}
	return value, rest
}

// nextParam cuts "key=value" off the front; key is "" where there is none.
func nextParam(s string) (key, val, rest string) {
	s = strings.TrimLeft(s, "; \t,")
	eq := strings.IndexByte(s, '=')
	if semi := strings.IndexByte(s, ';'); eq < 0 || semi >= 0 && semi < eq {
		if semi < 0 {
			return "", "", ""
		}
		return "", "", s[semi:]
	}
	key = strings.ToLower(strings.TrimSpace(s[:eq]))
	if i := strings.LastIndexAny(key, " \t"); i >= 0 {
		key = key[i+1:]
	}
	s = strings.TrimLeft(s[eq+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		val, rest = quotedValue(s[1:])
		return key, val, rest
	}
	val, rest = bareValue(s, key)
	return key, val, rest
}

// quotedValue reads to the closing quote: the first one that a separator or
// the end follows.
func quotedValue(s string) (val, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"' && closes(s[i+1:]):
			return b.String(), s[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	if before, after, ok := strings.Cut(s, ";"); ok { // never closed
		return before, after
	}
	return strings.TrimRight(b.String(), `" `), ""
}

func closes(after string) bool {
	after = strings.TrimLeft(after, " \t")
	if after == "" || after[0] == ';' || after[0] == ',' || after[0] == '(' {
		return true
	}
	key, _, ok := strings.Cut(after, "=")
	return ok && key != "" && !strings.ContainsAny(key, ` "?;.`)
}

// bareValue reads an unquoted value. Only names may hold blanks.
func bareValue(s, key string) (val, rest string) {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	val, rest = s[:end], s[end:]
	if !strings.HasPrefix(key, "name") && !strings.HasPrefix(key, "filename") {
		if i := strings.IndexAny(val, " \t"); i >= 0 {
			val, rest = s[:i], s[i:]
		}
	}
	return strings.Trim(val, " \t\""), rest
}

// splitKey recognises RFC 2231 keys: name*, name*0, name*0*.
func splitKey(key string) (base string, index int, extended, ok bool) {
	base, tail, found := strings.Cut(key, "*")
	if !found || base == "" {
		return "", 0, false, false
	}
	if tail == "" {
		return base, 0, true, true
	}
	tail, extended = strings.CutSuffix(tail, "*")
	index, err := strconv.Atoi(tail)
	return base, index, extended, err == nil && index >= 0 && index < maxParams
}

type piece struct {
	text     string
	extended bool
}

// joinPieces joins the pieces of one parameter in order and decodes them by
// the charset the first names.
func joinPieces(p map[int]piece) string {
	var raw []byte
	charset := ""
	for i := range maxParams {
		part, ok := p[i]
		if !ok {
			if i == 0 {
				continue // some count from one
			}
			break
		}
		text := part.text
		if part.extended {
			if cs, rest, ok := strings.Cut(text, "'"); ok && len(raw) == 0 {
				if _, after, ok := strings.Cut(rest, "'"); ok {
					charset, text = cs, after
				}
			}
			raw = append(raw, unpercent(text)...)
			continue
		}
		raw = append(raw, text...)
	}
	return decodeText(raw, charset, true)
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
