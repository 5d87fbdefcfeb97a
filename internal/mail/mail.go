// Package mail reads internet mail as it really comes: it turns raw bytes into
// a Mail, tells bounces, automatic mail and complaints from letters, and finds
// what a person wrote among quoted text and signatures.
//
// Parse never fails and never panics. It knows no database, network or clock,
// and its cost is bounded by the size of the input, however hostile.
//
// The MIME tree is our own, cut from the raw bytes. Readers that nest a buffer
// per level cost size times depth (enmime 2.3: 3.4 s for 120 kB nested a
// thousand deep, this package 1 ms) and give up the part, or the whole mail,
// where something can't be decoded.
package mail

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Mail is one message. HTML is as the sender wrote it: pass it through
// richtext.Sanitize before showing it anywhere.
type Mail struct {
	Header     Header    // of the whole mail
	Subject    string    // decoded, on one line, may be empty
	From       Address   // the author; the identity is its addr-spec, never Sender or Reply-To
	FromCount  int       // authors in all From fields; other than 1 means the identity can't be trusted
	Sender     Address   // zero if none
	To         []Address // as the header says; up to 10,000
	Cc         []Address
	ReplyTo    []Address
	MessageID  string    // without angle brackets, "" if none
	InReplyTo  []string  // ids without angle brackets
	References []string  // oldest first, at most 500
	Date       time.Time // UTC, what the sender claims; zero if none
	Text       string    // plain text, made from HTML where there is only that
	HTML       string    // UTF-8, unsanitised; "" for a plain mail
	Parts      []Part    // everything that is not the text: files, pictures, attached mails, invitations

	AutoReply      bool      // a machine answered: out of office, vacation, receipt
	MayAutoRespond bool      // false: answering automatically could start a loop or hit a list
	Bounce         *Bounce   // nil if this is no delivery report
	Feedback       *Feedback // nil if this is no complaint report

	htmlOnly bool // Text was made from HTML
	nested   bool // read out of a report: don't look for another one inside

	Unreadable bool     // nothing could be made of it: Text is the raw bytes; quarantine it
	Defects    []string // what was wrong, for a person to read
}

// Part is one file or inline picture of a mail.
type Part struct {
	Name        string // safe to show and to offer as a download; never empty
	ContentType string // lower case, as the sender claims: sniff before trusting it
	ContentID   string // without angle brackets, "" if none
	Inline      bool   // belongs into the text: the HTML refers to it or the sender said inline
	Content     []byte // decoded
}

// Parse reads a raw message. It takes anything: a damaged message comes back
// as far as it could be read, with Defects; in the worst case as text with
// Unreadable set. The result does not alias raw.
func Parse(raw []byte) (m *Mail) {
	defer func() {
		if r := recover(); r != nil {
			m = unreadable(raw, fmt.Sprintf("could not be read: %v", r))
		}
	}()
	raw = bytes.Clone(raw)
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	m = &Mail{}
	if !m.read(raw) {
		return unreadable(raw, "no header")
	}
	return m
}

// read fills m from raw, which it keeps slices of; false if there is no header.
func (m *Mail) read(raw []byte) bool {
	h, body, defects := splitHeader(raw)
	if len(h.fields) == 0 {
		return false
	}
	m.Header, m.Defects = h, defects
	m.Header.charset = headerCharset(&h, raw)
	m.readHeader()
	s := &splitter{charset: m.Header.charset}
	root := s.split(m.Header, body, 0, "text/plain")
	m.Defects = append(m.Defects, s.defects...)
	m.readBody(root)
	m.classify(root)
	return true
}

// unreadable keeps a message nobody can parse as its own text.
func unreadable(raw []byte, why string) *Mail {
	text := bound(guessText(raw[:min(len(raw), 1<<20)], false), 1<<20)
	return &Mail{Text: text, Unreadable: true, Defects: []string{why}}
}

// headerCharset is what raw 8-bit text in the header is most likely in: the
// charset the mail declares for its text, else what the whole looks like.
func headerCharset(h *Header, raw []byte) string {
	_, params := parseParams(h.raw("Content-Type"))
	if cs := params["charset"]; cs != "" && charsetByName(strings.ToLower(cs)) != nil {
		return cs
	}
	if h.isUTF8() {
		return ""
	}
	sample := bytes.ToLower(raw[:min(len(raw), detectSample)])
	if i := bytes.Index(sample, []byte("charset=")); i >= 0 {
		_, params = parseParams("x/y;" + string(sample[i:min(len(sample), i+80)]))
	}
	if cs := params["charset"]; charsetByName(strings.ToLower(cs)) != nil {
		return cs
	}
	return detectName(highParts(raw, detectSample), false)
}

func (m *Mail) readHeader() {
	h := &m.Header
	m.Subject = strings.TrimSpace(bound(h.Get("Subject"), 2000))
	from := m.addresses("From")
	m.FromCount = len(from)
	if len(from) > 0 {
		m.From = from[0]
	}
	if s := m.addresses("Sender"); len(s) > 0 {
		m.Sender = s[0]
	}
	m.To, m.Cc, m.ReplyTo = m.addresses("To"), m.addresses("Cc"), m.addresses("Reply-To")
	if ids := messageIDs(h.rawValues("Message-ID")); len(ids) > 0 {
		m.MessageID = ids[0]
	}
	m.InReplyTo = boundReferences(messageIDs(h.rawValues("In-Reply-To")))
	m.References = boundReferences(messageIDs(h.rawValues("References")))
	m.Date = parseDate(h.raw("Date"))
}

// addresses reads all fields of a name as one list.
func (m *Mail) addresses(name string) []Address {
	var all []Address
	for _, v := range m.Header.rawValues(name) {
		all = append(all, parseAddresses(v, m.Header.charset)...)
	}
	if len(all) > maxAddresses {
		all = all[:maxAddresses]
	}
	return all
}
