package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Letter is a mail that somebody writes as a pretend customer.
type Letter struct {
	From        desk.Address
	Subject     string // "" for that of the answered mail
	Text        string
	InReplyTo   string // id of the sandbox mail it answers, "" for none
	Attachments []desk.Attachment
}

// errOff says that there is no sandbox now.
var errOff = desk.Errorf(desk.Conflict, "The sandbox is off because a mailbox is connected. Write to its address instead.")

// Write sends a letter to the desk over the sandbox's SMTP server and returns
// its Message-ID. An answer carries the headers and the quote that a mail
// program would give it, and goes to where the answered mail asks for answers.
func (s *Sandbox) Write(ctx context.Context, l Letter) (messageID string, err error) {
	w := s.current()
	if w == nil {
		return "", errOff
	}
	out, err := s.compose(w, l)
	if err != nil {
		return "", err
	}
	raw, err := email.Build(out)
	if err != nil {
		return "", err
	}
	if err := w.post(ctx, out, raw); err != nil {
		return "", fmt.Errorf("send sandbox mail: %w", err)
	}
	return out.MessageID, nil
}

func (s *Sandbox) compose(w *world, l Letter) (desk.Outbound, error) {
	out := desk.Outbound{
		From: l.From, To: []desk.Address{{Address: w.address}}, Subject: l.Subject, Text: l.Text,
		Attachments: l.Attachments, Date: s.Clock.Now(), MessageID: desk.NewToken() + "@" + domainOf(l.From.Address),
	}
	ours, err := s.Mailboxes.Ours(s.App, l.From.Address)
	if err != nil {
		return out, err
	}
	switch {
	case ours:
		return out, desk.Errorf(desk.Invalid, "That is the desk's own address; play somebody else.")
	case strings.TrimSpace(l.Text) == "" && len(l.Attachments) == 0:
		return out, desk.Errorf(desk.Invalid, "Write something first.")
	case l.InReplyTo == "":
		return out, nil
	}
	answered, err := find(s.App, l.InReplyTo)
	if err != nil {
		return out, err
	}
	if answered == nil {
		return out, desk.Errorf(desk.NotFound, "The mail you answer is not in the sandbox any more.")
	}
	answer(&out, mail.Parse(answered.raw))
	return out, nil
}

// answer gives out what a mail program adds to an answer.
func answer(out *desk.Outbound, to *mail.Mail) {
	out.InReplyTo = to.MessageID
	out.References = slices.Concat(to.References, []string{to.MessageID})
	back := to.ReplyTo
	if len(back) == 0 {
		back = []mail.Address{to.From}
	}
	out.To = nil
	for _, a := range back {
		out.To = append(out.To, desk.Address{Name: a.Name, Address: a.Address})
	}
	if strings.TrimSpace(out.Subject) == "" {
		out.Subject = to.Subject
		if !strings.HasPrefix(strings.ToLower(out.Subject), "re:") {
			out.Subject = "Re: " + out.Subject
		}
	}
	quote := strings.ReplaceAll(strings.TrimSpace(to.Text), "\n", "\n> ")
	out.Text = fmt.Sprintf("%s\n\nOn %s, %s wrote:\n> %s\n", out.Text, to.Date.Format("Mon, 2 Jan 2006 at 15:04"), to.From.Address, quote)
}

// post brings a mail to the sandbox's SMTP server as any mail program would.
func (w *world) post(ctx context.Context, out desk.Outbound, raw []byte) error {
	c, err := smtp.Dial(w.sockets[1].Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := c.Auth(sasl.NewPlainClient("", user, w.password)); err != nil {
		return err
	}
	to := make([]string, len(out.To))
	for i, a := range out.To {
		to[i] = a.Address
	}
	if err := c.SendMail(out.From.Address, to, bytes.NewReader(raw)); err != nil {
		return err
	}
	return c.Quit()
}

func domainOf(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 && i < len(address)-1 {
		return address[i+1:]
	}
	return "sandbox.invalid"
}
