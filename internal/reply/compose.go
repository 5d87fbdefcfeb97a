package reply

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

const (
	maxRecipients = 50
	maxReferences = 30
)

// compose makes the message of a reply from what the agent sent and the
// message it answers, which may be nil.
func (r *Replies) compose(tx core.App, by desk.Actor, t *ticket.Ticket, in Input, answered *message.Message) (*message.Message, error) {
	html := richtext.SanitizeCompose(in.Body)
	text := richtext.Text(html)
	if strings.TrimSpace(text) == "" && len(in.Attachments) == 0 && !strings.Contains(html, "<img") {
		return nil, desk.Errorf(desk.Invalid, "The reply is empty; write something.")
	}
	m := &message.Message{
		ID: desk.NewID(r.Clock.Now()), Ticket: t.ID, Kind: desk.KindReply, Author: by, HTML: html, Text: text, VisibleText: text,
		Subject: replySubject(t.Subject),
	}
	follow(m, answered)
	return m, r.address(tx, t, in, m)
}

// follow makes m an answer to another message, which may be nil.
func follow(m, answered *message.Message) {
	if answered == nil || answered.MessageID == "" {
		return
	}
	m.InReplyTo = answered.MessageID
	m.References = append(append([]string{}, answered.References...), answered.MessageID)
	if extra := len(m.References) - maxReferences; extra > 0 {
		m.References = append(m.References[:1:1], m.References[extra+1:]...)
	}
}

// replySubject is the subject of an answer: "Re:" once, whatever was there.
func replySubject(s string) string {
	return "Re: " + strings.TrimSpace(replyMark.ReplaceAllString(s, ""))
}

var replyMark = regexp.MustCompile(`^(?i:(re|aw|sv|vs|antw|odp)\s*(\[\d+\])?\s*:\s*)+`)

// address sets the recipients: those the agent chose, or the ones of the
// message being answered.
func (r *Replies) address(tx core.App, t *ticket.Ticket, in Input, m *message.Message) error {
	if in.To == nil && in.Cc == nil && in.Bcc == nil {
		to, _, err := r.Recipients(tx, t)
		if err != nil {
			return err
		}
		if m.To = to[:min(len(to), maxRecipients)]; len(to) == 0 {
			return desk.Errorf(desk.Invalid, "There is nobody to answer to; add a recipient.")
		}
		return nil
	}
	var err error
	for _, list := range []struct {
		name string
		in   []string
		out  *[]desk.Address
	}{{"to", in.To, &m.To}, {"cc", in.Cc, &m.Cc}, {"bcc", in.Bcc, &m.Bcc}} {
		if *list.out, err = parseAddresses(list.name, list.in); err != nil {
			return err
		}
	}
	if n := len(m.To) + len(m.Cc) + len(m.Bcc); n == 0 {
		return desk.Errorf(desk.Invalid, "There is nobody to send this to; add a recipient.")
	} else if n > maxRecipients {
		return desk.Errorf(desk.Invalid, "A reply goes to at most %d addresses; leave some out.", maxRecipients)
	}
	for _, a := range append(append(append([]desk.Address{}, m.To...), m.Cc...), m.Bcc...) {
		ours, err := r.Mailboxes.Ours(tx, a.Address)
		if err != nil {
			return err
		}
		if ours {
			return desk.Errorf(desk.Invalid, "%s is an address of this desk; a reply to it would come back as a ticket.", a.Address)
		}
	}
	return nil
}

func parseAddresses(field string, list []string) ([]desk.Address, error) {
	var out []desk.Address
	for _, s := range list {
		a, err := mail.ParseAddress(strings.TrimSpace(s))
		if err != nil || strings.ContainsAny(a.Address, "\r\n \t") || !strings.Contains(a.Address, "@") {
			return nil, desk.Errorf(desk.Invalid, "%q is not a mail address; mend it or leave it out.", s).
				With(field, map[string]string{"code": "address", "message": "This is not a mail address."})
		}
		out = append(out, desk.Address{Name: a.Name, Address: a.Address})
	}
	return out, nil
}

