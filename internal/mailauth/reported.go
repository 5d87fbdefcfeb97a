package mailauth

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

// Microsoft stands in Mail.Trusted for Exchange Online, which leaves its name out
// of its Authentication-Results.
const Microsoft = "protection.outlook.com"

// reported is the verdict that a trusted server wrote into the mail; ok is
// false when there is none.
func reported(m Mail) (Verdict, bool) {
	results, ok := topmost(m)
	if !ok {
		return Verdict{}, false
	}
	from := domainOf(m.From)
	v := Verdict{Result: desk.AuthNone, Why: WhyReported}
	for _, r := range results {
		switch r.method {
		case "dmarc":
			if !aligned(r.props["header.from"], from, true) && r.props["header.from"] != "" {
				continue
			}
			switch {
			case r.value == "pass":
				return Verdict{Result: desk.AuthPass, Why: WhyReported, Domain: from}, true
			case r.value == "fail" && !r.lenient:
				v.Result, v.Why = desk.AuthFail, WhyDMARC
			}
		case "dkim":
			if d := r.signer(); r.value == "pass" && aligned(d, from, false) {
				return Verdict{Result: desk.AuthPass, Why: WhyReported, Domain: d}, true
			}
		case "spf":
			if d := r.sender(); r.value == "pass" && aligned(d, from, false) {
				return Verdict{Result: desk.AuthPass, Why: WhyReported, Domain: d}, true
			}
		}
	}
	return v, true
}

// topmost reads the first Authentication-Results of the header, which is the
// last server's, if that one is trusted: those below may be anybody's.
func topmost(m Mail) ([]finding, bool) {
	for name, value := range m.Header.All() {
		if strings.EqualFold(name, "Authentication-Results") {
			server, results := parseResults(value)
			return results, trusted(m.Trusted, server)
		}
	}
	return nil, false
}

// trusted reports whether a server is named. A name that begins with a dot stands
// for every server below a domain: some providers write another one each day.
func trusted(names []string, server string) bool {
	for _, n := range names {
		n = strings.ToLower(strings.TrimSuffix(n, "."))
		if n == server || strings.HasPrefix(n, ".") && strings.HasSuffix(server, n) {
			return true
		}
	}
	return false
}

// Reporter is the server that wrote the topmost Authentication-Results, "" when
// there are none. Whether it may be trusted is for the owner to say.
func Reporter(h Header) string {
	for name, value := range h.All() {
		if strings.EqualFold(name, "Authentication-Results") {
			server, _ := parseResults(value)
			return server
		}
	}
	return ""
}

// finding is one result of an Authentication-Results field.
type finding struct {
	method  string
	value   string
	props   map[string]string
	lenient bool // the sender's domain asks for no consequence
}

// signer is the domain of a DKIM result.
func (f finding) signer() string {
	if d := f.props["header.d"]; d != "" {
		return d
	}
	return domainOf("@" + f.props["header.i"][strings.LastIndexByte(f.props["header.i"], '@')+1:])
}

// sender is the domain of an SPF result.
func (f finding) sender() string {
	from := f.props["smtp.mailfrom"]
	if from == "" {
		from = f.props["smtp.helo"]
	}
	return domainOf("@" + from[strings.LastIndexByte(from, '@')+1:])
}

// parseResults reads one field. Exchange Online leaves its name out.
func parseResults(value string) (server string, out []finding) {
	clean, lenient := stripComments(value)
	parts := strings.Split(clean, ";")
	first := strings.Fields(parts[0])
	switch {
	case len(first) > 0 && !strings.Contains(first[0], "="):
		server, parts = first[0], parts[1:]
	default:
		server = Microsoft
	}
	for _, p := range parts {
		if f, ok := parseResult(p); ok {
			f.lenient = f.method == "dmarc" && (lenient || f.props["action"] == "none" || f.props["policy.dmarc"] == "none" || f.props["policy.published-domain-policy"] == "none")
			out = append(out, f)
		}
	}
	return strings.ToLower(strings.TrimSuffix(server, ".")), out
}

func parseResult(text string) (finding, bool) {
	f := finding{props: map[string]string{}}
	for i, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		if i == 0 {
			method, _, _ := strings.Cut(name, "/")
			f.method, f.value = method, strings.ToLower(value)
		} else {
			f.props[name] = strings.ToLower(value)
		}
	}
	return f, f.method != ""
}

// stripComments takes out what stands in parentheses or quotes, and reports
// whether it says that the sender's domain asks for nothing ("p=NONE", as Gmail
// puts it).
func stripComments(s string) (clean string, lenient bool) {
	var text, comment strings.Builder
	depth, quoted := 0, false
	for _, r := range s {
		switch {
		case r == '"' && depth == 0:
			quoted = !quoted
		case quoted && r == ';':
			text.WriteByte(' ')
		case quoted:
			text.WriteRune(r)
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
			comment.WriteByte(' ')
		case depth > 0:
			comment.WriteRune(r)
		default:
			text.WriteRune(r)
		}
	}
	words := strings.Fields(strings.ToLower(comment.String()))
	return text.String(), slices.Contains(words, "p=none")
}
