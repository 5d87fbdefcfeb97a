package richtext

import (
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// The gate is bluemonday with the lists of the rules: what the rebuilding pass
// let through by mistake ends here.

var (
	mailPolicy    = sync.OnceValue(func() *bluemonday.Policy { return policyOf(mailRules) })
	composePolicy = sync.OnceValue(func() *bluemonday.Policy { return policyOf(composeRules) })

	gateStyle = lazily(`^(?:[^()\\<>@"{}\x00-\x1f]|(?i:rgba?|hsla?)\([0-9., %/deg-]+\))+$`)
	gateImage = lazily(`^(?i:https?://|cid:|data:image/|/api/desk/files/)`)
	gateLink  = lazily(`^(?i:https?://|mailto:|tel:)`)
)

func gate(p *bluemonday.Policy, markup string) string { return p.Sanitize(markup) }

func policyOf(r *rules) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for name, own := range r.elements {
		p.AllowElements(name)
		p.AllowNoAttrs().OnElements(name)
		for key := range own {
			if key != "href" {
				p.AllowAttrs(key).OnElements(name)
			}
		}
	}
	for key := range r.global {
		if key != "style" {
			p.AllowAttrs(key).Globally()
		}
	}
	if _, ok := r.global["style"]; ok {
		p.AllowAttrs("style").Matching(gateStyle()).Globally()
	}
	p.AllowAttrs("href").Matching(gateLink()).OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile("^" + linkRel + "$")).OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile("^_blank$")).OnElements("a")
	p.AllowAttrs("src").Matching(gateImage()).OnElements("img")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.AllowURLSchemeWithCustomPolicy("data", func(u *url.URL) bool {
		return dataImage().MatchString("data:" + strings.TrimSpace(u.Opaque))
	})
	return p
}
