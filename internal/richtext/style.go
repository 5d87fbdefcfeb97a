package richtext

import "strings"

const (
	maxStyle       = 8 << 10 // bytes of one style attribute looked at
	maxDeclaration = 400
)

// cleanStyle keeps the declarations of a style attribute that are on the
// list, with plain values: no url(), no escapes, no positioning. It answers in
// a canonical form.
func cleanStyle(v string) string {
	if len(v) > maxStyle {
		v = v[:maxStyle]
	}
	var kept []string
	for _, d := range declarations(strings.ToValidUTF8(v, "")) {
		prop, value, ok := strings.Cut(d, ":")
		if !ok || len(d) > maxDeclaration {
			continue
		}
		prop = strings.ToLower(strings.TrimSpace(prop))
		value = strings.ReplaceAll(strings.Join(strings.Fields(value), " "), `"`, "'")
		if prop == "background" {
			prop, value = "background-color", backgroundColor(value)
		}
		if allowedStyle(prop, value) {
			kept = append(kept, prop+": "+value)
		}
	}
	return strings.Join(kept, "; ")
}

// declarations splits at semicolons outside quotes and parentheses, comments
// removed.
func declarations(v string) []string {
	var all []string
	var b strings.Builder
	var quote byte
	depth := 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '/' && i+1 < len(v) && v[i+1] == '*':
			end := strings.Index(v[i+2:], "*/")
			if end < 0 {
				return append(all, b.String())
			}
			i += end + 3
			continue
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ';' && depth == 0:
			all = append(all, b.String())
			b.Reset()
			continue
		}
		b.WriteByte(c)
	}
	return append(all, b.String())
}

var (
	colorWord  = lazily(`(?i)^(?:#[0-9a-f]{3,8}|[a-z]{3,25}|(?:rgb|hsl)a?\([0-9., %/deg-]+\))$`)
	backWords  = set("none repeat no-repeat repeat-x repeat-y scroll fixed local center top bottom left right initial inherit cover contain auto border-box padding-box content-box important url")
	colorSpace = lazily(`\s*([,(])\s*`)
)

func allowedStyle(prop, value string) bool {
	if !plainValue(value) || strings.Count(value, "'")%2 != 0 {
		return false
	}
	if words, ok := enumStyles[prop]; ok {
		v, _, _ := strings.Cut(strings.ToLower(value), "!")
		return words[strings.TrimSpace(v)]
	}
	return freeStyles[prop]
}

// plainValue tells whether a value has only plain words, numbers, quotes and
// colour functions. The gate checks whole attributes for the same.
func plainValue(v string) bool {
	inside := false
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c < ' ' || strings.IndexByte("\\<>@\"{};:&", c) >= 0:
			return false
		case inside:
			if c == ')' {
				inside = false
			} else if strings.IndexByte("0123456789., %/deg-", c) < 0 {
				return false
			}
		case c == '(':
			start := i
			for start > 0 && (v[start-1]|0x20 >= 'a' && v[start-1]|0x20 <= 'z' || v[start-1] == '-') {
				start--
			}
			if !colorFunctions[strings.ToLower(v[start:i])] || i+1 == len(v) || v[i+1] == ')' {
				return false
			}
			inside = true
		case c == ')':
			return false
		}
	}
	return v != "" && !inside
}

var colorFunctions = set("rgb rgba hsl hsla")

// backgroundColor finds the colour in a background shorthand.
func backgroundColor(v string) string {
	v = colorSpace().ReplaceAllString(strings.TrimSuffix(v, "!important"), "$1")
	for _, word := range strings.Fields(v) {
		if colorWord().MatchString(word) && !backWords[strings.ToLower(word)] {
			return word
		}
	}
	return ""
}

var freeStyles = set("color background-color font font-family font-size font-style font-weight font-variant font-stretch line-height letter-spacing word-spacing " +
	"text-align text-decoration text-decoration-line text-decoration-color text-decoration-style text-indent text-transform vertical-align direction " +
	"margin margin-top margin-right margin-bottom margin-left padding padding-top padding-right padding-bottom padding-left " +
	"border border-top border-right border-bottom border-left border-width border-style border-color border-collapse border-spacing border-radius " +
	"border-top-width border-right-width border-bottom-width border-left-width border-top-style border-right-style border-bottom-style border-left-style " +
	"border-top-color border-right-color border-bottom-color border-left-color " +
	"border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius " +
	"width height min-width min-height max-width max-height list-style list-style-type list-style-position table-layout caption-side empty-cells opacity " +
	"outline box-sizing tab-size quotes hyphens orphans widows")

var enumStyles = map[string]map[string]bool{
	"display":       set("none block inline inline-block inline-table list-item table table-row table-cell table-row-group table-header-group table-footer-group table-column table-caption flex inline-flex"),
	"float":         set("left right none"),
	"clear":         set("left right both none"),
	"visibility":    set("visible hidden collapse"),
	"overflow":      set("visible hidden auto scroll"),
	"overflow-x":    set("visible hidden auto scroll"),
	"overflow-y":    set("visible hidden auto scroll"),
	"white-space":   set("normal nowrap pre pre-wrap pre-line break-spaces"),
	"word-break":    set("normal break-all keep-all break-word"),
	"word-wrap":     set("normal break-word"),
	"overflow-wrap": set("normal break-word anywhere"),
	"unicode-bidi":  set("normal embed bidi-override isolate"),
}
