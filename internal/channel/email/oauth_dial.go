package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// openIMAP connects, protects the connection as the server's settings say and
// signs in. The connection is closed when ctx ends.
func (d dialer) openIMAP(ctx context.Context, s Server) (*imapConn, error) {
	return withAccess(ctx, s, func(s Server) (*imapConn, error) { return d.connectIMAP(ctx, s) })
}

// openSMTP connects, protects the connection as the server's settings say and
// signs in. ctx bounds the opening only.
func (d dialer) openSMTP(ctx context.Context, s Server, hello string) (*smtpConn, error) {
	c, err := withAccess(ctx, s, func(s Server) (*smtpConn, error) { return d.connectSMTP(ctx, s, hello) })
	if err == nil {
		c.server.access = "" // the connection is the same with another token
	}
	return c, err
}

// withAccess opens a connection with an access token if the server is signed in
// at by one. A token that the server refuses is renewed once: it may have been
// withdrawn before its time. When that can't be done, the provider's reason is
// the better one to tell.
func withAccess[C any](ctx context.Context, s Server, open func(Server) (C, error)) (C, error) {
	var none C
	if s.tokens == nil {
		return open(s)
	}
	access, err := s.tokens.get(ctx)
	if err != nil {
		return none, err
	}
	s.access = access
	c, err := open(s)
	if !errors.Is(err, errSignIn) || errors.Is(err, errNoBearer) {
		return c, err
	}
	other, failure := s.tokens.instead(ctx, access)
	if failure != nil {
		return none, failure
	}
	if other == "" {
		return none, err
	}
	s.access = other
	return open(s)
}

const greetingMax = 8 << 10 // bytes of a line before TLS

// startTLSFirst does the STARTTLS of IMAP by itself, so that go-imap's dialogue
// can be watched inside of it; see emptyLine. Nothing the server said before
// counts afterwards.
func (d dialer) startTLSFirst(w *wire, s Server) (net.Conn, error) {
	greeting, err := readLine(w)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(strings.ToUpper(greeting), "* OK") {
		return nil, fmt.Errorf("%s greets with %q", s.Host, cut(oneLine(greeting), 100))
	}
	if _, err := io.WriteString(w, "S1 STARTTLS\r\n"); err != nil {
		return nil, err
	}
	line := "*"
	for strings.HasPrefix(line, "*") {
		if line, err = readLine(w); err != nil {
			return nil, err
		}
	}
	if !strings.HasPrefix(strings.ToUpper(line), "S1 OK") {
		return nil, &tlsError{errNoStartTLS}
	}
	secure := tls.Client(w, d.tlsConfig(s))
	if err := secure.Handshake(); err != nil {
		return nil, &tlsError{err}
	}
	return &greeted{Conn: secure, rest: strings.NewReader("* OK TLS is on\r\n")}, nil
}

// readLine reads byte by byte, so that what follows the line stays unread.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < greetingMax; line = append(line, one[0]) {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return textproto.TrimString(string(line)), nil
		}
	}
	return "", errors.New("a line of the server has no end")
}

// greeted is a connection whose greeting came before TLS: it gives another one.
type greeted struct {
	net.Conn
	rest *strings.Reader
}

// Read implements net.Conn.
func (g *greeted) Read(p []byte) (int, error) {
	if g.rest.Len() > 0 {
		return g.rest.Read(p)
	}
	return g.Conn.Read(p)
}
