package richtext

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"paragraphs", "<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree\n"},
		{"blanks", "<div>  a \n b&nbsp;c </div>", "a b c\n"},
		{"links", `<a href="https://x.example/a">here</a>, <a href="https://x.example/">x.example</a>, <a href="mailto:a@b.example">write</a>`, "here (https://x.example/a), x.example, write (a@b.example)\n"},
		{"lists", "<ul><li>a<li>b<ol start=3><li>c</ol></ul>", "- a\n- b\n  3. c\n"},
		{"table", "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Pen</td><td>2</td></tr></table>", "Item\tPrice\nPen\t2\n"},
		{"quote", "me<blockquote>you<blockquote>they</blockquote></blockquote>me again", "me\n\n> you\n>\n> > they\n\nme again\n"},
		{"hidden", `<div style="display:none">preview</div><p style="font-size:0px">x</p><span style="font-size:0.9em">shown</span><b hidden>y</b>`, "shown\n"},
		{"scripts", "<style>p{}</style><script>x()</script><title>t</title>text", "text\n"},
		{"preformatted", "<pre>a\n  b\n</pre>c", "a\n  b\nc\n"},
		{"pictures", `<img src="cid:x" alt="Our logo"><img src="cid:y">`, "[Our logo]\n"},
		{"words around an inline element", "<p>a spare <b>pole</b> for <i>you</i>, <u>now</u> or<span> then</span></p>", "a spare pole for you, now or then\n"},
		{"nothing", "<p> </p>", ""},
	} {
		if got := Text(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFromText(t *testing.T) {
	got := FromText("Hello <you>,\nsee https://x.example/a_(b)?c=1&d=2. Or (www.y.example).\n\n  indented, mail a.b@c.example!")
	want := "<p>Hello &lt;you&gt;,<br>\nsee <a href=\"https://x.example/a_(b)?c=1&amp;d=2\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">https://x.example/a_(b)?c=1&amp;d=2</a>. " +
		"Or (<a href=\"http://www.y.example\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">www.y.example</a>).</p>\n" +
		"<p>\u00a0\u00a0indented, mail <a href=\"mailto:a.b@c.example\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">a.b@c.example</a>!</p>\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s := Sanitize(got); s != got {
		t.Errorf("sanitising changed it: %s", s)
	}
}

func TestFromTextIsSafe(t *testing.T) {
	for _, in := range append(attacks, "javascript:alert(1)", "http://x\"onmouseover=1", "www.a.example<script>", strings.Repeat("http://", 1000)) {
		checkSafe(t, in, FromText(in))
	}
}

func TestRewriteImages(t *testing.T) {
	in := Sanitize(`<p>a<img src="cid:1@x" alt="one"><img src="https://t.example/p.gif?a=1&b=2" width="1">b<img src="cid:3" alt="three"></p>`)
	got := RewriteImages(in, func(src string) (string, bool) {
		switch src {
		case "cid:1@x":
			return "/api/desk/files/f1?x=1&y=2", true
		case "https://t.example/p.gif?a=1&b=2":
			return "", false
		}
		return src, true
	})
	want := `<p>a<img src="/api/desk/files/f1?x=1&amp;y=2" alt="one"><img width="1">b<img src="cid:3" alt="three"></p>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !HasRemoteImages(in) || HasRemoteImages(got) {
		t.Error("remote pictures misjudged")
	}
}
