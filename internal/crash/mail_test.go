//go:build unix

package crash_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// stamp is what finds a mail again, in its body.
var stamp = regexp.MustCompile(`DB-UUID:[0-9a-f]{16}`)

func newStamp(r *rand.Rand) string { return fmt.Sprintf("DB-UUID:%016x", r.Uint64()) }

// letter is a mail of a customer.
type letter struct {
	stamp  string
	from   string
	raw    string            // with CRLF
	files  map[string]string // SHA-256 of its attachments by their names
	answer *sent             // the reply of ours that it answers, nil for none
}

// sent is a reply of ours as the customer got it.
type sent struct {
	stamp, messageID, to string
}

// received reads what the sink took; ok is false for what is no reply of ours.
func received(m smtptest.Mail) (s sent, ok bool) {
	parsed, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
	if err != nil {
		return s, false
	}
	found := stamp.FindString(strings.ReplaceAll(string(m.Data), "=\r\n", ""))
	return sent{found, strings.Trim(parsed.Header.Get("Message-ID"), "<>"), m.To[0]}, found != ""
}

// compose writes the mail number i: an answer to a reply of ours, or about
// something new; some with attachments, some large.
func compose(r *rand.Rand, i int, answer *sent) *letter {
	l := &letter{stamp: newStamp(r), from: fmt.Sprintf("c%03d@customers.test", r.IntN(150)), files: map[string]string{}, answer: answer}
	head := []string{"To: " + address, "Date: Tue, 24 Nov 2026 09:00:00 +0000", "MIME-Version: 1.0"}
	if i%11 != 0 { // some programs leave it out
		head = append(head, fmt.Sprintf("Message-ID: <%d.%016x@customers.test>", i, r.Uint64()))
	}
	if answer != nil {
		l.from = answer.to
		head = append(head, "Subject: Re: your answer", "In-Reply-To: <"+answer.messageID+">", "References: <"+answer.messageID+">")
	} else {
		head = append(head, fmt.Sprintf("Subject: Question %d about tents", i))
	}
	head = append(head, "From: Customer <"+l.from+">")
	text := fmt.Sprintf("Grüße, the pole of tent %d broke.\r\n\r\n%s\r\n", i, l.stamp)
	switch {
	case i%25 == 3:
		l.write(head, text, file{"photo.bin", noise(r, 300<<10)})
	case i%7 == 1:
		l.write(head, text, file{"one.bin", noise(r, 2000+r.IntN(40_000))}, file{"two.txt", []byte("plain " + l.stamp[8:])})
	default:
		l.write(head, text)
	}
	return l
}

type file struct {
	name    string
	content []byte
}

func noise(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func (l *letter) write(head []string, text string, files ...file) {
	const textPart = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	if len(files) == 0 {
		l.raw = strings.Join(head, "\r\n") + "\r\n" + textPart + text
		return
	}
	head = append(head, "Content-Type: multipart/mixed; boundary=edge")
	body := "\r\n--edge\r\n" + textPart + text
	for _, f := range files {
		l.files[f.name] = sum(string(f.content))
		body += "\r\n--edge\r\nContent-Type: application/octet-stream; name=" + f.name + "\r\nContent-Disposition: attachment; filename=" + f.name +
			"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64Lines(f.content)
	}
	l.raw = strings.Join(head, "\r\n") + "\r\n" + body + "\r\n--edge--\r\n"
}

func base64Lines(content []byte) string {
	text := base64.StdEncoding.EncodeToString(content)
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return b.String() + text + "\r\n"
}

// elsewhere is the same mail as it arrives by another way: transport has added
// its marks.
func elsewhere(raw string) string {
	return "Return-Path: <x@customers.test>\r\nReceived: from mx.customers.test by mail.desk.test; Tue, 24 Nov 2026 09:00:01 +0000\r\n" +
		"Delivered-To: " + address + "\r\n" + raw
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// bring hands a mail to an SMTP server once; nil means it said 250.
func bring(addr, from, raw string) error {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		return err
	}
	if err := errors.Join(c.Hello("mx.customers.test"), c.Mail(from), c.Rcpt(address)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(raw)); err != nil {
		return err
	}
	return w.Close()
}

// codeOf is the answer of an SMTP server in err, 0 for a connection that broke.
func codeOf(err error) int {
	var no *textproto.Error
	if errors.As(err, &no) {
		return no.Code
	}
	return 0
}
