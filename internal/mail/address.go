package mail

import (
	"strings"
	"unicode/utf8"
)

// maxAddresses bounds one list; a mail to more is kept, the rest is not listed.
const maxAddresses = 10000

// Address is one mailbox of an address header.
type Address struct {
	Name    string // decoded display name, may be empty
	Address string // addr-spec as sent; without "@" if the sender wrote none
}

// parseAddresses reads an address list. It never fails: what is no address is
// left out and the others stay. Groups are opened, comments and routes
// dropped, semicolons accepted as separators and a bare comma in a name
// forgiven.
func parseAddresses(raw, charset string) []Address {
	var list []Address
	var pending addressItem // before a comma and without address: the start of the next name, or a local user
	s := addressScanner{rest: toUTF8(raw, charset)}
	for len(list) < maxAddresses {
		item, sep, ok := s.next()
		if !ok {
			break
		}
		a, found := item.address()
		head := cleanName(pending.text)
		if found && head != "" && item.angle && a.Name != "" && !item.quoted {
			a.Name, head = head+", "+a.Name, ""
		}
		if u, ok := pending.localUser(); ok && head != "" {
			list = append(list, u)
		}
		pending = addressItem{}
		switch {
		case found:
			list = append(list, a)
		case sep == ',' && !item.quoted && !item.angle:
			pending = item
		default:
			if u, ok := item.localUser(); ok {
				list = append(list, u)
			}
		}
	}
	if u, ok := pending.localUser(); ok {
		list = append(list, u)
	}
	return list
}

func toUTF8(raw, charset string) string {
	if utf8.ValidString(raw) {
		return raw
	}
	return decodeText([]byte(raw), charset, false)
}

// addressItem is what stands between two separators.
type addressItem struct {
	text    string // words outside quotes, angles and comments
	quote   string // first quoted string
	comment string // last comment
	spec    string // inside the last angle brackets
	quoted  bool
	angle   bool
}

type addressScanner struct{ rest string }

// next cuts off one item; sep is the character that ended it.
func (s *addressScanner) next() (it addressItem, sep byte, ok bool) {
	if s.rest == "" {
		return it, 0, false
	}
	var text strings.Builder
	defer func() { it.text = text.String() }()
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '"':
			inner, n := quotedString(s.rest[i:])
			i += n - 1
			s.quotedPart(&it, &text, inner, i)
		case '(':
			inner, n := comment(s.rest[i:])
			it.comment = inner
			text.WriteByte(' ')
			i += n - 1
		case '<':
			inner, n := angleAddr(s.rest[i:])
			if !it.angle || strings.Contains(inner, "@") {
				it.spec = inner
			}
			it.angle = true
			i += n - 1
		case ',', ';':
			s.rest = s.rest[i+1:]
			return it, c, true
		case ':':
			if !strings.Contains(text.String(), "@") && !strings.Contains(text.String(), "[") {
				text.Reset() // the name of a group
				it = addressItem{}
				continue
			}
			text.WriteByte(c)
		default:
			text.WriteByte(c)
		}
	}
	s.rest = ""
	return it, 0, true
}

// quotedPart takes a quoted string as display name, or as local part when "@"
// follows at once.
func (s *addressScanner) quotedPart(it *addressItem, text *strings.Builder, inner string, last int) {
	if last+1 < len(s.rest) && s.rest[last+1] == '@' {
		text.WriteString(`"` + inner + `"`)
		return
	}
	if it.quoted {
		it.quote += " " + inner
	} else {
		it.quote = inner
	}
	it.quoted = true
}

