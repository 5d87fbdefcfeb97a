// Package imaptest is an IMAP server for tests: go-imap's in-memory server on
// an ephemeral port of loopback, with one user, whose INBOX can be filled,
// renumbered and emptied, whose connections can be cut, and whose bytes can be
// spoiled on their way to the client.
package imaptest

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Folder is the only folder there is.
const Folder = "INBOX"

// Options say what the server can do; the zero value takes user "user" with
// password "password" over plain TCP and knows IDLE.
type Options struct {
	User, Password string
	TLS            *tls.Config // offers STARTTLS with it
	Implicit       bool        // speaks TLS from the first byte with TLS
	NoIdle         bool        // neither offers nor knows IDLE
	NoSASLIR       bool        // takes no initial response with AUTHENTICATE

	// Bearer takes a sign-in by access token besides, nil for none; Mechanisms
	// are how, "XOAUTH2" when empty.
	Bearer     func(user, token string) bool
	Mechanisms []string
}

// Server is a running server.
type Server struct {
	options  Options
	listener net.Listener
	server   *imapserver.Server
	done     chan struct{}
	spoil    atomic.Pointer[func([]byte) []byte] // not under mu: the in-memory server writes with its own lock held

	mu       sync.Mutex
	user     *imapmemserver.User
	password string
	mails    []stored // what is in INBOX, in order of arrival
	conns    map[*conn]struct{}
	commands []string
	fetches  func(uids imap.NumSet) error
	accepted int
	answers  []string // continuation lines
}

type stored struct {
	raw []byte
	at  time.Time
	uid imap.UID
}

// New starts a server with an empty INBOX that is closed with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.User == "" {
		o.User = "user"
	}
	if o.Password == "" {
		o.Password = "password"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	s := &Server{options: o, listener: l, password: o.Password, conns: map[*conn]struct{}{}, done: make(chan struct{})}
	s.user = imapmemserver.NewUser(o.User, "")
	if err := s.user.Create(Folder, nil); err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	var starttls *tls.Config
	if !o.Implicit {
		starttls = o.TLS
	}
	s.server = imapserver.New(&imapserver.Options{
		NewSession:   s.newSession,
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapESearch: {}},
		Logger:       log.New(io.Discard, "", 0),
		TLSConfig:    starttls,
		InsecureAuth: true,
	})
	go func() {
		defer close(s.done)
		_ = s.server.Serve(&listener{Listener: l, server: s})
	}()
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

// Append puts a mail into INBOX as if it arrived now and returns its UID.
func (s *Server) Append(t testing.TB, raw string) imap.UID {
	t.Helper()
	return s.AppendAt(t, raw, time.Time{})
}

// AppendAt is Append with an INTERNALDATE; the zero time is now.
func (s *Server) AppendAt(t testing.TB, raw string, at time.Time) imap.UID {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.IsZero() {
		at = time.Now()
	}
	m := stored{raw: []byte(raw), at: at}
	if err := s.put(&m); err != nil {
		t.Fatalf("imaptest: append: %v", err)
	}
	s.mails = append(s.mails, m)
	return m.uid
}

func (s *Server) put(m *stored) error {
	data, err := s.user.Append(Folder, literal{bytes.NewReader(m.raw)}, &imap.AppendOptions{Time: m.at})
	if err == nil {
		m.uid = data.UID
	}
	return err
}

// Renumber makes INBOX anew with the same mails under another UIDVALIDITY and
// new UIDs, and cuts all connections, as a server does after a restore.
func (s *Server) Renumber(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.user.Delete(Folder); err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	s.refill(t)
}

// Restart makes the whole account anew, empty: the UIDVALIDITY is the first
// one again and so are the UIDs, as with a server that lies about them.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user = imapmemserver.NewUser(s.options.User, "")
	s.mails = nil
	s.refill(t)
}

func (s *Server) refill(t testing.TB) {
	t.Helper()
	if err := s.user.Create(Folder, nil); err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	for i := range s.mails {
		if err := s.put(&s.mails[i]); err != nil {
			t.Fatalf("imaptest: %v", err)
		}
	}
	s.cut()
}

// SetPassword changes the password from now on.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// Spoil changes, or with nil stops changing, the bytes sent to clients. f gets
// what the server flushes at once; returning nil cuts the connection.
func (s *Server) Spoil(f func(out []byte) []byte) {
	if f == nil {
		s.spoil.Store(nil)
		return
	}
	s.spoil.Store(&f)
}

// BeforeFetch is called before each FETCH; an error becomes its answer, and
// what it does to INBOX happens between a client's look and its fetch.
func (s *Server) BeforeFetch(f func(set imap.NumSet) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches = f
}

// Expunge removes the mail with this UID, as another client would.
func (s *Server) Expunge(t testing.TB, uid imap.UID) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	session := imapmemserver.NewUserSession(s.user)
	if _, err := session.Select(Folder, &imap.SelectOptions{}); err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	defer func() { _ = session.Close() }()
	set := imap.UIDSetNum(uid)
	err := session.Store(nil, set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil)
	if err == nil {
		err = session.Expunge(nil, &set)
	}
	if err != nil {
		t.Fatalf("imaptest: expunge: %v", err)
	}
	s.mails = slices.DeleteFunc(s.mails, func(m stored) bool { return m.uid == uid })
}

// Unseen is how many mails nobody has marked as read.
func (s *Server) Unseen(t testing.TB) int {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := s.user.Status(Folder, &imap.StatusOptions{NumUnseen: true})
	if err != nil {
		t.Fatalf("imaptest: %v", err)
	}
	return int(*data.NumUnseen)
}

// Commands returns the command lines received so far, tags taken off, without
// those that sign in.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Continuations returns the lines received so far that were no commands: what
// a client answered while it signed in.
func (s *Server) Continuations() []string {
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

// DropConnections closes every connection there is now.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut()
}

func (s *Server) cut() {
	for c := range s.conns {
		_ = c.Conn.Close()
	}
}

// Close ends the server; twice is fine.
func (s *Server) Close() {
	_ = s.server.Close()
	_ = s.listener.Close()
	s.DropConnections()
	<-s.done
}

type literal struct{ *bytes.Reader }

// Size implements imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }
