package mail

import (
	"bytes"
	"strings"
)

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

// wrappedBounce reads the report inside a report: gateways wrap those of
// others.
func wrappedBounce(m *Mail, root *part) *Bounce {
	p := findPart(root, "message/rfc822")
	if p == nil || m.nested {
		return nil
	}
	content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	inner := &Mail{nested: true}
	inner.read(bytes.TrimLeft(content, "\r\n"))
	return inner.Bounce
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
