package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func TestCutHTMLIsSafeAndComplete(t *testing.T) {
	picture := `<img src="data:image/png;base64,` + strings.Repeat("A", 5000) + `">`
	for _, c := range []struct {
		name, in string
		limit    int
		want     string // "" = not compared
		keeps    string
	}{
		{"short stays", "<p>x</p>", 100, "<p>x</p>", "x"},
		{"inside a text", "<div><p>" + strings.Repeat("a", 100) + "</p></div>", 40, "<div><p>" + strings.Repeat("a", 22) + "</p></div>", ""},
		{"between elements", "<p>one</p><p>" + strings.Repeat("b", 60) + "</p>", 15, "<p>one</p>", ""},
		{"inside an entity", "<p>aaaaaa&amp;bbbbbb</p>", 17, "<p>aaaaaa</p>", ""},
		{"inside a character", "<p>" + strings.Repeat("é", 20) + "</p>", 14, "<p>ééé</p>", ""},
		{"a picture without room", "<p>before</p>" + picture + "<p>after</p>", 1000, "<p>before</p><p>after</p>", ""},
		{"deep", strings.Repeat("<div>", 500) + "x" + strings.Repeat("</div>", 500), 1000, "", ""},
	} {
		got, cut := cutHTML(c.in, c.limit)
		if cut != (len(c.in) > c.limit) {
			t.Errorf("%s: cut is %v", c.name, cut)
		}
		if c.want != "" && got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		if len(got) > max(c.limit, 0) || !utf8.ValidString(got) || !balanced(got) {
			t.Errorf("%s: %d bytes, not balanced or not valid: %q", c.name, len(got), got)
		}
	}
}

// balanced tells whether every element that begins also ends.
func balanced(markup string) bool {
	var open []string
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return len(open) == 0
		case html.StartTagToken:
			if name, _ := z.TagName(); !void[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return false
			}
			open = open[:len(open)-1]
		}
	}
}

func TestAMessageOfAnyLengthFitsItsRow(t *testing.T) {
	long := strings.Repeat("€", MaxText)
	m := Message{Text: long, VisibleText: "short", HTML: "<p>" + long + "</p>", HTMLQuoted: "<p>quoted</p>", Subject: long}
	m.bound()
	if !m.Shortened || len(m.Text) > MaxText || len(m.HTML)+len(m.HTMLQuoted) > MaxText || len([]rune(m.Subject)) > maxSubject+1 {
		t.Errorf("text %d, html %d + %d, subject %d, shortened %v", len(m.Text), len(m.HTML), len(m.HTMLQuoted), len(m.Subject), m.Shortened)
	}
	if !utf8.ValidString(m.Text) || !strings.HasSuffix(m.Text, cutMark) || m.VisibleText != "short" {
		t.Errorf("the text ends with %q", m.Text[len(m.Text)-20:])
	}
	m = Message{Text: "a", HTML: "<p>a</p>"}
	if m.bound(); m.Shortened {
		t.Error("a short message was shortened")
	}
}

func FuzzCutHTML(f *testing.F) {
	f.Add("<p>a<b>b</p></b>&amp;<img src=x>", 9)
	f.Fuzz(func(t *testing.T, markup string, limit int) {
		limit = max(0, limit%4096)
		if got, _ := cutHTML(markup, limit); len(got) > limit {
			t.Errorf("%d bytes of %d: %q", len(got), limit, got)
		}
	})
}