// Recipients derives who a reply goes to from the last message of the customer:
// its Reply-To, else its From; others are who else was on it, for "reply to
// all". Our own addresses are left out.
func (r *Replies) Recipients(app core.App, t *ticket.Ticket) (to, others []desk.Address, err error) {
	last, err := message.LastFromCustomer(app, t.ID)
	if err != nil {
		return nil, nil, err
	}
	if last == nil {
		return r.lastSentTo(app, t)
	}
	if to = last.ReplyTo; len(to) == 0 {
		to = []desk.Address{last.From}
	}
	if to, err = r.outside(app, to, nil); err != nil {
		return nil, nil, err
	}
	others, err = r.outside(app, append(append([]desk.Address{}, last.To...), last.Cc...), to)
	return to, others, err
}

// lastSentTo is who the last mail of ours went to, for a ticket in which the
// customer has not written yet.
func (r *Replies) lastSentTo(app core.App, t *ticket.Ticket) (to, others []desk.Address, err error) {
	last, err := message.LastPublic(app, t.ID)
	if err != nil || last == nil {
		return nil, nil, err
	}
	return last.To, last.Cc, nil
}

// outside leaves out our own addresses, empty ones and those in but.
func (r *Replies) outside(app core.App, list, but []desk.Address) ([]desk.Address, error) {
	seen := map[string]bool{}
	for _, a := range but {
		seen[strings.ToLower(a.Address)] = true
	}
	out := []desk.Address{}
	for _, a := range list {
		key := strings.ToLower(a.Address)
		if key == "" || seen[key] || !strings.Contains(key, "@") {
			continue
		}
		seen[key] = true
		ours, err := r.Mailboxes.Ours(app, a.Address)
		if err != nil {
			return nil, err
		}
		if !ours {
			out = append(out, a)
		}
	}
	return out, nil
}

var imageOfOurs = regexp.MustCompile(`/api/desk/files/([a-z0-9]{15})`)

// imagesOf lists the files that safe HTML shows as pictures.
func imagesOf(html string) []string {
	var ids []string
	seen := map[string]bool{}
	richtext.RewriteImages(html, func(src string) (string, bool) {
		if found := imageOfOurs.FindStringSubmatch(src); found != nil && !seen[found[1]] {
			seen[found[1]] = true
			ids = append(ids, found[1])
		}
		return src, true
	})
	return ids
}

// outgoing makes what leaves the desk through a mailbox: pictures of ours as
// inline parts, the signature below; it gives the files to the message.
func (r *Replies) outgoing(tx core.App, by desk.Actor, t *ticket.Ticket, m *message.Message, in Input, mailbox string) (html, text string, files []string, err error) {
	inline := imagesOf(m.HTML)
	for _, id := range append(append([]string{}, in.Attachments...), inline...) {
		if !slices.Contains(files, id) {
			files = append(files, id)
		}
	}
	if err := file.Attach(tx, files, t.ID, m.ID, by.ID); err != nil {
		return "", "", nil, err
	}
	if err := file.MarkInline(tx, inline); err != nil {
		return "", "", nil, err
	}
	if err := r.sign(tx, by, m, mailbox); err != nil {
		return "", "", nil, err
	}
	html = richtext.RewriteImages(m.HTML, func(src string) (string, bool) {
		if found := imageOfOurs.FindStringSubmatch(src); found != nil {
			return "cid:" + file.InlineID(found[1]), true
		}
		return src, true
	})
	return html, m.Text, files, nil
}

// signatureMark stands between what was written and the signature.
const signatureMark = "<p>-- <br></p>"

// sign adds the signature of the agent who writes, else that of the mailbox.
func (r *Replies) sign(tx core.App, by desk.Actor, m *message.Message, mailbox string) error {
	signature, err := r.signatureOf(tx, by, mailbox)
	if err != nil || signature == "" {
		return err
	}
	signature = richtext.SanitizeCompose(signature)
	m.HTML += signatureMark + signature
	m.Text += "\n\n-- \n" + richtext.Text(signature)
	return nil
}

func (r *Replies) signatureOf(tx core.App, by desk.Actor, mailbox string) (string, error) {
	if by.Kind == desk.ActorAgent {
		who, err := access.FindAgent(tx, by.ID)
		if err != nil {
			return "", err
		}
		if who != nil && who.Signature != "" {
			return who.Signature, nil
		}
	}
	return r.Mailboxes.SignatureOf(tx, mailbox)
}
