package mail

import "strings"

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
	Address    string // as the server names it
	Original   string // the address the mail was sent to, if the server says it is another
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
	if inner := wrappedBounce(m, root); inner != nil && len(b.Recipients) == 0 {
		return inner
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
	said := map[string]string{} // status by address, as the text says
	if len(b.Recipients) > 1 {
		for _, r := range scanRecipients(strings.Split(notice, "\n"), recipientTiers[1](), nil) {
			said[strings.ToLower(r.Address)] = r.Status
		}
	}
	for i := range b.Recipients {
		r := &b.Recipients[i]
		r.Status = sharper(r.Status, r.Diagnostic)
		if telling(r.Status) > 1 {
			continue
		}
		if len(b.Recipients) == 1 {
			r.Status = sharper(r.Status, notice)
		} else {
			r.Status = sharper(r.Status, said[strings.ToLower(r.Address)])
		}
	}
}
