package email

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/emersion/go-smtp"
)

// usualSize is the buffer a mail of unknown size starts with.
const usualSize = 8 << 10

// inSession is one dialogue with somebody who brings mail.
type inSession struct {
	service *Service
	conn    *smtp.Conn
	from    string
	size    int64    // as announced, 0 when not
	to      []string // recipients
	boxes   []string // ids of their mailboxes, each once
}

// Mail implements smtp.Session.
func (s *inSession) Mail(from string, o *smtp.MailOptions) error {
	s.Reset()
	s.from, s.size = from, o.Size
	return nil
}

// Rcpt implements smtp.Session.
func (s *inSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	box, ok, err := s.service.mailboxes.For(to)
	if err != nil {
		return s.refusal(err)
	}
	if !ok {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox here"}
	}
	s.to = append(s.to, to)
	if !slices.Contains(s.boxes, box) {
		s.boxes = append(s.boxes, box)
	}
	return nil
}

// Data implements smtp.Session: it answers 250 only once the Ledger has the mail.
func (s *inSession) Data(r io.Reader) error {
	tooLarge := false
	if g := s.guest(); g != nil {
		g.bringing(true)
		defer func() {
			g.bringing(false)
			if tooLarge { // the rest is read and thrown away before the answer
				g.quota.Store(restQuota)
			}
		}()
	}
	raw, err := readMail(r, s.size)
	if err != nil {
		var own *smtp.SMTPError
		if errors.As(err, &own) {
			tooLarge = true
			return own
		}
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "The mail did not come in whole, send it again"}
	}
	peer, _, _ := net.SplitHostPort(s.conn.Conn().RemoteAddr().String())
	in := make([]desk.Inbound, len(s.boxes))
	for i, box := range s.boxes {
		in[i] = desk.Inbound{Channel: desk.ChannelEmail, Mailbox: box, Raw: raw, MailFrom: s.from, RcptTo: s.to, Peer: peer, Helo: s.conn.Hostname()}
	}
	// The desk stopping does not cut a mail short that is here already.
	if err := s.service.ledger.Store(context.Background(), in...); err != nil {
		return s.refusal(err)
	}
	s.service.noteArrival(s.boxes)
	return nil
}

// refusal tells the sender to keep the mail and try again.
func (s *inSession) refusal(err error) error {
	s.service.logger.Error("incoming mail not stored", "error", err)
	if file.IsFull(err) {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Insufficient system storage, try again later"}
	}
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not stored, try again later"}
}

// Reset implements smtp.Session.
func (s *inSession) Reset() { s.from, s.size, s.to, s.boxes = "", 0, nil, nil }

// Logout implements smtp.Session.
func (s *inSession) Logout() error { return nil }

// guest is the connection under the dialogue and, maybe, TLS.
func (s *inSession) guest() *guest {
	c := s.conn.Conn()
	if t, ok := c.(*tls.Conn); ok {
		c = net.Conn(t.NetConn())
	}
	g, _ := c.(*guest)
	return g
}

// readMail reads a mail once, without copying it when its size was announced.
func readMail(r io.Reader, announced int64) ([]byte, error) {
	// One byte more than the mail lets the end be seen; nobody gets much memory
	// for a promise.
	size := min(max(announced+512, usualSize), 1<<20)
	raw := make([]byte, 0, size)
	for {
		n, err := r.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		switch {
		case err == io.EOF:
			return raw, nil
		case err != nil:
			return nil, err
		case len(raw) == cap(raw):
			raw = slices.Grow(raw, cap(raw))
		}
	}
}
