// Package message owns what was said in tickets: mails, replies, notes. A
// message is written once and stays as it is; only a bounce is marked on it.
//
// Add writes one in the transaction of its ticket, and of a very long one only
// the beginning; ByMessageID finds the tickets that a mail refers to.
//
// The last message of a ticket is the one learned last: a mail that its server
// gave out late carries an older date and is news all the same.
package message

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Main is the thread of a ticket's own conversation.
const Main = "main"

// Message is one thing said in a ticket.
type Message struct {
	ID             string
	Ticket         string // id
	Thread         string // Main, or a side conversation's id
	Kind           desk.MessageKind
	Author         desk.Actor
	From           desk.Address
	ReplyTo        []desk.Address // where answers are wanted; never an identity
	To, Cc, Bcc    []desk.Address
	Subject        string
	Text           string // the whole text
	VisibleText    string // without quoted thread and signature
	HTML           string // safe HTML of the visible part, "" when it came as text
	HTMLQuoted     string // safe HTML of the quoted part, "" for none
	MessageID      string // without <>, "" for a note
	InReplyTo      string // without <>
	References     []string
	Authentication desk.Authentication
	Reason         desk.Reason // why it is in this ticket
	AutoReply      bool        // a machine wrote it
	MayAutoRespond bool        // an automatic answer would do no harm
	Bounce         *Bounce     // set on our mail when it came back
	Ledger         string      // id of the raw mail, "" for none
	ContentKey     string      // names the content over all mailboxes, "" for what we wrote
	Sent           int64       // ms, by its own Date header; 0 = unknown
	Created        int64       // ms, when it reached us or the mail server in front of us
	Arrived        int64       // ms, when the desk learned of it; not before Created, and later for a mail fetched late
	Shortened      bool        // it was too long for its row; the whole of it is in the ledger
}

// Public reports whether the customer has seen or will see the message.
func (m *Message) Public() bool { return m.Kind != desk.KindNote && m.Kind != desk.KindSystem }

// Add writes m in tx; its id is made when it has none. What is longer than a row
// may be is cut, on m as well, and m says so.
func Add(tx core.App, m *Message, now int64) error {
	if m.ID == "" {
		m.ID = desk.NewID(desk.Time(now))
	}
	if m.Thread == "" {
		m.Thread = Main
	}
	if m.Created == 0 {
		m.Created = now
	}
	if m.Arrived == 0 {
		m.Arrived = max(now, m.Created)
	}
	if m.Authentication == "" {
		m.Authentication = desk.AuthNone
	}
	m.bound()
	if err := insert(tx, m); err != nil {
		return err
	}
	if m.MessageID == "" {
		return nil
	}
	return AddID(tx, m.MessageID, m.ID, m.Ticket)
}
