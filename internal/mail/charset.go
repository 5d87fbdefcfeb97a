package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// detectSample bounds what the charset detector reads: it takes
// about 0.5 ms for this much.
const detectSample = 8 << 10

// decodeText returns b as UTF-8. The label is believed if b is valid in it; a
// missing, unknown or wrong one is replaced by a guess. Short tells the guess
// not to read statistics into a few words.
func decodeText(b []byte, label string, short bool) string {
	if isASCII(b) && !escapes(label) {
		return dropNUL(string(b))
	}
	label = strings.ToLower(strings.Trim(strings.TrimSpace(label), `"'`))
	switch label {
	case "", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown", "8bit", "binary":
		if utf8.Valid(b) {
			return dropNUL(string(b))
		}
	case "utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7":
		return dropNUL(decodeUTF7(b))
	case "iso-2022-kr":
		b, label = shiftedKorean(b), "euc-kr"
	}
	enc := charsetByName(label)
	if isWestern(enc) && utf8.Valid(b) && !isASCII(b) {
		return dropNUL(string(b)) // UTF-8 labelled as Latin-1: two wrongs that fit by chance are rare
	}
	if enc != nil && enc != unicode.UTF8 {
		s := convert(b, enc)
		if !strings.ContainsRune(s, utf8.RuneError) {
			return s
		}
		if guess := guessText(b, short); strings.Count(guess, "\uFFFD")*2 < strings.Count(s, "\uFFFD") {
			return guess
		}
		return s
	}
	if mostlyUTF8(b) {
		return dropNUL(strings.ToValidUTF8(string(b), "\uFFFD"))
	}
	return guessText(b, short)
}

// guessText decodes text of unknown charset: UTF-8 if valid, then what the
// detector is sure of, else windows-1252.
func guessText(b []byte, short bool) string {
	if utf8.Valid(b) {
		return dropNUL(string(b))
	}
	if enc := detect(b, short); enc != nil {
		if s := convert(b, enc); !strings.ContainsRune(s, utf8.RuneError) {
			return s
		}
	}
	return convert(b, charmap.Windows1252)
}

func detect(b []byte, short bool) encoding.Encoding {
	return charsetByName(detectName(b, short))
}

// detectName returns the name of the charset the detector is sure of, or "".
func detectName(b []byte, short bool) string {
	sample := highParts(b, detectSample)
	d := chardet.NewTextDetector()
	if bytes.Contains(b, []byte("</")) {
		d = chardet.NewHtmlDetector()
	}
	r, err := d.DetectBest(sample)
	least := 40
	if short {
		least = 60
	}
	if err != nil || r.Confidence < least {
		return ""
	}
	return strings.ToLower(r.Charset)
}

// highParts returns up to n bytes of b's lines that hold 8-bit characters.
func highParts(b []byte, n int) []byte {
	var out []byte
	for len(b) > 0 && len(out) < n {
		i := bytes.IndexByte(b, '\n') + 1
		if i == 0 {
			i = len(b)
		}
		line := b[:min(i, n-len(out))]
		if !isASCII(line) {
			out = append(out, line...)
		}
		b = b[i:]
	}
	return out
}

// charsetByName returns nil for a name nobody knows.
func charsetByName(name string) encoding.Encoding {
	name = strings.ReplaceAll(name, " ", "")
	if alias, ok := charsetAliases[name]; ok {
		name = alias
	}
	switch name {
	case "":
		return nil
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
	case "utf-32":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-16", "ucs-2", "iso-10646-ucs-2":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return e
	}
	for _, n := range []string{name, strings.ReplaceAll(name, "_", "-"), strings.Replace(name, "cp", "ibm", 1)} {
		if e, err := ianaindex.MIME.Encoding(n); err == nil && e != nil {
			return e
		}
	}
	if n, ok := strings.CutPrefix(name, "cp-"); ok {
		return charsetByName("cp" + n)
	}
	return nil
}

// charsetAliases are names mail uses and neither index knows.
var charsetAliases = map[string]string{
	"cp932": "shift_jis", "ms932": "shift_jis", "windows-932": "shift_jis", "sjis": "shift_jis",
	"cp936": "gb18030", "ms936": "gb18030", "windows-936": "gb18030", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
	"cp949": "euc-kr", "ms949": "euc-kr", "windows-949": "euc-kr", "ks_c_5601": "euc-kr", "ksc5601": "euc-kr",
	"cp950": "big5", "ms950": "big5", "windows-950": "big5", "big5-hkscs": "big5", "x-x-big5": "big5",
	"cp1252": "windows-1252", "windows1252": "windows-1252", "win-1252": "windows-1252", "ansi": "windows-1252",
	"latin-1": "windows-1252", "iso8859_1": "windows-1252", "iso-8859_1": "windows-1252", "iso_8859_1": "windows-1252",
	"cp1250": "windows-1250", "cp1251": "windows-1251", "win1251": "windows-1251", "win-1251": "windows-1251", "cp-1251": "windows-1251",
	"cp1253": "windows-1253", "cp1254": "windows-1254", "cp1255": "windows-1255", "cp1256": "windows-1256", "cp1257": "windows-1257",
	"iso-2022-jp-ms": "iso-2022-jp", "iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-3": "iso-2022-jp", "cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp",
	"iso-8859-8-e": "iso-8859-8", "visual": "iso-8859-8", "utf8mb4": "utf-8", "unicode": "utf-16", "koi8": "koi8-r", "x-mac-cyrillic": "x-mac-cyrillic", "x-mac-roman": "macintosh",
}

func convert(b []byte, enc encoding.Encoding) string {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		out = append(out, []byte(strings.ToValidUTF8(string(b[min(len(out), len(b)):]), "\uFFFD"))...)
	}
	return dropNUL(string(out))
}

func isWestern(enc encoding.Encoding) bool {
	return enc == charmap.Windows1252 || enc == charmap.ISO8859_1 || enc == charmap.ISO8859_15
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escapes tells whether a charset writes other scripts in 7 bits.
func escapes(label string) bool {
	label = strings.ToLower(label)
	return strings.Contains(label, "2022") || strings.Contains(label, "utf-7") || strings.Contains(label, "hz") ||
		strings.Contains(label, "utf-16") || strings.Contains(label, "utf-32") || strings.Contains(label, "ucs") || strings.Contains(label, "5022")
}

// mostlyUTF8 tells a UTF-8 text with a damaged byte or two from one in
// another charset.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n <= 1:
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return good > 4*bad
}

func dropNUL(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// shiftedKorean turns ISO-2022-KR (7 bits, shift out and in) into EUC-KR.
func shiftedKorean(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	out := make([]byte, 0, len(b))
	var high byte
	for _, c := range b {
		switch {
		case c == 0x0e:
			high = 0x80
		case c == 0x0f:
			high = 0
		case c > ' ':
			out = append(out, c|high)
		default:
			out = append(out, c)
		}
	}
	return out
}
