package message

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/richtext"
)

// Shown is a message as the API shows it.
type Shown struct {
	ID             string              `json:"id"`
	Ticket         int64               `json:"ticket"` // number
	Thread         string              `json:"thread"`
	Kind           desk.MessageKind    `json:"kind"`
	Author         ShownAuthor         `json:"author"`
	From           desk.Address        `json:"from"`
	To             []desk.Address      `json:"to"`
	Cc             []desk.Address      `json:"cc"`
	Bcc            []desk.Address      `json:"bcc"`
	Subject        string              `json:"subject"`
	Text           string              `json:"text"`
	HTML           string              `json:"html"` // safe, quoted part included; "" when it came as text
	VisibleText    string              `json:"visible_text"`
	Attachments    []ShownFile         `json:"attachments"`
	Authentication desk.Authentication `json:"authentication"`
	Reason         ShownReason         `json:"reason"`
	Delivery       any                 `json:"delivery"` // null for what was not sent
	Quoted         bool                `json:"quoted"`   // there is a folded part
	RemoteImages   bool                `json:"remote_images"`
	AutoReply      bool                `json:"auto_reply"`
	Bounced        *Bounce             `json:"bounced"`
	MessageID      string              `json:"message_id"`
	Shortened      bool                `json:"shortened"` // too long to be kept whole; the original is the raw mail
	Created        string              `json:"created"`
	Arrived        string              `json:"arrived"` // when the desk learned of it, later than created for a mail fetched late
}

// ShownAuthor is who wrote a message.
type ShownAuthor struct {
	Kind desk.ActorKind `json:"kind"`
	ID   string         `json:"id"`
	Name string         `json:"name"`
}

// ShownReason is why a message is in its ticket: a code, and a sentence.
type ShownReason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// ShownFile is an attachment as the API shows it.
type ShownFile struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Inline      bool   `json:"inline"`
	ContentID   string `json:"content_id"`
	URL         string `json:"url"`
}

// ShowFile makes the API's form of a file.
func ShowFile(f file.File) ShownFile {
	return ShownFile{f.ID, f.Name, f.ContentType, f.Size, f.Inline, f.ContentID, f.URL()}
}

// Show makes the API's form of a message; delivery is nil for what was not sent.
func (m *Message) Show(ticket int64, author string, reason ShownReason, files []file.File, delivery any) Shown {
	out := Shown{
		ID: m.ID, Ticket: ticket, Thread: m.Thread, Kind: m.Kind, Author: ShownAuthor{m.Author.Kind, m.Author.ID, author},
		From: m.From, To: list(m.To), Cc: list(m.Cc), Bcc: list(m.Bcc), Subject: m.Subject, Text: m.Text, HTML: m.HTML + m.HTMLQuoted,
		VisibleText: m.VisibleText, Attachments: []ShownFile{}, Authentication: m.Authentication, Reason: reason, Delivery: delivery,
		Quoted: m.HTMLQuoted != "" || m.HTML == "" && len(m.Text) > len(m.VisibleText)+2, RemoteImages: richtext.HasRemoteImages(m.HTML + m.HTMLQuoted),
		AutoReply: m.AutoReply, Bounced: m.Bounce, MessageID: m.MessageID, Shortened: m.Shortened,
		Created: desk.MustStamp(m.Created), Arrived: desk.MustStamp(m.Arrived),
	}
	for _, f := range files {
		out.Attachments = append(out.Attachments, ShowFile(f))
	}
	return out
}

func list(a []desk.Address) []desk.Address {
	if a == nil {
		return []desk.Address{}
	}
	return a
}
