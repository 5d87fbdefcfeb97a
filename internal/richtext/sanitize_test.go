package richtext

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func TestSanitizeKeepsMail(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"paragraphs", "<p>One<p>Two", "<p>One</p><p>Two</p>"},
		{"style", `<p style="COLOR: red; position:fixed; margin:0 !important">x</p>`, `<p style="color: red; margin: 0 !important">x</p>`},
		{"background picture", `<td style="background:#fff url(http://t.example/p.gif) no-repeat">x</td>`, `<td style="background-color: #fff">x</td>`},
		{"font", `<font color="#ff0000" face="Arial, sans-serif" size="+1">x</font>`, `<font color="#ff0000" face="Arial, sans-serif" size="+1">x</font>`},
		{"body colours", `<html><body bgcolor="#000000" style="color:#fff">x</body></html>`, `<div bgcolor="#000000" style="color: #fff">x</div>`},
		{"link", `<a href="HTTPS://Example.org/a?b=1&c=2" class="x" name=y>x</a>`, `<a href="https://Example.org/a?b=1&amp;c=2" rel="nofollow noopener noreferrer" target="_blank">x</a>`},
		{"mail link", `<a href="mailto:a@b.example?subject=Hi%20there">x</a>`, `<a href="mailto:a@b.example?subject=Hi%20there" rel="nofollow noopener noreferrer" target="_blank">x</a>`},
		{"no link", `<a name="top">x</a> and <a href="/relative">y</a>`, `x and y`},
		{"cid", `<img src="cid:part1@example.org" width=10 alt="logo">`, `<img src="cid:part1@example.org" width="10" alt="logo">`},
		{"data picture", `<img src="data:image/png;base64,iVBORw0KGgo=">`, `<img src="data:image/png;base64,iVBORw0KGgo=">`},
		{"Word", `<p class=MsoNormal><o:p>&nbsp;</o:p><![if !supportLists]>1.<![endif]></p><!--[if mso]><b>x</b><![endif]-->`, "<p style=\"margin: 0\">\u00a01.</p>"},
		{"Outlook paragraph", `<p class="x_MsoNormal" style="color:red">x</p>`, `<p style="margin: 0; color: red">x</p>`},
		{"table", `<table border=1 cellpadding=3><tr><td colspan=2 nowrap>a<td>b</table>`, `<table border="1" cellpadding="3"><tr><td colspan="2" nowrap="1">a</td><td>b</td></tr></table>`},
		{"unclosed", `<div><b>x<div>y`, `<div><b>x<div>y</div></b></div>`},
		{"stray end tags", `x</div></td></table>y`, `xy`},
		{"closed across a cell", `<table><tr><td>x</div></span>y</td></tr></table>`, `<table><tr><td>xy</td></tr></table>`},
		{"text", `1 < 2 & 3 > 2`, `1 &lt; 2 &amp; 3 &gt; 2`},
		{"swallowed by a title", `<title>never closed <p>but readable`, `never closed <p>but readable</p>`},
		{"quote", `<blockquote type="cite" cite="mid:1@2">x</blockquote>`, `<blockquote type="cite">x</blockquote>`},
	} {
		if got := Sanitize(c.in); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// attacks must leave nothing that acts; what they show may stay.
var attacks = []string{
	`<script>alert(1)</script>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<svg/onload=alert(1)>`, `<img src=x onerror=alert(1)>`,
	`<a href="java&#9;script:alert(1)">x</a>`, `<a href=" javascript:alert(1)">x</a>`, "<a href=\"\x01javascript:alert(1)\">x</a>", `<a href="data:text/html,<script>1</script>">x</a>`,
	`<img src="data:image/svg+xml;base64,PHN2Zz4=">`, `<img src="data:image/png,<svg onload=1>">`, `<img src="javascript:1">`, `<img src=x srcset="http://x 2x">`,
	`<div style="position:fixed;inset:0">x</div>`, `<div style="pos/**/ition:fixed">x</div>`, `<div style="po\73ition:fixed">x</div>`, `<div style="width:expression(alert(1))">x</div>`,
	`<div style="background:url('javascript:1')">x</div>`, `<div style="background-image:\75rl(http://x)">x</div>`, `<div style="color:red;behavior:url(x)">x</div>`, `<div style="font-family:'x';@import 'y'">x</div>`,
	`<div style='color:red" onclick="1'>x</div>`, `<style>@import url(http://x);</style><p>x`, `<link rel=stylesheet href=http://x>`, `<meta http-equiv=refresh content="0;url=http://x">`, `<base href="http://x/">`,
	`<form action=http://x><input name=p><button formaction=http://x>x</button></form>`, `<iframe srcdoc="<script>1</script>"></iframe>`, `<object data=x></object><embed src=x>`, `<math><mtext><table><mglyph><style><img src=x onerror=1>`,
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`, `<noscript><p title="</noscript><img src=x onerror=1>">`, `<textarea><img src=x onerror=1></textarea>`, `<xmp><img src=x onerror=1></xmp>`, `<plaintext><img src=x onerror=1>`,
	`<title><img src=x onerror=1>`, `<!--><img src=x onerror=1>-->`, `<!--[if gte IE 4]><script>1</script><![endif]-->`, `<?xml version="1.0"?><script>1</script>`, `<table background="javascript:1"><td background="http://x">x</table>`,
	`<a href="//evil.example" onclick=1 target=_self>x</a>`, `<a href="vbscript:1" href="http://ok.example">x</a>`, `<body onload=1 background=http://x>x`, `<template><script>1</script></template>`, `<video src=http://x poster=http://x></video>`,
	"<img src=\"jav\nascript:1\">", `<p id=x class=y name=z contenteditable>x</p>`, `<a href="http://x/&quot; onmouseover=&quot;1">x</a>`, `<img alt="&quot;><script>1</script>" src=cid:a>`, `<p title="</p><script>1</script>">x`,
}

func TestSanitizeStopsAttacks(t *testing.T) {
	for _, in := range attacks {
		checkSafe(t, in, Sanitize(in))
		checkSafe(t, in, SanitizeCompose(in))
	}
}

// checkSafe reads the result as a browser would and looks at every node.
func checkSafe(t *testing.T, in, out string) {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(out), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		t.Errorf("%q: %v", in, err)
	}
	for _, n := range nodes {
		checkNode(t, in, out, n)
	}
}

