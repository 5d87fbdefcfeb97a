package email

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/wneessen/go-mail/smtp"
)

// Send sends out to one recipient through the mailbox out.Mailbox, one envelope
// of its own. It calls stage(desk.SendData) once, just before the last bytes of
// the mail go out, and does not send them when stage fails: whoever stores the
// stage durably there knows that a death before it left nothing sent.
//
// Up to that moment a problem means SendDeferred, or SendFailed when the server
// refused for good (5xx) or the mail can't be written. After it the server's
// answer decides; without one the result is SendUncertain, never to be tried
// again by itself. The mail is sent once the server said 250, whatever happens
// to the connection then. Automatic mail leaves with the null sender.
//
// A wrong password or a server out of reach defers: it says nothing about the
// mail, and mending the mailbox lets it go.
func (s *Service) Send(ctx context.Context, out desk.Outbound, rcpt desk.Address, stage func(desk.SendState) error) desk.SendResult {
	box, err := s.mailboxes.Find(s.app, out.Mailbox)
	if err != nil {
		s.logger.Error("read mailbox", "mailbox", out.Mailbox, "error", err)
		return desk.SendResult{State: desk.SendDeferred, Answer: "The mailbox could not be read; the desk tries again."}
	}
	if result := s.sendable(box); result != nil {
		return *result
	}
	e, err := newEnvelope(out, rcpt)
	if err != nil {
		return desk.SendResult{State: desk.SendFailed, Answer: err.Error()}
	}
	e.raw = s.sign(*box, out.From, e.raw)
	result, err := s.deliver(ctx, *box, e, stage)
	s.noteOutgoing(*box, err)
	return result
}

// sendable answers for a mailbox that can't send now.
func (s *Service) sendable(box *Mailbox) *desk.SendResult {
	switch {
	case box == nil:
		return &desk.SendResult{State: desk.SendFailed, Answer: "The mailbox it was to be sent from is not connected any more."}
	case box.SMTP == nil && box.Kind == KindSandbox && s.listener == nil:
		return &desk.SendResult{State: desk.SendFailed, Answer: "It belongs to the sandbox, which is off since a mailbox is connected."}
	case box.SMTP == nil:
		return &desk.SendResult{State: desk.SendDeferred, Answer: fmt.Sprintf("The mailbox %s has no server for sending yet; enter one and it goes out.", box.Address)}
	case box.locked:
		return &desk.SendResult{State: desk.SendDeferred, Answer: lockedText}
	}
	return nil
}

// envelope is one mail for one recipient.
type envelope struct {
	from, to string // in brackets, from "<>" for automatic mail
	raw      []byte
	utf8     bool // an address is not ASCII
}

func newEnvelope(out desk.Outbound, rcpt desk.Address) (envelope, error) {
	raw, err := build(out, nil)
	if err != nil {
		return envelope{}, err
	}
	to, err := cleanRecipient(rcpt.Address)
	if err != nil {
		return envelope{}, err
	}
	e := envelope{from: "<>", to: bracketed(to), raw: raw}
	if !out.Auto {
		from, err := cleanRecipient(out.From.Address)
		if err != nil {
			return envelope{}, err
		}
		e.from = bracketed(from)
	}
	e.utf8 = !isASCII(e.from + e.to)
	for _, a := range slices.Concat([]desk.Address{out.From}, out.To, out.Cc) {
		local, _, _ := cutAddress(a.Address)
		e.utf8 = e.utf8 || !isASCII(local)
	}
	return e, nil
}

// deliver takes a connection, sends the mail over it and gives it back. err is
// what was wrong with the server as such, nil when it worked with us.
func (s *Service) deliver(ctx context.Context, box Mailbox, e envelope, stage func(desk.SendState) error) (desk.SendResult, error) {
	c, err := s.pool.take(ctx, box.ID, *box.SMTP, s.hello(box))
	if err != nil {
		return unconnected(ctx, err, *box.SMTP), err
	}
	result, err := c.transmit(ctx, e, stage)
	if err != nil {
		_ = c.wire.Close()
		return result, err
	}
	s.pool.give(box.ID, c)
	return result, nil
}

