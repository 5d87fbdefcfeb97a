package mail

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeHeader(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?utf-8?q?caf=C3=A9?=", "café"},
		{"=?UTF-8?B?Y2Fmw6k=?= au lait", "café au lait"},
		{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
		{"=?utf-8?b?w?= =?utf-8?b?6k=?=", "é"},                // a character broken between words
		{"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"},              // the same, quoted
		{"=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "éé"},     // two charsets side by side
		{"=?utf-8*en?q?a_b?=", "a b"},                         // with a language
		{"=?utf-8?q?with space?=", "with space"},              // forbidden and common
		{"\"=?utf-8?q?a?=\"", "\"a\""},                        // inside quotes
		{"x=?utf-8?q?a?=y", "xay"},                            // glued
		{"=?utf-8?q?never closed", "=?utf-8?q?never closed"},  //
		{"=?utf-8?x?a?=", "=?utf-8?x?a?="},                    // unknown encoding
		{"=?nonsense?q?=E9?=", "é"},                           // unknown charset
		{"=?utf-8?b?!!!?=", ""},                               //
		{"=?gb2312?B?t6LGsQ==?=", "发票"},                       //
		{"=?koi8-r?Q?=F0=F2=E9=F7=E5=F4?=", "ПРИВЕТ"},         //
		{"=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=", "Привет"},   //
		{"=?big5?B?pKSk5Q==?=", "中文"},                         //
		{"=?euc-kr?B?x9GxuQ==?=", "한국"},                       //
		{"=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"},               //
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},          //
		{"=?cp932?B?k/qWew==?=", "日本"},                        //
		{"=?macintosh?Q?=8E?=", "é"},                          //
		{"=?utf-16?B?/v8A6Q==?=", "é"},                        //
		{"a\x00b\x07c", "ab c"},                               // control characters
		{"raw Gr\xfc\xdfe aus K\xf6ln", "raw Grüße aus Köln"}, // raw 8-bit
		{"raw Gr\xc3\xbc\xc3\x9fe", "raw Grüße"},              // raw UTF-8
	} {
		if got := decodeHeader(c.in, ""); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParseParams(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`text/plain; charset=utf-8`, "text/plain map[charset:utf-8]"},
		{`TEXT/HTML ;Charset="UTF-8" ; x=y`, "text/html map[charset:UTF-8 x:y]"},
		{`text/plain charset=utf-8`, "text/plain map[charset:utf-8]"},
		{`text/plain; charset=us-ascii (plain text); a=b`, "text/plain map[a:b charset:us-ascii]"},
		{`multipart/mixed; boundary="a;b\"c"`, `multipart/mixed map[boundary:a;b"c]`},
		{`multipart/mixed; boundary=a=b; boundary=second`, "multipart/mixed map[boundary:a=b]"},
		{`attachment; filename=my file.pdf`, "attachment map[filename:my file.pdf]"},
		{`attachment; filename="C:\temp\a.txt"`, `attachment map[filename:C:\temp\a.txt]`},
		{`attachment; filename="a "quoted" b.txt"; size=1`, `attachment map[filename:a "quoted" b.txt size:1]`},
		{`attachment; filename="never closed; size=1`, "attachment map[filename:never closed size:1]"},
		{`attachment; filename*=UTF-8'en'na%C3%AFve.txt`, "attachment map[filename:naïve.txt]"},
		{`attachment; filename*0="a"; filename*1="b"; filename*2*=%20c`, "attachment map[filename:ab c]"},
		{`attachment; filename*1*=%E9.txt; filename*0*=iso-8859-1''%E9t`, "attachment map[filename:été.txt]"},
		{`attachment; filename=plain; filename*=utf-8''%C3%A9`, "attachment map[filename:é]"},
		{`charset=utf-8`, " map[charset:utf-8]"},
		{`"text/plain"; a`, "text/plain map[]"},
		{`; ; ;`, " map[]"},
	} {
		value, params := parseParams(c.in)
		if got := value + " " + fmt.Sprint(params); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSplitHeader(t *testing.T) {
	for _, c := range []struct{ name, in, want, body string }{
		{"simple", "A: 1\r\nB: 2\r\n\r\nbody", "A=1 B=2", "body"},
		{"folded", "A: 1\r\n 2\r\n\t3\r\nB: 4\r\n\r\n", "A=1 2 3 B=4", ""},
		{"blank first", "\r\n\r\nA: 1\r\n\r\nbody", "A=1", "body"},
		{"mbox", "From x@y Mon Jan  1 00:00:00 2026\nA: 1\n\nbody", "A=1", "body"},
		{"garbage first", "garbage\nA: 1\n\nbody", "A=1", "body"},
		{"space before colon", "A : 1\n\n", "A=1", ""},
		{"no blank line", "A: 1\nbody starts\nmore", "A=1", "body starts\nmore"},
		{"boundary ends it", "A: 1\n--b\nB: 2\n\n", "A=1", "--b\nB: 2\n\n"},
		{"blanks inside", "A: 1\n \nB: 2\n\nbody", "A=1 B=2", "body"},
		{"line of blanks ends it", "A: 1\n \nbody without colon\n", "A=1", "body without colon\n"},
		{"mixed breaks", "A: 1\r\nB: 2\n\nbody", "A=1 B=2", "body"},
		{"byte order mark", "\xef\xbb\xbfA: 1\n\n", "A=1", ""},
		{"nothing", "", "", ""},
	} {
		h, body, _ := splitHeader([]byte(c.in))
		var got []string
		for _, name := range h.Names() {
			got = append(got, name+"="+h.Get(name))
		}
		if s := strings.Join(got, " "); s != c.want || string(body) != c.body {
			t.Errorf("%s: %q and %q", c.name, s, body)
		}
	}
}

func TestHeaderAccess(t *testing.T) {
	h := Parse([]byte("X-A: one\r\nx-a: =?utf-8?q?tw=C3=B6?=\r\nEmpty:\r\n\r\n")).Header
	if h.Get("X-a") != "one" || fmt.Sprint(h.Values("x-A")) != "[one twö]" || !h.Has("empty") || h.Has("none") || h.Get("none") != "" {
		t.Errorf("%q %q", h.Get("X-a"), h.Values("x-A"))
	}
}

func TestUnreadableMailKeepsItsText(t *testing.T) {
	for _, in := range []string{"no header at all, just words", "\xff\xfe\x00\x01", ""} {
		m := Parse([]byte(in))
		if !m.Unreadable || len(m.Defects) == 0 || in != "" && in[0] == 'n' && m.Text != in {
			t.Errorf("%q: %+v", in, m)
		}
	}
}

func TestUTF7WithRawBytesIsValidText(t *testing.T) {
	if s := Parse([]byte("Subject: x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nGr+APw-\xff")).Text; !utf8.ValidString(s) {
		t.Errorf("%q", s)
	}
}

// A header whose 8-bit characters grow when lowered made the charset look-up
// run past the end.
func TestHeaderThatGrowsInLowerCase(t *testing.T) {
	m := Parse([]byte("Subject: \xff" + strings.Repeat("\u0130", 50) + "\r\nX: charset=utf-9\r\n\r\n"))
	if m.Unreadable || m.Subject == "" {
		t.Errorf("%+v", m.Defects)
	}
}

func TestCanonicalHash(t *testing.T) {
	mail := "From: a@b.example\r\nSubject: Hello\r\n there\r\nMessage-ID: <1@b>\r\n\r\nText\r\n"
	same := []string{
		"Received: from x by y\r\nDelivered-To: other@desk.example\r\nReturn-Path: <a@b.example>\r\nDKIM-Signature: v=1;\r\n b=x\r\nX-Spam-Status: No\r\n" + mail,
		strings.ReplaceAll(mail, "\r\n", "\n"), mail + "\r\n\r\n", strings.Replace(mail, "Hello\r\n there", "Hello there", 1),
		"From a@b.example Mon Mar  2 09:10:11 2026\n" + mail,
	}
	for _, s := range same {
		if CanonicalHash([]byte(s)) != CanonicalHash([]byte(mail)) {
			t.Errorf("hash differs: %q", s)
		}
	}
	for _, s := range []string{strings.Replace(mail, "Text", "text", 1), strings.Replace(mail, "Hello", "Hullo", 1), strings.Replace(mail, "<1@b>", "<2@b>", 1), "To: x@y.example\r\n" + mail} {
		if CanonicalHash([]byte(s)) == CanonicalHash([]byte(mail)) {
			t.Errorf("hash is equal: %q", s)
		}
	}
}
