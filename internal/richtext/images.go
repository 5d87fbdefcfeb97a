package richtext

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
)

// RewriteImages gives every picture of sanitised HTML a new source. f gets the
// source (cid:..., http..., data:...) and answers the new one; keep=false takes
// the source away, so that only the alternative text shows. A cid: source is
// percent-encoded where the id has special characters. The result is not
// sanitised again: f must answer URLs that are safe.
func RewriteImages(markup string, f func(src string) (newSrc string, keep bool)) string {
	if !strings.Contains(markup, "<img") {
		return markup
	}
	var out strings.Builder
	out.Grow(len(markup))
	eachImage(markup, func(before string, t *html.Token) bool {
		out.WriteString(before)
		if t == nil {
			return true
		}
		attrs := t.Attr[:0]
		for _, a := range t.Attr {
			if a.Key == "src" {
				src, keep := f(a.Val)
				if !keep {
					continue
				}
				a.Val = src
			}
			attrs = append(attrs, a)
		}
		t.Attr = attrs
		out.WriteString(t.String())
		return true
	})
	return out.String()
}

// HasRemoteImages tells whether showing sanitised HTML would load pictures
// from elsewhere.
func HasRemoteImages(markup string) bool {
	remote := false
	eachImage(markup, func(_ string, t *html.Token) bool {
		if t != nil {
			for _, a := range t.Attr {
				v := strings.ToLower(strings.TrimSpace(a.Val))
				remote = remote || a.Key == "src" && (strings.HasPrefix(v, "http:") || strings.HasPrefix(v, "https:") || strings.HasPrefix(v, "//"))
			}
		}
		return !remote
	})
	return remote
}

// eachImage calls f with all markup up to each img tag and the tag; last with
// the rest and nil. f answers false to stop.
func eachImage(markup string, f func(before string, t *html.Token) bool) {
	z := html.NewTokenizer(strings.NewReader(markup))
	at, done := 0, 0
	for {
		kind := z.Next()
		raw := len(z.Raw())
		if kind == html.ErrorToken {
			if errors.Is(z.Err(), io.EOF) {
				f(markup[done:], nil)
			}
			return
		}
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			if name, _ := z.TagName(); string(name) == "img" {
				t := html.Token{Type: html.StartTagToken, Data: "img"}
				for more := true; more; {
					var k, v []byte
					k, v, more = z.TagAttr()
					if len(k) > 0 {
						t.Attr = append(t.Attr, html.Attribute{Key: string(k), Val: string(v)})
					}
				}
				if !f(markup[done:at], &t) {
					return
				}
				done = at + raw
			}
		}
		at += raw
	}
}
