package email

import (
	"strings"

	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/mailauth"
)

// proposeReporter is the server whose checks of senders the owner is asked to
// believe for a mailbox, "" for none: what its provider is known for, else who
// wrote the topmost Authentication-Results of the test mail, if that is the
// server that delivered it or one of the same domain. head is the header of the
// test mail, nil when it did not arrive.
//
// A name that belongs to somebody else, such as a relay on the way, is not
// proposed: the receiving server would let anybody write it into a mail.
func proposeReporter(box Mailbox, head []byte) string {
	if c := carrierOf(box.IMAP); c != nil && c.reporter != "" {
		return c.reporter
	}
	if head == nil {
		return ""
	}
	h := mail.Parse(head).Header
	name := mailauth.Reporter(&h)
	if !validHost(name) || !strings.Contains(name, ".") {
		return ""
	}
	org := mailauth.Organization(name)
	ours := []string{receiver(&h), domainOf(box.Address)}
	if box.IMAP != nil {
		ours = append(ours, box.IMAP.Host)
	}
	for _, host := range ours {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if host == name || strings.Contains(host, ".") && mailauth.Organization(host) == org {
			return name
		}
	}
	return ""
}

// receiver is the server that added the topmost Received: the last one.
func receiver(h mailauth.Header) string {
	for name, value := range h.All() {
		if !strings.EqualFold(name, "Received") {
			continue
		}
		words := strings.Fields(value)
		for i, w := range words[:max(0, len(words)-1)] {
			if strings.EqualFold(w, "by") {
				return strings.Trim(words[i+1], "()[];")
			}
		}
		return ""
	}
	return ""
}
