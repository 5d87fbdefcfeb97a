package email

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/wneessen/go-mail/smtp"
)

// The SASL mechanisms that take an access token: Google's and Microsoft's own,
// and RFC 7628.
const (
	xoauth2     = "XOAUTH2"
	oauthBearer = "OAUTHBEARER"
)

// errNoBearer says that a server takes no access token.
var errNoBearer = errors.New("the server offers no sign-in by OAuth2")

// refusedToken is a mail server's no to an access token.
type refusedToken struct {
	words string // the server's own, "" for none
	err   error
}

func (e *refusedToken) Error() string { return errSignIn.Error() + ": " + e.words }

// Unwrap makes it a refused sign-in.
func (e *refusedToken) Unwrap() []error { return []error{errSignIn, e.err} }

// bearer is the client's side of a sign-in by access token. A server that does
// not like the token says why in a challenge, and says no only once that was
// answered: with nothing for XOAUTH2, with %x01 for OAUTHBEARER.
type bearer struct {
	mechanism string
	server    Server
	challenge string // what the server did not like, "" for nothing
}

// newBearer chooses what the server offers, nil when that is neither.
func newBearer(s Server, offered func(mechanism string) bool) *bearer {
	for _, mechanism := range []string{xoauth2, oauthBearer} {
		if offered(mechanism) {
			return &bearer{mechanism: mechanism, server: s}
		}
	}
	return nil
}

func (b *bearer) first() []byte {
	s := b.server
	if b.mechanism == xoauth2 {
		return []byte("user=" + s.User + "\x01auth=Bearer " + s.access + "\x01\x01")
	}
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.User)
	return []byte("n,a=" + user + ",\x01host=" + s.Host + "\x01port=" + strconv.Itoa(s.Port) + "\x01auth=Bearer " + s.access + "\x01\x01")
}

// reply answers a challenge; an empty one asks for the first response, which the
// server did not take along with the command.
func (b *bearer) reply(challenge []byte) []byte {
	if len(challenge) == 0 {
		return b.first()
	}
	b.challenge = cut(oneLine(string(challenge)), maxDetail)
	if b.mechanism == xoauth2 {
		return []byte{}
	}
	return []byte{1}
}

// refused is err as what it means: once the server told what it did not like, it
// has refused, however the dialogue ended.
func (b *bearer) refused(err error, no bool, words string) error {
	if err == nil || !no && b.challenge == "" {
		return err
	}
	return &refusedToken{words: strings.TrimSpace(words), err: err}
}

// imapBearer is a bearer for go-imap.
type imapBearer struct{ *bearer }

// Start implements sasl.Client.
func (b imapBearer) Start() (mechanism string, first []byte, err error) {
	return b.mechanism, b.first(), nil
}

// Next implements sasl.Client.
func (b imapBearer) Next(challenge []byte) ([]byte, error) { return b.reply(challenge), nil }

// signInByToken signs in with the access token of s.
func (c *imapConn) signInByToken(s Server) error {
	caps := c.client.Caps()
	b := newBearer(s, func(mechanism string) bool { return caps.Has(imap.AuthCap(mechanism)) })
	if b == nil {
		return fmt.Errorf("%w: %w", errSignIn, errNoBearer)
	}
	err := c.client.Authenticate(imapBearer{b})
	var no *imap.Error
	if !errors.As(err, &no) {
		return b.refused(err, false, "")
	}
	refused := no.Type != imap.StatusResponseTypeBye && no.Code != imap.ResponseCodeUnavailable
	return b.refused(err, refused, fmt.Sprintf("%s %s", no.Type, no.Text))
}

// smtpBearer is a bearer for go-mail.
type smtpBearer struct{ *bearer }

// Start implements smtp.Auth.
func (b smtpBearer) Start(*smtp.ServerInfo) (mechanism string, first []byte, err error) {
	return b.mechanism, b.first(), nil
}

// Next implements smtp.Auth.
func (b smtpBearer) Next(challenge []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	return b.reply(challenge), nil
}

// signInByToken signs in with the access token of the server; mechanisms are
// what it offers.
func (c *smtpConn) signInByToken(mechanisms []string) error {
	b := newBearer(c.server, func(mechanism string) bool { return slices.Contains(mechanisms, mechanism) })
	if b == nil {
		return fmt.Errorf("%w: %w", errSignIn, errNoBearer)
	}
	err := c.client.Auth(smtpBearer{b})
	var no *textproto.Error
	if !errors.As(err, &no) {
		return b.refused(err, false, "")
	}
	if no.Code/100 == 4 && no.Code != 432 { // busy; 432 is a password that has to be changed
		return err
	}
	return b.refused(err, true, answerText(no))
}

// emptyLine lets an empty answer out as the empty line that XOAUTH2 wants:
// go-imap writes "=", which means an empty first response only.
type emptyLine struct{ net.Conn }

// Write implements net.Conn.
func (c emptyLine) Write(p []byte) (int, error) {
	if string(p) != "=\r\n" {
		return c.Conn.Write(p)
	}
	_, err := c.Conn.Write([]byte("\r\n"))
	return len(p), err
}
