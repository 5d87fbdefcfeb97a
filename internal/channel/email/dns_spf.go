package email

import (
	"slices"
	"strings"
)

// spfOf picks the SPF records among the texts of a domain; there should be one.
func spfOf(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool {
		terms := strings.Fields(strings.ToLower(t))
		return len(terms) == 0 || terms[0] != "v=spf1"
	})
}

// spfNames are the domains whose records a record leads to.
func spfNames(record string) []string {
	var names []string
	for term := range strings.FieldsSeq(strings.ToLower(record)) {
		term = strings.TrimLeft(term, "+?~-")
		for _, prefix := range []string{"include:", "redirect="} {
			if name, ok := strings.CutPrefix(term, prefix); ok && !strings.Contains(name, "%") {
				names = append(names, strings.TrimSuffix(name, "."))
			}
		}
	}
	return names
}

// spfHas tells whether the record of a domain, or one it leads to, has a term.
func (f found) spfHas(domain, term string) bool {
	names := []string{domain}
	for i := 0; i < len(names) && i <= maxIncludes; i++ {
		for _, record := range spfOf(f["TXT "+names[i]]) {
			for t := range strings.FieldsSeq(strings.ToLower(record)) {
				if strings.TrimPrefix(t, "+") == term {
					return true
				}
			}
			for _, next := range spfNames(record) {
				if !slices.Contains(names, next) {
					names = append(names, next)
				}
			}
		}
	}
	return false
}

// spfMerged is one record with the terms of all given ones and a new term, which
// may be "". It ends as the first of them did, else with "~all".
func spfMerged(records []string, term string) string {
	terms, end := []string{"v=spf1"}, ""
	add := func(t string) {
		if t != "" && !slices.ContainsFunc(terms, func(have string) bool { return strings.EqualFold(have, t) }) {
			terms = append(terms, t)
		}
	}
	for _, record := range records {
		for t := range strings.FieldsSeq(record) {
			switch lower := strings.ToLower(t); {
			case lower == "v=spf1":
			case strings.TrimLeft(lower, "+?~-") == "all", strings.HasPrefix(lower, "redirect="):
				if end == "" {
					end = t
				}
			default:
				add(t)
			}
		}
	}
	add(term)
	if end == "" {
		end = "~all"
	}
	return strings.Join(append(terms, end), " ")
}

// spfCost counts the questions that a receiver asks to judge the record of a
// domain; with more than ten it gives up (RFC 7208 section 4.6.4).
func (f found) spfCost(domain string) int {
	n, names := 0, []string{domain}
	for i := 0; i < len(names) && i <= 2*maxIncludes; i++ {
		for _, record := range spfOf(f["TXT "+names[i]]) {
			for t := range strings.FieldsSeq(strings.ToLower(record)) {
				t = strings.TrimLeft(t, "+?~-")
				name, _, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(t, "/", ":"), "=", ":"), ":")
				if slices.Contains([]string{"include", "a", "mx", "ptr", "exists", "redirect"}, name) {
					n++
				}
			}
			names = append(names, spfNames(record)...)
		}
	}
	return n
}
