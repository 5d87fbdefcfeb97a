package imaptest

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// listener wraps connections so that they can be watched, spoiled and cut.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.server.options.Implicit {
		c = tls.Server(c, l.server.options.TLS)
	}
	wrapped := &conn{Conn: c, server: l.server}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.conns[wrapped] = struct{}{}
	l.server.accepted++
	return wrapped, nil
}

type conn struct {
	net.Conn
	server *Server
	once   sync.Once
	line   []byte // an unfinished command line
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.line = append(c.line, p[:n]...)
	for {
		line, rest, ok := bytes.Cut(c.line, []byte("\r\n"))
		if !ok {
			return n, err
		}
		c.line = rest
		c.server.note(string(line))
	}
}

func (s *Server) note(line string) {
	_, after, tagged := strings.Cut(line, " ")
	if !tagged && line != "DONE" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answers = append(s.answers, line)
		return
	}
	if tagged {
		line = after
	}
	if strings.HasPrefix(line, "LOGIN") || strings.HasPrefix(line, "AUTHENTICATE") {
		line, _, _ = strings.Cut(line, " ")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, line)
}

func (c *conn) Write(p []byte) (int, error) {
	out := p
	if c.server.options.NoIdle {
		out = bytes.ReplaceAll(out, []byte(" IDLE"), nil)
	}
	if c.server.options.NoSASLIR {
		out = bytes.ReplaceAll(out, []byte(" SASL-IR"), nil)
	}
	if spoil := c.server.spoil.Load(); spoil != nil {
		if out = (*spoil)(bytes.Clone(out)); out == nil {
			_ = c.Conn.Close()
			return 0, net.ErrClosed
		}
	}
	if _, err := c.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *conn) Close() error {
	c.once.Do(func() {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		delete(c.server.conns, c)
	})
	return c.Conn.Close()
}

// session is the in-memory session with our sign-in and our faults.
type session struct {
	*imapmemserver.UserSession // nil until signed in
	server                     *Server
}

func (s *Server) newSession(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	return &session{server: s}, nil, nil
}

// Login implements imapserver.Session.
func (s *session) Login(user, password string) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if user != s.server.options.User || password != s.server.password {
		return imapserver.ErrAuthFailed
	}
	s.UserSession = imapmemserver.NewUserSession(s.server.user)
	return nil
}

// Close implements imapserver.Session.
func (s *session) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

// Idle implements imapserver.Session.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if s.server.options.NoIdle {
		return &imap.Error{Type: imap.StatusResponseTypeBad, Text: "unknown command"}
	}
	return s.UserSession.Idle(w, stop)
}

// Fetch implements imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	s.server.mu.Lock()
	before := s.server.fetches
	s.server.mu.Unlock()
	if before != nil {
		if err := before(set); err != nil {
			return err
		}
	}
	return s.UserSession.Fetch(w, set, o)
}