// address makes sense of an item; false if there is no address in it.
func (it addressItem) address() (Address, bool) {
	name := cleanName(it.text)
	if it.quoted {
		q := cleanName(it.quote)
		if name != "" && !strings.Contains(name, "@") {
			q = strings.TrimSpace(q + " " + name)
		}
		name = q
	}
	if it.angle {
		spec := cleanSpec(it.spec)
		if spec == "" && strings.Contains(name, "@") && !strings.ContainsAny(name, " ") {
			return Address{Address: name}, true
		}
		if name == "" {
			name = cleanName(it.comment)
		}
		bad := !strings.Contains(spec, "@") && strings.ContainsAny(strings.TrimSpace(it.spec), " \t")
		return Address{Name: name, Address: spec}, spec != "" && !bad
	}
	return it.bare(name)
}

// bare reads an item without angle brackets: "a@b", "a@b (Name)", "Name a@b".
func (it addressItem) bare(name string) (Address, bool) {
	if it.quoted && strings.Contains(it.quote, "@") && !strings.Contains(it.text, "@") {
		return Address{Address: cleanSpec(it.quote)}, true
	}
	words := strings.Fields(it.text)
	for i, w := range words {
		if at := strings.IndexByte(w, '@'); at > 0 && at < len(w)-1 {
			rest := append(append([]string{}, words[:i]...), words[i+1:]...)
			display := cleanName(strings.Join(rest, " "))
			if it.quoted {
				display = cleanName(it.quote)
			}
			if display == "" {
				display = cleanName(it.comment)
			}
			return Address{Name: display, Address: cleanSpec(w)}, true
		}
	}
	if joined := strings.Join(words, ""); strings.Count(joined, "@") == 1 {
		return Address{Name: cleanName(it.comment), Address: cleanSpec(joined)}, true // "user @ host"
	}
	return Address{}, false
}

// localUser reads a lone word, as mail on one machine has it: "root".
func (it addressItem) localUser() (Address, bool) {
	words := strings.Fields(it.text)
	if len(words) != 1 || it.quoted || it.angle || !isPlain(words[0]) || strings.ContainsAny(words[0], "@:") {
		return Address{}, false
	}
	return Address{Name: cleanName(it.comment), Address: words[0]}, true
}

// cleanSpec strips route, blanks, "mailto:" and angle brackets off an
// addr-spec.
func cleanSpec(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == 0xfeff || r == 0x200b || r == '<' || r == '>' {
			return -1
		}
		return r
	}, decodeHeader(s, ""))
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") {
		if i := strings.IndexByte(s, ':'); i > 0 {
			s = s[i+1:]
		}
	}
	return bound(strings.Trim(s, `,;'`), 320)
}

// cleanName decodes a display name; quotes that wrap it whole are dropped.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(decodeHeader(s, "")), " ")
	for len(s) > 1 && (s[0] == '"' && s[len(s)-1] == '"' || s[0] == '\'' && s[len(s)-1] == '\'') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return bound(stripFormat(s), 200)
}

// quotedString reads from a '"'; n counts the bytes up to and with the
// closing one. Unclosed, it is a lone character.
func quotedString(s string) (inner string, n int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			return b.String(), i + 1
		default:
			b.WriteByte(c)
		}
		if i > 4096 {
			break
		}
	}
	return "", 1
}

// comment reads from a "(", nested ones inside.
func comment(s string) (inner string, n int) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return strings.ReplaceAll(s[1:i], "\\", ""), i + 1
			}
		}
		if i > 4096 {
			break
		}
	}
	return "", 1
}

// angleAddr reads from a "<"; without a ">" the address ends at the next
// blank or comma.
func angleAddr(s string) (inner string, n int) {
	end := strings.IndexByte(s, '>')
	if again := strings.IndexByte(s[1:], '<') + 1; again > 0 && (end < 0 || again < end) {
		if strings.TrimSpace(s[1:again]) == "" {
			inner, n := angleAddr(s[again:])
			if end := again + n; end < len(s) && s[end] == '>' {
				n++
			}
			return inner, again + n // "<<a@b>>"
		}
		end = -1
	}
	if end < 0 {
		end = strings.IndexAny(s, " ,;")
		if end < 0 {
			return s[1:], len(s)
		}
		return s[1:end], end
	}
	return s[1:end], end + 1
}
