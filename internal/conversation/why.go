package conversation

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/desk"
)

// reasons says each reason code in a sentence.
var reasons = map[string]string{
	"new_sender_or_matter": "It answers nothing we know, so it is a new ticket.",
	"token":                "It answers a mail of ours: the signed id of that mail is in its references, and the sender takes part in this ticket.",
	"plus_address":         "It was sent to the signed address of this ticket by somebody who takes part in it.",
	"reference":            "It refers to a message of this ticket, and the sender takes part in it.",
	"stranger":             "It points to another ticket, but the sender does not take part in that one, so it is a ticket of its own.",
	"follow_up":            "It answers a ticket that is closed, so it is a follow-up.",
	"number_in_subject":    "Its subject names another ticket. A number alone proves nothing, so it is a ticket of its own.",
	"same_message_id":      "It came under the Message-ID of another mail with other content; both were kept.",
	"same_subject":         "Its subject is that of an earlier ticket, but it refers to none of its messages.",
	"bounce":               "A mail system reports on a mail of this ticket.",
	"left_team":            "Its assignee is not in its team any more.",
	"opened_by_agent":      "An agent opened it.",
	"opened_by_api":        "It was opened through the API.",
	"customer_wrote":       "The customer wrote again.",
	"answered":             "An agent answered.",
	"undone":               "The answer was taken back.",
	"delivery_failed":      "The answer could not be delivered.",
	"bounced":              "A mail system reports that a mail of this ticket did not arrive.",
	"unproven":             "It points to another ticket, but who really sent it could not be proven, so it is a ticket of its own.",
	"older":                "It was in the mailbox before that was connected, and was taken in because somebody asked for older mail.",
	"sent_elsewhere":       "Somebody of ours sent it with another mail program; it was read from the folder of sent mail.",
	"form_new":             "It came by a form.",
}

// why says a reason in a sentence; "" for none.
func why(r desk.Reason) string {
	text := reasons[r.Code]
	if number, ok := r.Detail["number"]; ok && text != "" {
		text += fmt.Sprintf(" It looks like #%v.", number)
	}
	if number, ok := r.Detail["same_message_id"]; ok && text != "" {
		text += fmt.Sprintf(" It came under the Message-ID of another mail, in #%v, with other content; both were kept.", number)
	}
	if code, ok := r.Detail["sender"].(string); ok && text != "" && senders[code] != "" {
		text += " " + senders[code]
	}
	return text
}

// senders says what was found out about who sent a mail; what proves nothing
// either way is not worth a sentence.
var senders = map[string]string{
	"dkim":        "The sender's domain signed it.",
	"spf":         "It came from a server of the sender's domain.",
	"reported":    "Our mail server checked the sender.",
	"dmarc":       "The check of the sender failed: their domain says that it does not send mail this way.",
	"own_domain":  "The check of the sender failed: it claims to come from our own domain and does not.",
	"two_senders": "The check of the sender failed: it names more than one sender.",
}
