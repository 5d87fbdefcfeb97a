package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxRecipients = 100             // per mail, RFC 5321 4.5.3.1.8
	listenTimeout = 5 * time.Minute // for a command, and for a whole mail; RFC 5321 4.5.3.2
	stopTimeout   = 5 * time.Second // for the mails on their way when the desk stops
)

// listener is the built-in SMTP server.
type listener struct {
	service *Service
	door    *door
	server  *smtp.Server
}

// listen binds the address of the built-in SMTP server. The error is a sentence
// for people.
func (s *Service) listen(addr string, config *tls.Config) (*listener, error) {
	socket, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("can't listen for mail on %s (--smtp): %w", addr, err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &inSession{service: s, conn: c}, nil
	}))
	server.Domain = s.options.Hostname
	server.MaxMessageBytes = s.options.MaxSize
	server.MaxRecipients = maxRecipients
	server.MaxLineLength = 0 // a mail may hold longer lines than RFC 5321 allows; guest bounds the commands
	server.ReadTimeout, server.WriteTimeout = listenTimeout, time.Minute
	server.EnableSMTPUTF8 = true
	server.TLSConfig = config
	server.ErrorLog = smtpLog{s}
	return &listener{service: s, door: newDoor(socket), server: server}, nil
}

// run serves until ctx ends, then lets the mails on their way come in.
func (l *listener) run(ctx context.Context) error {
	served := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		defer l.service.recovered("stop SMTP listener")
		select {
		case <-served:
		case <-ctx.Done():
			l.stop(context.WithoutCancel(ctx))
		}
	}()
	err := l.server.Serve(l.door)
	close(served)
	<-stopped
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (l *listener) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	l.door.close(false)
	if l.server.Shutdown(ctx) != nil {
		l.door.close(true)
	}
}

// smtpLog passes go-smtp's complaints on. They may quote what a stranger sent,
// so of the usual ones only the kind is logged.
type smtpLog struct{ service *Service }

// Printf implements smtp.Logger.
func (l smtpLog) Printf(format string, args ...any) {
	if strings.HasPrefix(format, "panic") {
		l.service.logger.Error("SMTP dialogue panicked", "error", fmt.Sprintf(format, args...))
		return
	}
	l.service.logger.Debug("SMTP dialogue failed", "kind", format)
}

// Println implements smtp.Logger.
func (l smtpLog) Println(...any) {}
