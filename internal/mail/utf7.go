package mail

import (
	"bytes"
	"strings"
	"unicode/utf16"
)

// decodeUTF7 reads RFC 2152: "+" begins modified base64 of UTF-16, "-" or any
// other character ends it, "+-" is a plus sign.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		i := bytes.IndexByte(b, '+')
		if i < 0 {
			out.WriteString(decodeText(b, "", true))
			break
		}
		out.Write(b[:i])
		b = b[i+1:]
		n := 0
		for n < len(b) && base64Value[b[n]] >= 0 {
			n++
		}
		if n == 0 {
			out.WriteByte('+')
		} else {
			out.WriteString(utf16Text(lenientBase64(string(b[:n]))))
		}
		b = b[n:]
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}
