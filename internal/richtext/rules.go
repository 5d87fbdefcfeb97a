package richtext

import "strings"

// mailRules are the allow-lists for mail.
var mailRules = &rules{
	elements: mailElements(),
	global: map[string]check{
		"style": cleanStyle, "title": plain, "dir": oneOf("ltr rtl auto"), "lang": matching(`^[A-Za-z0-9-]{1,20}$`),
		"align": oneOf("left right center justify middle top bottom char absmiddle baseline"), "valign": oneOf("top middle bottom baseline"),
		"bgcolor": color, "width": size, "height": size,
	},
	rename:   map[string]string{"body": "div", "image": "img", "listing": "pre", "xmp": "pre", "dir": "ul", "menu": "ul"},
	imageURL: mailImage,
}

func mailElements() map[string]map[string]check {
	m := map[string]map[string]check{}
	for name := range set("abbr acronym address article aside b bdi bdo big blockquote br caption center cite code dd del details dfn div dl dt em " +
		"figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark nav ol p pre q rp rt ruby s samp section small span strike " +
		"strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr a img col colgroup") {
		m[name] = nil
	}
	number := matching(`^-?[0-9]{1,4}$`)
	m["a"] = map[string]check{"href": linkURL}
	m["img"] = map[string]check{"alt": plain, "border": number, "hspace": number, "vspace": number}
	m["font"] = map[string]check{"color": color, "face": fontNames, "size": matching(`^[+-]?[0-9]$`)}
	m["table"] = map[string]check{"border": number, "cellpadding": number, "cellspacing": number, "rules": oneOf("none groups rows cols all"), "bordercolor": color}
	cell := map[string]check{"colspan": number, "rowspan": number, "nowrap": present, "scope": oneOf("row col rowgroup colgroup")}
	m["td"], m["th"] = cell, cell
	m["col"] = map[string]check{"span": number}
	m["colgroup"] = m["col"]
	m["ol"] = map[string]check{"start": number, "type": oneOf("1 a A i I")}
	m["ul"] = map[string]check{"type": oneOf("disc circle square")}
	m["li"] = map[string]check{"value": number, "type": oneOf("1 a A i I disc circle square")}
	m["hr"] = map[string]check{"size": number, "noshade": present, "color": color}
	m["br"] = map[string]check{"clear": oneOf("left right all both none")}
	m["blockquote"] = map[string]check{"type": oneOf("cite")}
	m["details"] = map[string]check{"open": present}
	return m
}

// composeRules are the allow-lists for the editor.
var composeRules = &rules{
	elements: map[string]map[string]check{
		"p": nil, "br": nil, "strong": nil, "em": nil, "u": nil, "s": nil, "ul": nil, "li": nil, "blockquote": nil, "pre": nil, "code": nil,
		"h1": nil, "h2": nil, "h3": nil, "hr": nil, "a": {"href": linkURL}, "ol": {"start": matching(`^[0-9]{1,4}$`)},
		"img": {"alt": plain, "width": size, "height": size},
	},
	rename:   map[string]string{"b": "strong", "i": "em", "div": "p", "strike": "s", "del": "s", "h4": "h3", "h5": "h3", "h6": "h3"},
	imageURL: ownImage,
}

// plain keeps any text; it ends up escaped in an attribute.
func plain(v string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' {
			return -1
		}
		return r
	}, v))
}

func present(string) string { return "1" }

func oneOf(words string) check {
	allowed := set(words)
	return func(v string) string {
		if v = strings.TrimSpace(v); allowed[v] {
			return v
		}
		if v = strings.ToLower(v); allowed[v] {
			return v
		}
		return ""
	}
}

// maxValue bounds the attribute values that are matched.
const maxValue = 200

func matching(pattern string) check {
	re := lazily(pattern)
	return func(v string) string {
		if v = strings.TrimSpace(v); len(v) <= maxValue && re().MatchString(v) {
			return v
		}
		return ""
	}
}

var (
	size      = matching(`^[0-9]{1,5}(\.[0-9]{1,3})?(px|%|\*|pt)?$`)
	color     = matching(`^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,25}|[0-9a-fA-F]{6}|rgba?\([0-9., %]{5,40}\))$`)
	fontNames = matching(`^[\pL\pN ,.'_-]+$`)
)
