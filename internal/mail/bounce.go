package mail

import (
	"bytes"
	"strings"
)

// Bounce is what a delivery report says. A report about a success is none.
type Bounce struct {
	Recipients        []Bounced // each address once; empty if the report names none
	Status            string    // of the first recipient, as "5.1.1"; "" if unknown
	Permanent         bool      // true: don't try again
	Delayed           bool      // the server still tries; not failed yet
	Reason            string    // a word: userunknown, mailboxfull, hostunknown, ...; "" if unknown
	Diagnostic        string    // the server's own words, bounded; for a person to read
	OriginalMessageID string    // id of the message that bounced, "" if the report doesn't hold it
}

// Bounced is one recipient of a delivery report.
type Bounced struct {
	Address    string
	Status     string // "5.1.1", "" if unknown
	Action     string // failed, delayed or expired
	Diagnostic string
}

// readBounce answers nil if m is no delivery report.
func readBounce(m *Mail, root *part) *Bounce {
	if p := findPart(root, "message/delivery-status", "message/global-delivery-status"); p != nil {
		return readDSN(p, root)
	}
	return nil
}

// findPart returns the first part of one of the types, in order.
func findPart(p *part, types ...string) *part {
	for _, t := range types {
		if p.mediaType == t {
			return p
		}
	}
	for _, c := range p.children {
		if found := findPart(c, types...); found != nil {
			return found
		}
	}
	return nil
}

func readDSN(p, root *part) *Bounce {
	content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	b := &Bounce{}
	for _, group := range fieldGroups(content) {
		h := group
		to := h.raw("Final-Recipient")
		if to == "" {
			to = h.raw("Original-Recipient")
		}
		if to == "" {
			continue
		}
		_, addr, ok := strings.Cut(to, ";")
		if !ok {
			addr = to
		}
		action := word1(h.raw("Action"))
		if action == "delivered" || action == "relayed" || action == "expanded" {
			continue
		}
		b.Recipients = append(b.Recipients, Bounced{cleanSpec(addr), word1(h.raw("Status")), action, h.Get("Diagnostic-Code")})
	}
	if len(b.Recipients) == 0 {
		return nil
	}
	b.Status = b.Recipients[0].Status
	b.Permanent = !strings.HasPrefix(b.Status, "4")
	return b
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
