package mail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/deskbell/deskbell/internal/richtext"
)

func seeds(f *testing.F) [][]byte {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	var all [][]byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

func FuzzParse(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		for _, d := range m.Defects {
			if strings.HasPrefix(d, "could not be read") {
				t.Errorf("panic inside: %s", d)
			}
		}
		for _, s := range []string{m.Subject, m.From.Name, m.From.Address, m.Text, m.HTML, VisibleText(m)} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("not clean text: %q", s)
			}
		}
		for _, p := range m.Parts {
			if p.Name == "" || len(p.Name) > maxName+10 || strings.ContainsAny(p.Name, "/\\\x00\u202e\u200b") {
				t.Errorf("unsafe name %q", p.Name)
			}
		}
		if _, err := m.JSON(); err != nil {
			t.Error(err)
		}
		CanonicalHash(raw)
	})
}

// FuzzThread holds that what a mail refers to are bounded lists of ids that can
// be looked up, whatever stands in its fields.
func FuzzThread(f *testing.F) {
	for _, seed := range []string{
		"<a@b>", "<a@b> <c@d>\r\n\t<e@f>", "a@b", "<<a@b>>", "<a@b", "\"quoted <a@b>\" <c@d>", "<a b@c>", "Your mail of today <a@b>",
		strings.Repeat("<x@y> ", 300), "<>", "<@>", "(<a@b>) <c@d>", "=?utf-8?Q?=3Ca=40b=3E?=",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, refs, inReplyTo string) {
		raw := "From: a@b.test\r\nReferences: " + refs + "\r\nIn-Reply-To: " + inReplyTo + "\r\nMessage-ID: " + inReplyTo + "\r\n\r\nbody\r\n"
		m := Parse([]byte(raw))
		for _, id := range append(append([]string{m.MessageID}, m.References...), m.InReplyTo...) {
			if strings.ContainsAny(id, "<>\r\n\x00") || !utf8.ValidString(id) || len(id) > 2000 {
				t.Errorf("no id to look up: %q", id)
			}
		}
		if len(m.References) > 2000 {
			t.Errorf("%d references", len(m.References))
		}
	})
}

func FuzzSplitQuote(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(Parse(raw).HTML)
	}
	f.Add("<div>a<blockquote type=cite>b<div>c</blockquote>d</div><div id=appendonsend></div><hr>e")
	f.Fuzz(func(t *testing.T, html string) {
		visible, quoted := SplitQuote(html)
		if quoted == "" {
			if visible != html {
				t.Error("changed without a quote")
			}
			return
		}
		if got, want := countLetters(richtext.Text(visible))+countLetters(richtext.Text(quoted)), countLetters(richtext.Text(html)); got < want {
			t.Errorf("lost text: %q\n became %q\n and %q", html, visible, quoted)
		}
	})
}

func FuzzSplitText(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(Parse(raw).Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		visible, folded := SplitText(text)
		if strings.TrimSpace(text) != "" && strings.TrimSpace(visible) == "" {
			t.Errorf("nothing visible of %q", text)
		}
		if got, want := len(letters(visible))+len(letters(folded)), len(letters(text)); got != want {
			t.Errorf("%d characters of %d: %q became %q and %q", got, want, text, visible, folded)
		}
	})
}

// letters leaves out blanks, which splitting may change.
func letters(s string) string { return strings.Join(strings.Fields(s), "") }

func countLetters(s string) (n int) {
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}
