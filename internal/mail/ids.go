package mail

import "strings"

const (
	maxID         = 998 // one line; longer is no id of a mail system
	maxReferences = 500
)

// messageIDs returns the ids of a Message-ID, In-Reply-To or References
// value, without angle brackets, each once, in order.
func messageIDs(values []string) []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		id = strings.Join(strings.Fields(id), "")
		id = strings.Trim(id, "<>")
		if i := strings.IndexAny(id, "<>"); i >= 0 {
			id = id[:i] // a bracket inside would break the fields of an answer
		}
		if id != "" && len(id) <= maxID && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, v := range values {
		v = cleanLine(strings.ToValidUTF8(v, ""))
		if !strings.Contains(v, "<") {
			addBare(v, add)
			continue
		}
		for {
			_, rest, ok := strings.Cut(v, "<")
			if !ok {
				break
			}
			id, after, closed := strings.Cut(rest, ">")
			if i := strings.LastIndexByte(id, '<'); closed && i >= 0 {
				id = id[i+1:] // "<a <b@c>"
			}
			if !closed {
				id, _, _ = strings.Cut(id, " ")
			}
			add(id)
			v = after
		}
	}
	return ids
}

// addBare takes ids somebody wrote without brackets.
func addBare(v string, add func(string)) {
	words := strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	for _, w := range words {
		if len(words) == 1 || strings.Contains(w, "@") {
			add(strings.Trim(w, `"'()`))
		}
	}
}

// boundReferences keeps the first id, which names the thread, and the newest.
func boundReferences(ids []string) []string {
	if len(ids) <= maxReferences {
		return ids
	}
	return append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
}
