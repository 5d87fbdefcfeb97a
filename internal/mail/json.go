package mail

import (
	"crypto/md5" //nolint:gosec // a checksum to compare by, not for security
	"encoding/hex"
	"encoding/json"
	"strings"
)

type reportJSON struct {
	Subject       string     `json:"subject"`
	FromAddress   string     `json:"from_address"`
	FromName      string     `json:"from_name"`
	To            []string   `json:"to"`
	Cc            []string   `json:"cc"`
	ReplyTo       []string   `json:"reply_to"`
	MessageID     string     `json:"message_id"`
	InReplyTo     string     `json:"in_reply_to"`
	References    []string   `json:"references"`
	Date          string     `json:"date,omitempty"`
	Text          string     `json:"text_body"`
	HTML          string     `json:"html_body"`
	Attachments   []fileJSON `json:"attachments"`
	AutoReply     bool       `json:"is_auto_reply"`
	MayRespond    bool       `json:"may_auto_respond"`
	IsBounce      bool       `json:"is_bounce"`
	Bounced       []string   `json:"bounced_recipients"`
	Statuses      []string   `json:"bounce_status"`
	Permanent     bool       `json:"bounce_permanent"`
	Reason        string     `json:"bounce_reason,omitempty"`
	IsFeedback    bool       `json:"is_feedback_report"`
	FeedbackType  string     `json:"feedback_type,omitempty"`
	VisibleReply  string     `json:"visible_reply"`
	Unreadable    bool       `json:"unreadable,omitempty"`
	Defects       []string   `json:"defects,omitempty"`
	OriginalMsgID string     `json:"original_message_id,omitempty"`
}

type fileJSON struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
	MD5         string `json:"md5"`
	Inline      bool   `json:"inline"`
	ContentID   string `json:"content_id"`
}

// JSON reports a mail on one line, in the form `deskbell mail parse` prints:
// addresses bare, attachments by size and MD5.
func (m *Mail) JSON() ([]byte, error) {
	r := reportJSON{
		Subject: m.Subject, FromAddress: m.From.Address, FromName: m.From.Name,
		To: specs(m.To), Cc: specs(m.Cc), ReplyTo: specs(m.ReplyTo),
		MessageID: m.MessageID, References: m.References,
		Text: m.Text, HTML: m.HTML, Attachments: []fileJSON{},
		AutoReply: m.AutoReply, MayRespond: m.MayAutoRespond, IsFeedback: m.Feedback != nil,
		Bounced: []string{}, Statuses: []string{},
		VisibleReply: VisibleText(m), Unreadable: m.Unreadable, Defects: m.Defects,
	}
	if len(m.InReplyTo) > 0 {
		r.InReplyTo = m.InReplyTo[0]
	}
	if r.References == nil {
		r.References = []string{}
	}
	if !m.Date.IsZero() {
		r.Date = m.Date.Format("2006-01-02T15:04:05Z")
	}
	for _, p := range m.Parts {
		sum := md5.Sum(p.Content) //nolint:gosec // see above
		r.Attachments = append(r.Attachments, fileJSON{p.Name, p.ContentType, len(p.Content), hex.EncodeToString(sum[:]), p.Inline, p.ContentID})
	}
	if m.Feedback != nil {
		r.FeedbackType, r.OriginalMsgID = m.Feedback.Type, m.Feedback.OriginalMessageID
	}
	r.bounce(m.Bounce)
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(r)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

func (r *reportJSON) bounce(b *Bounce) {
	if b == nil {
		return
	}
	r.IsBounce, r.Permanent, r.Reason, r.OriginalMsgID = true, b.Permanent, b.Reason, b.OriginalMessageID
	seen := map[string]bool{}
	for _, to := range b.Recipients {
		r.Bounced = append(r.Bounced, to.Address)
		if to.Status != "" && !seen[to.Status] {
			seen[to.Status] = true
			r.Statuses = append(r.Statuses, to.Status)
		}
	}
	if len(r.Statuses) == 0 && b.Status != "" {
		r.Statuses = append(r.Statuses, b.Status)
	}
}

func specs(list []Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.Address
	}
	return out
}