// transmit runs one mail transaction. err is not nil when the connection can't
// be used any more.
func (c *smtpConn) transmit(ctx context.Context, e envelope, stage func(desk.SendState) error) (desk.SendResult, error) {
	c.mails++
	stop := context.AfterFunc(ctx, func() { _ = c.wire.Close() })
	defer stop()
	if refusal := c.cannotTake(e); refusal != "" {
		return desk.SendResult{State: desk.SendFailed, Answer: refusal}, nil
	}
	w, err := c.begin(e)
	if err == nil {
		err = c.write(w, e.raw)
	}
	if err != nil {
		err = c.wire.cause(ctx, err)
		return unsent(err, c.server), keepsConnection(err)
	}
	if err := stage(desk.SendData); err != nil {
		return desk.SendResult{State: desk.SendDeferred, Answer: "The desk could not note that it was sending; it tries again."}, err
	}
	if !stop() { // the desk stops: the connection is closed already, the final dot can't get out
		return unsent(ctx.Err(), c.server), ctx.Err()
	}
	return c.finish(ctx, w)
}

// cannotTake tells why the server could not take this mail, "" when it can.
func (c *smtpConn) cannotTake(e envelope) string {
	if limit := c.maxSize(); limit > 0 && len(e.raw) > limit {
		return fmt.Sprintf("The mail is too large for %s: %d kB, where %d kB are allowed. Send less or smaller attachments.", c.server.Host, len(e.raw)/1024, limit/1024)
	}
	if e.utf8 {
		if offered, _ := c.client.Extension("SMTPUTF8"); !offered {
			return fmt.Sprintf("%s can't send to addresses with letters outside ASCII.", c.server.Host)
		}
	}
	c.client.SkipSMTPUTF8(!e.utf8)
	return ""
}

// dataWriter is the body of a mail on its way; Close sends the final dot and
// waits for the answer.
type dataWriter interface {
	Write(p []byte) (int, error)
	Close() error
}

func (c *smtpConn) begin(e envelope) (dataWriter, error) {
	defer c.wire.limit(commandTimeout)()
	if err := c.client.Mail(e.from); err != nil {
		return nil, err
	}
	if err := c.client.Rcpt(e.to); err != nil {
		return nil, err
	}
	return c.client.Data()
}

func (c *smtpConn) write(w dataWriter, raw []byte) error {
	defer c.wire.limit(transferTimeout)()
	_, err := w.Write(raw)
	return err
}

// finish sends the final dot; from here on only the server knows.
func (c *smtpConn) finish(ctx context.Context, w dataWriter) (desk.SendResult, error) {
	defer c.wire.limit(finalDotTimeout)()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWordsTimeout, func() { _ = c.wire.Close() }) })
	defer stop()
	err := w.Close()
	if err == nil {
		answer := "250"
		if d, ok := w.(*smtp.DataCloser); ok {
			answer = oneLine("250 " + d.ServerResponse())
		}
		return desk.SendResult{State: desk.SendSent, Answer: answer}, nil
	}
	var no *textproto.Error
	if errors.As(err, &no) {
		return refused(no), keepsConnection(err)
	}
	return desk.SendResult{
		State:  desk.SendUncertain,
		Answer: fmt.Sprintf("%s took the mail but the connection broke before it answered.", c.server.Host),
	}, err
}

// unconnected is the result when there was no connection to send over: whatever
// the server said, it was not about this mail.
func unconnected(ctx context.Context, err error, s Server) desk.SendResult {
	if ctx.Err() != nil {
		return desk.SendResult{State: desk.SendDeferred, Answer: stoppedText}
	}
	text, _ := explain(err, s, "smtp")
	return desk.SendResult{State: desk.SendDeferred, Answer: text}
}

const stoppedText = "The desk was stopped before it was sent; it tries again."

// unsent is the result of a problem before the final dot.
func unsent(err error, s Server) desk.SendResult {
	var no *textproto.Error
	if errors.As(err, &no) {
		return refused(no)
	}
	if errors.Is(err, context.Canceled) {
		return desk.SendResult{State: desk.SendDeferred, Answer: stoppedText}
	}
	text, _ := explain(err, s, "smtp")
	return desk.SendResult{State: desk.SendDeferred, Answer: text}
}

// refused is the result of a server's no. 5xx is for good unless it is about us
// signing in, which the owner can mend.
func refused(no *textproto.Error) desk.SendResult {
	result := desk.SendResult{State: desk.SendDeferred, Answer: answerText(no)}
	switch no.Code {
	case 530, 534, 535, 538:
	default:
		if no.Code/100 == 5 {
			result.State = desk.SendFailed
		}
	}
	return result
}

// keepsConnection is nil for a no after which the dialogue can go on.
func keepsConnection(err error) error {
	var no *textproto.Error
	if errors.As(err, &no) && no.Code != 421 {
		return nil
	}
	return err
}