func checkNode(t *testing.T, in, out string, n *html.Node) {
	t.Helper()
	if n.Type == html.CommentNode || n.Namespace != "" {
		t.Errorf("%q became %q: comment or foreign markup", in, out)
	}
	if n.Type == html.ElementNode {
		if _, ok := mailRules.elements[n.Data]; !ok {
			t.Errorf("%q became %q: <%s>", in, out, n.Data)
		}
		for _, a := range n.Attr {
			checkAttribute(t, in, n, a)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		checkNode(t, in, out, c)
	}
}

func checkAttribute(t *testing.T, in string, n *html.Node, a html.Attribute) {
	t.Helper()
	v := strings.ToLower(squeeze(a.Val))
	_, own := mailRules.elements[n.Data][a.Key]
	_, global := mailRules.global[a.Key]
	switch {
	case a.Key == "href" && linkURL(a.Val) != a.Val, a.Key == "src" && mailImage(a.Val) != a.Val && ownImage(a.Val) != a.Val:
		t.Errorf("%q kept %s=%q", in, a.Key, a.Val)
	case a.Key == "style" && (strings.Contains(v, "url(") || strings.Contains(v, "position") || strings.Contains(v, "expression") || strings.Contains(v, `\`)):
		t.Errorf("%q kept style %q", in, a.Val)
	case a.Key == "href", a.Key == "src", a.Key == "rel", a.Key == "target":
	case !own && !global:
		t.Errorf("%q kept %s=%q", in, a.Key, a.Val)
	}
}

func TestSanitizeTwiceChangesNothing(t *testing.T) {
	inputs := append([]string{newsletter(), strings.Repeat("<div>", 400) + "deep" + strings.Repeat("</div>", 400)}, attacks...)
	for _, in := range inputs {
		if once := Sanitize(in); Sanitize(once) != once {
			t.Errorf("%.80q:\n once %.300s\ntwice %.300s", in, once, Sanitize(once))
		}
		if once := SanitizeCompose(in); SanitizeCompose(once) != once {
			t.Errorf("compose %.80q:\n once %.300s\ntwice %.300s", in, once, SanitizeCompose(once))
		}
	}
}

func TestSanitizeComposeKeepsTheEditorsMarkup(t *testing.T) {
	in := `<h2>Hi</h2><p>a <strong>b</strong> <em>c</em> <u>d</u> <s>e</s> <a href="https://x.example/">f</a></p><ol start="3"><li><p>g</p></li></ol>` +
		`<blockquote><p>h</p></blockquote><pre><code>i</code></pre><hr><p><img src="/api/desk/files/abc123" alt="j"><img src="cid:x@y"><br></p>`
	want := strings.Replace(in, `<a href="https://x.example/">`, `<a href="https://x.example/" rel="nofollow noopener noreferrer" target="_blank">`, 1)
	if got := SanitizeCompose(in); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, bad := range []string{`<img src="https://t.example/p.gif">`, `<img src="/api/desk/files/../../x">`, `<img src="/api/other">`} {
		if got := SanitizeCompose(bad); strings.Contains(got, "src") {
			t.Errorf("%s became %s", bad, got)
		}
	}
	if got := SanitizeCompose(`<p style="color:red" class="x">y</p>`); got != "<p>y</p>" {
		t.Errorf("style kept: %s", got)
	}
}

func FuzzSanitize(f *testing.F) {
	for _, in := range attacks {
		f.Add(in)
	}
	f.Add(newsletter())
	f.Fuzz(func(t *testing.T, in string) {
		once := Sanitize(in)
		checkSafe(t, in, once)
		if twice := Sanitize(once); twice != once {
			t.Errorf("not idempotent: %q\n once %q\ntwice %q", in, once, twice)
		}
		if c := SanitizeCompose(in); SanitizeCompose(c) != c {
			t.Errorf("compose not idempotent: %q\n once %q\ntwice %q", in, c, SanitizeCompose(c))
		}
		Text(in)
	})
}
