package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// smtpConn is a connection to an SMTP server, signed in and ready for a mail.
type smtpConn struct {
	client *smtp.Client
	wire   *wire
	server Server
	mails  int // tried over it
}

// connectSMTP is openSMTP with the access token of s, if one is needed.
func (d dialer) connectSMTP(ctx context.Context, s Server, hello string) (*smtpConn, error) {
	w, c, release, err := d.connect(ctx, s)
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := d.greet(w, c, s, hello)
	if err != nil {
		_ = w.Close()
		return nil, w.cause(ctx, err)
	}
	return conn, nil
}

func (d dialer) greet(w *wire, c net.Conn, s Server, hello string) (*smtpConn, error) {
	defer w.limit(greetingTimeout)()
	client, err := smtp.NewClient(c, s.Host)
	if err != nil {
		return nil, err
	}
	conn := &smtpConn{client: client, wire: w, server: s}
	if err := client.Hello(hello); err != nil {
		return nil, err
	}
	if err := d.startTLS(conn); err != nil {
		return nil, err
	}
	return conn, conn.signIn()
}

func (d dialer) startTLS(c *smtpConn) error {
	if c.server.Security != SecurityStartTLS && c.server.Security != SecurityOpportunistic {
		return nil
	}
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		if c.server.Security == SecurityOpportunistic {
			return nil
		}
		return &tlsError{errNoStartTLS}
	}
	if err := c.client.StartTLS(d.tlsConfig(c.server)); err != nil {
		return &tlsError{err}
	}
	return nil
}

var errNoStartTLS = errors.New("the server does not offer STARTTLS")

func (c *smtpConn) signIn() error {
	s := c.server
	if s.User == "" {
		return nil
	}
	offered, mechanisms := c.client.Extension("AUTH")
	if !offered {
		return fmt.Errorf("%w: %w", errSignIn, errNoAuth)
	}
	known := strings.Fields(strings.ToUpper(mechanisms))
	if s.tokens != nil {
		return c.signInByToken(known)
	}
	has := func(name string) bool {
		for _, k := range known {
			if k == name {
				return true
			}
		}
		return false
	}
	// The settings decide whether a password may go out in the clear: with tls
	// and starttls the connection is protected by now.
	var auth smtp.Auth
	switch {
	case has("PLAIN"):
		auth = smtp.PlainAuth("", s.User, s.Password, s.Host, true)
	case has("LOGIN"):
		auth = smtp.LoginAuth(s.User, s.Password, s.Host, true)
	case has("CRAM-MD5"):
		auth = smtp.CRAMMD5Auth(s.User, s.Password)
	default:
		return fmt.Errorf("%w: %w", errSignIn, errNoAuth)
	}
	if err := c.client.Auth(auth); err != nil {
		return fmt.Errorf("%w: %w", errSignIn, err)
	}
	return nil
}

var errNoAuth = errors.New("the server offers no way to sign in that the desk knows")

// fresh makes a used connection ready for the next mail.
func (c *smtpConn) fresh(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.wire.Close() })
	defer stop()
	defer c.wire.limit(commandTimeout / 6)()
	return c.client.Reset()
}

// quit takes leave without waiting long for an answer.
func (c *smtpConn) quit() {
	defer c.wire.limit(time.Second)()
	_ = c.client.Quit()
	_ = c.wire.Close()
}

// maxSize is the largest mail the server says it takes, 0 when it does not say.
func (c *smtpConn) maxSize() int {
	_, text := c.client.Extension("SIZE")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// cause replaces the error of a connection that was closed on purpose.
func (w *wire) cause(ctx context.Context, err error) error {
	if w.stalled.Load() {
		return errStalled
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
