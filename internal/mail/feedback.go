package mail

import (
	"strings"
)

// Feedback is a complaint report (RFC 5965, ARF): a provider says what a
// recipient did with a mail of ours.
type Feedback struct {
	Type              string    // abuse, opt-out, auth-failure, fraud, ...; never empty
	Recipients        []Address // who complained, if the provider says so
	OriginalMessageID string    // id of the mail complained about, "" if unknown
}

// readFeedback answers nil if m is no complaint report.
func readFeedback(m *Mail, root *part) *Feedback {
	p := findPart(root, "message/feedback-report")
	if p == nil {
		return nil
	}
	content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	h, _, _ := splitHeader(content)
	f := &Feedback{Type: strings.ToLower(word1(h.raw("Feedback-Type")))}
	if f.Type == "" {
		f.Type = "other"
	}
	for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient"} {
		for _, v := range h.rawValues(name) {
			f.Recipients = append(f.Recipients, parseAddresses(v, "")...)
		}
	}
	f.OriginalMessageID = returnedID(root)
	return f
}

// returnedID finds the Message-ID of the mail a report is about.
func returnedID(root *part) string {
	p := findPart(root, "message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers")
	if p == nil {
		return ""
	}
	content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	h, _, _ := splitHeader(content)
	if ids := messageIDs(h.rawValues("Message-ID")); len(ids) > 0 {
		return ids[0]
	}
	return ""
}
