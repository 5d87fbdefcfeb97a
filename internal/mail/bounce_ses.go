package mail

import (
	"encoding/json"
	"strings"
)

// sesNotice is what Amazon SES publishes about a delivery; its notification
// service mails it as JSON.
type sesNotice struct {
	Message          string // the notice once more as a string
	NotificationType string
	EventType        string
	Bounce           struct {
		BounceType        string
		BouncedRecipients []struct{ EmailAddress, Action, Status, DiagnosticCode string }
	}
	Complaint struct {
		ComplaintFeedbackType string
		ComplainedRecipients  []struct{ EmailAddress string }
	}
	Mail struct {
		MessageID     string
		CommonHeaders struct{ MessageID string }
	}
}

func readSES(text string) (n sesNotice, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || !strings.Contains(text, "notificationType") && !strings.Contains(text, "eventType") {
		return n, false
	}
	text = strings.NewReplacer("\r", "", "\n", "").Replace(text) // lines are wrapped anywhere
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&n); err != nil {
		return n, false
	}
	if n.NotificationType == "" && n.EventType == "" && n.Message != "" {
		if err := json.Unmarshal([]byte(n.Message), &n); err != nil {
			return n, false
		}
	}
	if n.NotificationType == "" {
		n.NotificationType = n.EventType
	}
	return n, n.NotificationType != ""
}

func (n *sesNotice) originalID() string {
	if ids := messageIDs([]string{n.Mail.CommonHeaders.MessageID}); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

func sesBounce(text string) *Bounce {
	n, ok := readSES(text)
	if !ok || n.NotificationType != "Bounce" {
		return nil
	}
	b := &Bounce{OriginalMessageID: n.originalID()}
	for _, r := range n.Bounce.BouncedRecipients {
		words := r.DiagnosticCode
		if _, after, ok := strings.Cut(words, ";"); ok {
			words = strings.TrimSpace(after)
		}
		one := Bounced{Address: typedAddress(r.EmailAddress), Status: firstStatus(r.Status), Action: r.Action, Diagnostic: bound(words, maxDiagnostic)}
		one.Status = sharper(one.Status, words)
		b.Recipients = append(b.Recipients, one)
	}
	if len(b.Recipients) > 0 && b.Recipients[0].Status == "" && n.Bounce.BounceType == "Transient" {
		b.Status = "4.0.0"
	}
	return b
}
