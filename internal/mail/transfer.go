package mail

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// base64Value is -1 for bytes outside the alphabet; "-" and "_" stay outside,
// mail has no URL alphabet.
var base64Value = func() (t [256]int8) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	return t
}()

// decodeTransfer undoes the Content-Transfer-Encoding. It always returns what
// could be read; defect says what could not.
func decodeTransfer(body []byte, encoding string) (content []byte, defect string) {
	encoding = strings.ToLower(strings.Trim(strings.TrimSpace(encoding), `"';:.`))
	if i := strings.IndexAny(encoding, " \t;("); i > 0 {
		encoding = encoding[:i]
	}
	switch encoding {
	case "base64", "base-64", "b":
		return decodeBase64(body)
	case "quoted-printable", "quotedprintable", "q":
		return decodeQuoted(body), ""
	case "", "7bit", "8bit", "binary":
		return body, ""
	}
	// Uuencode and other encodings no standard names stay the text they are.
	return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), "unknown transfer encoding " + bound(encoding, 40)
}

// decodeBase64 reads each run up to padding, so that joined pieces (a list's
// footer after the padding) are read too, and a text that is no base64 at all
// is returned as it is.
func decodeBase64(body []byte) ([]byte, string) {
	clean := make([]byte, 0, len(body))
	out := make([]byte, 0, base64.RawStdEncoding.DecodedLen(len(body)))
	foreign := 0
	flush := func() {
		if len(clean)%4 == 1 {
			foreign++
			clean = clean[:len(clean)-1]
		}
		n := len(out)
		out = out[:n+base64.RawStdEncoding.DecodedLen(len(clean))]
		m, err := base64.RawStdEncoding.Decode(out[n:], clean)
		if err != nil {
			foreign++
		}
		out, clean = out[:n+m], clean[:0]
	}
	for _, c := range body {
		switch {
		case base64Value[c] >= 0:
			clean = append(clean, c)
		case c == '=':
			flush()
		case c > ' ':
			foreign++
		}
	}
	flush()
	if foreign*8 > len(body) {
		return body, "part is labelled base64 but is not"
	}
	if foreign > 0 {
		return out, "base64 is damaged"
	}
	return out, ""
}

// decodeQuoted reads quoted-printable and leaves alone what is not.
func decodeQuoted(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		line, after := body, []byte(nil)
		end := ""
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			line, after, end = body[:i], body[i+1:], "\n"
			if bytes.HasSuffix(line, []byte("\r")) {
				line, end = line[:len(line)-1], "\r\n"
			}
		}
		line = bytes.TrimRight(line, " \t")
		if bytes.HasSuffix(line, []byte("=")) {
			line, end = line[:len(line)-1], ""
		}
		out = append(appendQuoted(out, line), end...)
		body = after
	}
	return out
}

func appendQuoted(out, line []byte) []byte {
	for {
		i := bytes.IndexByte(line, '=')
		if i < 0 {
			return append(out, line...)
		}
		out = append(out, line[:i]...)
		if i+2 < len(line) && isHex(line[i+1]) && isHex(line[i+2]) {
			out = append(out, unhex(line[i+1])<<4|unhex(line[i+2]))
			line = line[i+3:]
		} else {
			out = append(out, '=')
			line = line[i+1:]
		}
	}
}
