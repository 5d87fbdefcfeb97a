package mail

import "strings"

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
		return sesFeedback(m.Text)
	}
	content, _ := decodeTransfer(p.body, p.header.raw("Content-Transfer-Encoding"))
	f := &Feedback{}
	seen := map[string]bool{}
	for _, h := range fieldGroups(content) {
		if f.Type == "" {
			f.Type = word1(h.raw("Feedback-Type"))
		}
		for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient", "Redacted-Address"} {
			for _, v := range h.rawValues(name) {
				for _, a := range parseAddresses(v, "") {
					if key := strings.ToLower(a.Address); !seen[key] {
						seen[key] = true
						f.Recipients = append(f.Recipients, a)
					}
				}
			}
		}
	}
	if f.Type == "" {
		f.Type = "other"
	}
	f.OriginalMessageID = returnedID(root, "")
	return f
}

// sesFeedback reads a complaint mailed by Amazon SES.
func sesFeedback(text string) *Feedback {
	n, ok := readSES(text)
	if !ok || n.NotificationType != "Complaint" {
		return nil
	}
	f := &Feedback{Type: n.Complaint.ComplaintFeedbackType, OriginalMessageID: n.originalID()}
	if f.Type == "" {
		f.Type = "abuse"
	}
	for _, r := range n.Complaint.ComplainedRecipients {
		f.Recipients = append(f.Recipients, Address{Address: typedAddress(r.EmailAddress)})
	}
	return f
}
