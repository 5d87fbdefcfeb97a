package richtext

import (
	"net/url"
	"strings"
	"unicode"
)

const filesPath = "/api/desk/files/"

var dataImage = lazily(`^data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/]+={0,2}$`)

// squeeze removes blanks and control characters, which browsers ignore inside
// a scheme.
func squeeze(v string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f && r <= 0xa0 || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, v)
}

// linkURL allows absolute http, https, mailto and tel.
func linkURL(v string) string {
	v = squeeze(v)
	switch {
	case strings.HasPrefix(v, "//"):
		v = "https:" + v
	case len(v) > 4 && strings.EqualFold(v[:4], "www."):
		v = "http://" + v
	}
	return absolute(v, "http", "https", "mailto", "tel")
}

// mailImage allows pictures of the mail (cid:), of the web and inline ones.
func mailImage(v string) string {
	if len(v) > 5 && strings.EqualFold(v[:5], "data:") {
		v = squeeze(v)
		if i := strings.IndexByte(v, ','); i > 0 {
			v = strings.ToLower(v[:i]) + v[i:]
		}
		if dataImage().MatchString(v) {
			return v
		}
		return ""
	}
	v = squeeze(v)
	if strings.HasPrefix(v, "//") {
		v = "https:" + v
	}
	return absolute(v, "http", "https", "cid")
}

// ownImage allows pictures of the mail being written.
func ownImage(v string) string {
	v = squeeze(v)
	if strings.HasPrefix(v, filesPath) && !strings.Contains(v, "..") && !strings.ContainsAny(v, `\%`) {
		if u, err := url.Parse(v); err == nil && u.String() == v {
			return v
		}
		return ""
	}
	return absolute(v, "cid")
}

// absolute returns v in the form url.URL writes it, which reading again does
// not change; "" for another scheme or no host.
func absolute(v string, schemes ...string) string {
	if len(v) > 16<<10 {
		return ""
	}
	u, err := url.Parse(v)
	if err != nil {
		return ""
	}
	allowed := false
	for _, s := range schemes {
		allowed = allowed || u.Scheme == s
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	if !allowed || web && u.Host == "" || !web && (u.Host != "" || u.Opaque == "") {
		return ""
	}
	s := u.String()
	if again, err := url.Parse(s); err != nil || again.String() != s {
		return ""
	}
	return s
}
