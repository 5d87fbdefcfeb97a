package mail

import (
	"bytes"
	"strings"
)

// Bounce is what a delivery report says. A report about a success is none.
type Bounce struct {
	Recipients        []Bounced // each address once; empty if the report names none
	Status            string    // of the first recipient that has one, as "5.1.1"; "" if unknown
	Permanent         bool      // the cause will last; false: full, busy, timed out, even if the server gave up
	Delayed           bool      // the server still tries: nothing has failed yet
	Reason            string    // one word, see Reasons; "" if unknown
	Diagnostic        string    // the server's own words, at most 1,000 bytes, for a person to read
	OriginalMessageID string    // id of the message that bounced, "" if the report doesn't hold it
}

// Bounced is one recipient of a delivery report.
type Bounced struct {
	Address    string
	Status     string // "5.1.1", "" if unknown
	Action     string // failed, delayed; "" if unknown
	Diagnostic string // the server's words about this recipient
}

const (
	maxDiagnostic = 1000
	maxNotice     = 64 << 10 // bytes of a report's text that are looked at
)

// readBounce answers nil if m is no report about a failed or delayed delivery.
// It reads RFC 3464 reports, the older forms of the common servers by their
// text, and the notices of Amazon SES.
func readBounce(m *Mail, root *part) *Bounce {
	groups := deliveryGroups(root)
	b := groupsBounce(groups)
	if b == nil && len(groups) > 0 && succeeded(groups) {
		return nil
	}
	notice, original := cutOriginal(bound(m.Text, maxNotice))
	switch {
	case b != nil:
		b.borrow(notice)
	default:
		if b = sesBounce(m.Text); b != nil {
			break
		}
		if !looksBounced(m, notice) {
			return nil
		}
		b = noticeBounce(m, notice)
	}
	if b.OriginalMessageID == "" {
		b.OriginalMessageID = returnedID(root, original)
	}
	if len(b.Recipients) == 0 {
		b.Recipients = returnedTo(m, root, original)
	}
	b.settle(notice)
	return b
}

// settle fills what follows from the recipients.
func (b *Bounce) settle(notice string) {
	for i := range b.Recipients {
		r := &b.Recipients[i]
		if b.Status == "" {
			b.Status = r.Status
		}
		if b.Diagnostic == "" {
			b.Diagnostic = r.Diagnostic
		}
	}
	words := b.Diagnostic
	if words == "" {
		words = notice
	}
	b.Diagnostic = bound(strings.Join(strings.Fields(words), " "), maxDiagnostic)
	b.Permanent = permanent(b, notice)
	b.Reason = reasonOf(b.Status, words, notice)
}

// borrow takes from the text what a thin machine-readable part leaves out.
func (b *Bounce) borrow(notice string) {
	for i := range b.Recipients {
		r := &b.Recipients[i]
		if r.Status == "" || generic(r.Status) {
			r.Status = sharper(r.Status, r.Diagnostic)
		}
		if (r.Status == "" || generic(r.Status)) && len(b.Recipients) == 1 {
			r.Status = sharper(r.Status, notice)
		}
	}
}

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
	address := ""
	for _, name := range []string{"Final-Recipient", "Original-Recipient", "X-Actual-Recipient"} {
		if address = typedAddress(h.raw(name)); strings.Contains(address, "@") {
			break
		}
	}
	if address == "" {
		return Bounced{}, false
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
	return Bounced{address, status, action, bound(diagnostic, maxDiagnostic)}, true
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

// returned finds the header of the message a report returns: in a part, or at
// the end of the text.
func returned(root *part, original string) Header {
	p := findPart(root, "message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers", "text/rfc822", "message/global-headers")
	if p == nil {
		p = findNamed(root, ".eml", "headers")
	}
	if p != nil {
		content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
		if h, _, _ := splitHeader(bytes.TrimLeft(content, "\r\n")); len(h.fields) > 0 {
			return h
		}
	}
	h, _, _ := splitHeader([]byte(strings.TrimLeft(original, "\r\n \t")))
	return h
}

func returnedID(root *part, original string) string {
	h := returned(root, original)
	if ids := messageIDs(h.rawValues("Message-ID")); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// returnedTo is the last guess at who did not get the message: those it was
// addressed to.
func returnedTo(m *Mail, root *part, original string) []Bounced {
	h := returned(root, original)
	own := ownAddresses(m)
	var list []Bounced
	for _, v := range h.rawValues("To") {
		for _, a := range parseAddresses(v, "") {
			if strings.Contains(a.Address, "@") && !own[strings.ToLower(a.Address)] && len(list) < 5 {
				list = append(list, Bounced{Address: a.Address})
			}
		}
	}
	return list
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

// findNamed returns the first part whose name contains one of the words.
func findNamed(p *part, words ...string) *part {
	for _, w := range words {
		if strings.Contains(strings.ToLower(p.name), w) && len(p.children) == 0 {
			return p
		}
	}
	for _, c := range p.children {
		if found := findNamed(c, words...); found != nil {
			return found
		}
	}
	return nil
}
