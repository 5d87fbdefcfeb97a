// Package smtptest is an SMTP server for tests: a sink on an ephemeral port of
// loopback that keeps a ledger of what it accepted and can be told to
// misbehave at any step of the dialogue. It is written by hand, so that it can
// break the protocol where a decent library would not.
package smtptest

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Answers that a Script may give besides an SMTP reply line.
const (
	Drop    = "drop"    // close the connection without a word
	Silence = "silence" // never answer; the connection stays open until Close
	// AcceptAndDrop, at Body only, takes the mail into the ledger and closes
	// the connection before the 250: the window in which nobody knows.
	AcceptAndDrop = "accept and drop"
)

// Steps of the dialogue a Script is asked about, besides the verbs themselves
// ("EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "AUTH", "STARTTLS", ...).
const (
	Connect = "CONNECT" // before the greeting
	Body    = "BODY"    // after the final dot
)

// Script answers a step instead of the server: a reply line such as
// "450 4.7.1 greylisted", one of the constants above, or "" for the usual. arg
// is what follows the verb; at Body it is the content of the mail. It may sleep
// to be slow. It is called by several goroutines.
type Script func(step, arg string) string

// Options say what the server can do; the zero value is a plain server that
// wants no sign-in.
type Options struct {
	User, Password string      // wanted when User is not ""
	TLS            *tls.Config // offers STARTTLS with it
	Implicit       bool        // speaks TLS from the first byte with TLS
	Without        []string    // extensions not offered, such as "8BITMIME", "PIPELINING" or "EHLO" for none at all
	Size           int64       // SIZE offered, 0 for none
	Extra          []string    // more EHLO lines, such as "SMTPUTF8"
	Script         Script      // nil for none

	// Bearer takes a sign-in by access token besides, nil for none; Mechanisms
	// are what AUTH offers, "PLAIN LOGIN XOAUTH2" with Bearer when empty.
	Bearer     func(user, token string) bool
	Mechanisms string
}

// Mail is one accepted mail.
type Mail struct {
	From  string   // envelope sender, "" for <>
	To    []string // envelope recipients
	Data  []byte   // content, dots unstuffed
	User  string   // who signed in, "" for nobody
	TLS   bool     // came over TLS
	Hello string   // the client's EHLO or HELO name
}

// Server is a running server.
type Server struct {
	options  Options
	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	script   Script
	mails    []Mail
	commands []string
	conns    map[net.Conn]struct{}
	answers  []string // to challenges that told of an error
	accepted int
	closed   bool
	more     chan struct{} // closed and renewed at every mail
}

// New starts a server that is closed with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("smtptest: %v", err)
	}
	s := &Server{options: o, listener: l, script: o.Script, conns: map[net.Conn]struct{}{}, more: make(chan struct{})}
	s.wg.Add(1)
	go s.accept()
	t.Cleanup(s.Close)
	return s
}

// Addr is "127.0.0.1:port".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the port alone.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.Addr())
	n, _ := strconv.Atoi(port)
	return n
}

// SetScript changes how the server misbehaves; nil makes it behave.
func (s *Server) SetScript(f Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = f
}

// Mails returns what was accepted so far, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Commands returns the command lines received so far; those of AUTH without
// what was secret.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Answers returns what clients answered so far when a challenge told them that
// their token is refused.
func (s *Server) Answers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

// Connections is how many connections were made so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Wait returns the accepted mails as soon as there are n, and fails the test
// when that takes longer than ten seconds.
func (s *Server) Wait(t testing.TB, n int) []Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		mails, more := slices.Clone(s.mails), s.more
		s.mu.Unlock()
		if len(mails) >= n {
			return mails
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("smtptest: %d mails after 10 s, want %d", len(mails), n)
		}
	}
}

// DropConnections closes every connection there is now.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Close ends the server and waits for its goroutines; twice is fine.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close()
	s.DropConnections()
	s.wg.Wait()
}

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.options.Implicit {
			c = tls.Server(c, s.options.TLS)
		}
		if !s.track(c) {
			_ = c.Close()
			return
		}
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			defer s.untrack(c)
			newSession(s, c).run()
		}()
	}
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	s.accepted++
	return true
}

func (s *Server) untrack(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	_ = c.Close()
}

func (s *Server) keep(m Mail) {
	m.Data = bytes.Clone(m.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *Server) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, line)
}

func (s *Server) ask(step, arg string) string {
	s.mu.Lock()
	f := s.script
	s.mu.Unlock()
	if f == nil {
		return ""
	}
	return f(step, arg)
}
