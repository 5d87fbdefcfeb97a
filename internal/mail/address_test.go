package mail

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseAddresses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a@b.example", "|a@b.example"},
		{"Ana <a@b.example>", "Ana|a@b.example"},
		{`"Lopez, Ana" <a@b.example>, c@d.example`, "Lopez, Ana|a@b.example ; |c@d.example"},
		{"Lopez, Ana <a@b.example>", "Lopez, Ana|a@b.example"},
		{"=?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <j@b.example>", "Jörg Müller|j@b.example"},
		{`"=?utf-8?B?SsO2cmc=?=" <j@b.example>`, "Jörg|j@b.example"},
		{"a@b.example (Ana Lopez)", "Ana Lopez|a@b.example"},
		{"Ana <mailto:a@b.example>", "Ana|a@b.example"},
		{"<<a@b.example>>", "|a@b.example"},
		{"Ana <a@b.example", "Ana|a@b.example"},
		{"Ana a@b.example", "Ana|a@b.example"},
		{"Ana <@route.example:a@b.example>", "Ana|a@b.example"},
		{"Team: a@b.example, c@d.example;, e@f.example", "|a@b.example ; |c@d.example ; |e@f.example"},
		{"undisclosed-recipients:;", ""},
		{"a@b.example; c@d.example", "|a@b.example ; |c@d.example"},
		{"Bad <no at sign>, a@b.example", "|a@b.example"},
		{",,, a@b.example,", "|a@b.example"},
		{`"a,b"@c.example`, `|"a,b"@c.example`},
		{`"Ana" "Lopez" <a@b.example>`, "Ana Lopez|a@b.example"},
		{"Ana\u202e\u200b <a@b.example>", "Ana|a@b.example"},
		{"'Ana' <a@b.example>", "Ana|a@b.example"},
		{"root, Ana <a@b.example>, daemon", "root, Ana|a@b.example ; |daemon"},
		{"user @ host.example", "|user@host.example"},
		{"a@b.example <c@d.example>", "a@b.example|c@d.example"},
		{"", ""},
		{"\"never closed <a@b.example>", "never closed|a@b.example"},
	} {
		var got []string
		for _, a := range parseAddresses(c.in, "") {
			got = append(got, a.Name+"|"+a.Address)
		}
		if s := strings.Join(got, " ; "); s != c.want {
			t.Errorf("%q: got %q, want %q", c.in, s, c.want)
		}
	}
}

func TestIdentityIsTheFromAddrSpec(t *testing.T) {
	m := Parse([]byte("From: \"victim@desk.example\" <eve@evil.example>\r\nReply-To: victim@desk.example\r\nSender: other@desk.example\r\n\r\nx"))
	if m.From.Address != "eve@evil.example" || m.FromCount != 1 {
		t.Errorf("from %+v, %d", m.From, m.FromCount)
	}
	m = Parse([]byte("From: a@b.example\r\nFrom: c@d.example\r\n\r\nx"))
	if m.FromCount != 2 || m.MayAutoRespond {
		t.Errorf("two authors count as %d", m.FromCount)
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want string
	}{
		{[]string{"<a@b>"}, "[a@b]"},
		{[]string{"<a@b> <c@d>\r\n <e@f>"}, "[a@b c@d e@f]"},
		{[]string{"<a@b><c@d>", "<a@b>"}, "[a@b c@d]"},
		{[]string{"a@b"}, "[a@b]"},
		{[]string{"a@b, c@d"}, "[a@b c@d]"},
		{[]string{"Your message of Monday <a@b>"}, "[a@b]"},
		{[]string{"<a@\r\n b>"}, "[a@b]"},
		{[]string{"<never closed@x more"}, "[never]"},
		{[]string{"<" + strings.Repeat("x", 2000) + "@y>"}, "[]"},
		{[]string{""}, "[]"},
	} {
		if got := fmt.Sprint(messageIDs(c.in)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.in, got, c.want)
		}
	}
	many := make([]string, 900)
	for i := range many {
		many[i] = fmt.Sprintf("<%d@x>", i)
	}
	refs := Parse([]byte("References: " + strings.Join(many, "\r\n ") + "\r\n\r\n")).References
	if len(refs) != maxReferences || refs[0] != "0@x" || refs[len(refs)-1] != "899@x" {
		t.Errorf("%d references, %s to %s", len(refs), refs[0], refs[len(refs)-1])
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"Mon, 2 Mar 2026 09:10:11 +0100":       "2026-03-02T08:10:11Z",
		"2 Mar 2026 09:10:11 GMT":              "2026-03-02T09:10:11Z",
		"Mon, 2 Mar 2026 09:10:11 +0100 (CET)": "2026-03-02T08:10:11Z",
		"Mon Mar  2 09:10:11 2026":             "2026-03-02T09:10:11Z",
		"Mon, 2 Mar 2026 09.10.11 +0100":       "2026-03-02T08:10:11Z",
		"2026-03-02 09:10:11":                  "2026-03-02T09:10:11Z",
		"Mon, 2 Mar 2026 09:10:11 XYZT":        "2026-03-02T09:10:11Z",
	} {
		if got := parseDate(in).Format("2006-01-02T15:04:05Z"); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	for _, in := range []string{"", "yesterday", strings.Repeat("9", 500)} {
		if !parseDate(in).IsZero() {
			t.Errorf("%q is no date", in)
		}
	}
}
