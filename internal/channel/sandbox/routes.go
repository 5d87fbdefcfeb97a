package sandbox

import (
	"encoding/base64"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/route"
)

const maxWrite = 50 << 20 // bytes of a request with its attachments

// person is a pretend customer.
type person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// people are the customers offered on the page; anybody else can be played too.
var people = []person{
	{"Anna Lindqvist", "anna.lindqvist@example.com"},
	{"Ben Okafor", "ben.okafor@example.net"},
	{"Chloé Martin", "chloe.martin@example.org"},
}

type shownMail struct {
	ID          string         `json:"id"`
	From        desk.Address   `json:"from"`
	To          []desk.Address `json:"to"`
	Subject     string         `json:"subject"`
	Text        string         `json:"text"`
	HTML        string         `json:"html"` // as sent; not for showing without a sanitiser
	Received    string         `json:"received"`
	MessageID   string         `json:"message_id"`
	InReplyTo   string         `json:"in_reply_to"`
	References  []string       `json:"references"`
	Attachments []string       `json:"attachments"` // names
}

type shownSandbox struct {
	Address   string      `json:"address"`
	Customers []person    `json:"customers"`
	Mails     []shownMail `json:"mails"` // newest first
}

type attachmentInput struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Base64      string `json:"base64"`
}

type writeInput struct {
	From        person            `json:"from"`
	Subject     string            `json:"subject"`
	Text        string            `json:"text"`
	InReplyTo   string            `json:"in_reply_to"` // id of a sandbox mail, "" for none
	Attachments []attachmentInput `json:"attachments"`
}

type writeOutput struct {
	MessageID string `json:"message_id"`
}

// Routes adds the routes of the sandbox's page.
func (s *Sandbox) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/sandbox", Permission: "sandbox.use", Summary: "What arrived at the sandbox's pretend customers"},
		func(*route.Call, route.None) (shownSandbox, error) { return s.show() })
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/sandbox/mails", Permission: "sandbox.use", Status: 202, MaxBody: maxWrite, Summary: "Write to the desk as a pretend customer"},
		func(c *route.Call, in writeInput) (writeOutput, error) {
			letter, err := in.letter()
			if err != nil {
				return writeOutput{}, err
			}
			id, err := s.Write(c.Request.Context(), letter)
			return writeOutput{MessageID: id}, err
		})
}

func (in writeInput) letter() (Letter, error) {
	l := Letter{From: desk.Address{Name: in.From.Name, Address: strings.TrimSpace(in.From.Email)}, Subject: in.Subject, Text: in.Text, InReplyTo: in.InReplyTo}
	if l.From.Address == "" {
		return l, desk.Errorf(desk.Invalid, "Enter the address of the customer you play.")
	}
	for _, a := range in.Attachments {
		content, err := base64.StdEncoding.DecodeString(a.Base64)
		if err != nil {
			return l, desk.Errorf(desk.Invalid, "The file %q is not proper base64.", a.Name)
		}
		l.Attachments = append(l.Attachments, desk.Attachment{Name: a.Name, ContentType: a.ContentType, Content: content})
	}
	return l, nil
}

func (s *Sandbox) show() (shownSandbox, error) {
	w := s.current()
	if w == nil {
		return shownSandbox{}, errOff
	}
	mails, err := arrived(s.App)
	if err != nil {
		return shownSandbox{}, err
	}
	shown := shownSandbox{Address: w.address, Customers: people, Mails: []shownMail{}}
	for _, m := range mails {
		shown.Mails = append(shown.Mails, m.shown())
	}
	return shown, nil
}

func (m stored) shown() shownMail {
	p := mail.Parse(m.raw)
	s := shownMail{
		ID: m.id, From: desk.Address{Name: p.From.Name, Address: p.From.Address}, To: []desk.Address{}, Subject: p.Subject, Text: p.Text, HTML: p.HTML,
		Received: desk.MustStamp(m.received), MessageID: p.MessageID, References: []string{}, Attachments: []string{},
	}
	for _, to := range m.to {
		s.To = append(s.To, desk.Address{Address: to})
	}
	if len(p.InReplyTo) > 0 {
		s.InReplyTo = p.InReplyTo[0]
	}
	s.References = append(s.References, p.References...)
	for _, part := range p.Parts {
		s.Attachments = append(s.Attachments, part.Name)
	}
	return s
}
