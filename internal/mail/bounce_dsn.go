package mail

import (
	"bytes"
	"strings"
)

// deliveryGroups collects the groups of fields of all delivery-status parts.
func deliveryGroups(p *part) []Header {
	var groups []Header
	switch p.mediaType {
	case "message/delivery-status", "message/global-delivery-status", "message/x-delivery-status":
		content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
		groups = fieldGroups(content)
	}
	for _, c := range p.children {
		groups = append(groups, deliveryGroups(c)...)
	}
	return groups
}

// fieldGroups reads the groups of fields of a report, a blank line between
// each two.
func fieldGroups(content []byte) []Header {
	var groups []Header
	for len(content) > 0 && len(groups) < maxParts {
		line, after := cutLine(content)
		if len(bytes.TrimSpace(line)) == 0 {
			content = after
			continue
		}
		h, rest, _ := splitHeader(content)
		if len(rest) == len(content) {
			rest = after // no field: pass over the line
		}
		if len(h.fields) > 0 {
			groups = append(groups, h)
		}
		content = rest
	}
	return groups
}

// groupsBounce reads the per-recipient groups of RFC 3464.
func groupsBounce(groups []Header) *Bounce {
	b := &Bounce{}
	delayed := 0
	seen := map[string]bool{}
	for i := range groups {
		r, ok := readGroup(&groups[i])
		if !ok || seen[strings.ToLower(r.Address)] {
			continue
		}
		seen[strings.ToLower(r.Address)] = true
		if r.Action == "delayed" {
			delayed++
		}
		b.Recipients = append(b.Recipients, r)
	}
	if len(b.Recipients) == 0 {
		return nil
	}
	b.Delayed = delayed == len(b.Recipients)
	return b
}

// readGroup reads one recipient; false for the group about the message and
// for a recipient who got it.
func readGroup(h *Header) (Bounced, bool) {
	action := word1(h.raw("Action"))
	if success[action] {
		return Bounced{}, false
	}
	address, original := typedAddress(h.raw("Final-Recipient")), typedAddress(h.raw("Original-Recipient"))
	if _, domain, ok := strings.Cut(address, "@"); !ok || !strings.Contains(domain, ".") && strings.Contains(original, "@") {
		address, original = original, ""
	}
	if address == "" {
		address = typedAddress(h.raw("X-Actual-Recipient"))
	}
	if address == "" {
		return Bounced{}, false
	}
	if strings.EqualFold(address, original) {
		original = ""
	}
	diagnostic := h.Get("Diagnostic-Code")
	if kind, text, ok := strings.Cut(diagnostic, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " <@") {
		diagnostic = strings.TrimSpace(text)
	}
	status := firstStatus(h.raw("Status"))
	if strings.HasPrefix(status, "2.") {
		if action != "failed" {
			return Bounced{}, false
		}
		status = ""
	}
	if action == "expired" {
		action = "failed"
	}
	return Bounced{address, original, status, action, bound(diagnostic, maxDiagnostic)}, true
}

var success = map[string]bool{"delivered": true, "relayed": true, "expanded": true, "deliverable": true}

// succeeded tells whether a report only has good news.
func succeeded(groups []Header) bool {
	good := 0
	for i := range groups {
		action := word1(groups[i].raw("Action"))
		if action != "" && !success[action] {
			return false
		}
		if success[action] {
			good++
		}
	}
	return good > 0
}

// typedAddress reads "rfc822; user@example.org".
func typedAddress(v string) string {
	if _, after, ok := strings.Cut(v, ";"); ok {
		v = after
	}
	if m := addressPattern().FindString(v); m != "" {
		return m
	}
	return cleanSpec(v)
}
