package sandbox

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	inbox   = "INBOX"
	user    = "desk"
	maxMail = 40 << 20 // bytes of one mail
)

// world is the running sandbox: two servers and the desk's inbox. Both servers
// want a password that is new at every start, so that no other program of the
// machine plays along.
type world struct {
	sandbox  *Sandbox
	address  string // the desk's own
	password string
	validity uint32 // UIDVALIDITY: new at every start, for the inbox is

	account *imapmemserver.User
	imap    *imapserver.Server
	smtp    *smtp.Server
	sockets [2]net.Listener // IMAP, SMTP
	running sync.WaitGroup
}

func (s *Sandbox) open(address string) (*world, error) {
	w := &world{sandbox: s, address: address, password: desk.NewToken(), validity: uint32(s.Clock.Now().Unix())}
	w.account = imapmemserver.NewUser(user, w.password)
	if err := w.account.Create(inbox, nil); err != nil {
		return nil, err
	}
	for i := range w.sockets {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			w.closeSockets()
			return nil, err
		}
		w.sockets[i] = l
	}
	w.serveIMAP()
	w.serveSMTP()
	return w, nil
}

func (w *world) serveIMAP() {
	w.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{world: w}, nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}},
		Logger:       log.New(io.Discard, "", 0),
		InsecureAuth: true, // over loopback
	})
	w.running.Go(func() {
		defer w.sandbox.recovered()
		_ = w.imap.Serve(w.sockets[0])
	})
}

func (w *world) serveSMTP() {
	w.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &smtpSession{world: w}, nil
	}))
	w.smtp.Domain = "sandbox.invalid"
	w.smtp.MaxMessageBytes, w.smtp.MaxLineLength, w.smtp.MaxRecipients = maxMail, 0, 100
	w.smtp.ReadTimeout, w.smtp.WriteTimeout = time.Minute, time.Minute
	w.smtp.EnableSMTPUTF8, w.smtp.AllowInsecureAuth = true, true
	w.smtp.ErrorLog = log.New(io.Discard, "", 0)
	w.running.Go(func() {
		defer w.sandbox.recovered()
		_ = w.smtp.Serve(w.sockets[1])
	})
}

func (w *world) close() {
	_ = w.imap.Close()
	_ = w.smtp.Close()
	w.closeSockets() // for a server that had not begun to serve
	w.running.Wait()
}

func (w *world) closeSockets() {
	for _, l := range w.sockets {
		if l != nil {
			_ = l.Close()
		}
	}
}

func (w *world) imapServer() email.Server { return w.server(w.sockets[0]) }
func (w *world) smtpServer() email.Server { return w.server(w.sockets[1]) }

func (w *world) server(l net.Listener) email.Server {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	n, _ := strconv.Atoi(port) // the system gave it
	return email.Server{Host: host, Port: n, Security: email.SecurityNone, User: user, Password: w.password}
}

// imapSession is the in-memory session with our sign-in and UIDVALIDITY.
type imapSession struct {
	*imapmemserver.UserSession // nil until signed in
	world                      *world
}

// Login implements imapserver.Session.
func (s *imapSession) Login(name, password string) error {
	if err := s.world.account.Login(name, password); err != nil {
		return err
	}
	s.UserSession = imapmemserver.NewUserSession(s.world.account)
	return nil
}

// Select implements imapserver.Session.
func (s *imapSession) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(name, o)
	if err == nil {
		data.UIDValidity = s.world.validity
	}
	return data, err
}

// Close implements imapserver.Session.
func (s *imapSession) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

// smtpSession is one dialogue with the desk, or with the page that plays a customer.
type smtpSession struct {
	world  *world
	known  bool // signed in
	toDesk bool
	others []string // recipients that are pretend customers
}

// AuthMechanisms implements smtp.AuthSession.
func (s *smtpSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *smtpSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, password string) error {
		if name != user || subtle.ConstantTimeCompare([]byte(password), []byte(s.world.password)) != 1 {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *smtpSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	ours, err := s.world.sandbox.Mailboxes.Ours(s.world.sandbox.App, to)
	if err != nil {
		return err
	}
	if ours {
		s.toDesk = true
	} else {
		s.others = append(s.others, to)
	}
	return nil
}

// Data implements smtp.Session.
func (s *smtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(s.others) > 0 {
		if err := keep(s.world.sandbox.App, s.world.sandbox.Clock.Now(), s.others, raw); err != nil {
			s.world.sandbox.App.Logger().Error("sandbox mail not kept", "error", err)
			return errors.New("not kept, try again later")
		}
	}
	if !s.toDesk {
		return nil
	}
	_, err = s.world.account.Append(inbox, literal{bytes.NewReader(raw)}, &imap.AppendOptions{})
	return err
}

// Reset implements smtp.Session.
func (s *smtpSession) Reset() { s.toDesk, s.others = false, nil }

// Logout implements smtp.Session.
func (s *smtpSession) Logout() error { return nil }

type literal struct{ *bytes.Reader }

// Size implements imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }
