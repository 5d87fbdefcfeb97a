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
		return looseFeedback(m, root)
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

// looseFeedback reads the complaints of providers that leave the report part
// out.
func looseFeedback(m *Mail, root *part) *Feedback {
	if f := sesFeedback(m.Text); f != nil {
		return f
	}
	labelled := strings.Contains(strings.ToLower(m.Header.raw("Content-Type")), "feedback-report")
	f := &Feedback{Type: "abuse", OriginalMessageID: returnedID(root, "")}
	switch {
	case strings.EqualFold(m.Header.raw("X-Apple-Unsubscribe"), "true"):
		f.Type = "opt-out"
	case labelled, findPart(root, "message/rfc822", "text/rfc822-headers") != nil && (complaintSubject().MatchString(m.Subject) || complaintText().MatchString(bound(m.Text, 4096))):
		if said := complaintType().FindStringSubmatch(bound(m.Text, maxNotice)); said != nil {
			f.Type = strings.ToLower(said[1])
		}
	default:
		return nil
	}
	return f
}

var (
	complaintSubject = lazily(`(?i)^complaint about message from\b`)
	complaintText    = lazily(`(?i)this is an? (?:e-?mail |automated )*(?:abuse|spam|fraud|complaint|authentication failure|opt-out) report (?:for|about) (?:an?|your) (?:e-?mail )?message`)
	complaintType    = lazily(`(?im)^\s*feedback-type:\s*([a-z-]+)`)
)

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
