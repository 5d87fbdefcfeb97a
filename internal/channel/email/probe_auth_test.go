package email

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/mailauth"
)

func TestProposedReporter(t *testing.T) {
	const results = "Authentication-Results: mx1.mail.test; dkim=pass header.d=desk.test"
	for _, c := range []struct {
		name, imap string
		head       []string
		want       string
	}{
		{"Gmail", "imap.gmail.com", []string{results}, "mx.google.com"},
		{"Microsoft, before any mail", "outlook.office365.com", nil, mailauth.Microsoft},
		{"Fastmail", "imap.fastmail.com", nil, ".messagingengine.com"},
		{"the server of the mailbox", "imap.mail.test", []string{results}, "mx1.mail.test"},
		{"the server that delivered", "10.0.0.5", []string{"Received: from a (b [10.0.0.1]) by mx2.mail.test (Postfix) with ESMTPS", results}, "mx1.mail.test"},
		{"a server of the address's domain", "10.0.0.5", []string{"Authentication-Results: mx.desk.test; none"}, "mx.desk.test"},
		{"a relay on the way", "imap.desk.test", []string{"Received: from relay.mail.test by mx.desk.test", results}, ""},
		{"an older one below", "imap.desk.test", []string{"Authentication-Results: mx.desk.test; none", results}, "mx.desk.test"},
		{"nobody", "imap.desk.test", []string{"Received: from a by b"}, ""},
		{"a name that is none", "imap.desk.test", []string{"Authentication-Results: local; none"}, ""},
		{"a bare word of a stranger", "imap.desk.test", []string{"Authentication-Results: dkim=pass"}, ""},
		{"did not arrive", "imap.desk.test", nil, ""},
	} {
		var head []byte
		if c.head != nil {
			head = []byte(strings.Join(c.head, "\r\n") + "\r\n\r\n")
		}
		if got := proposeReporter(sending(c.imap, "smtp.x.test"), head); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMailboxTestProposesTheReporter(t *testing.T) {
	in := imaptest.New(t, imaptest.Options{})
	out := smtptest.New(t, smtptest.Options{Script: func(step, arg string) string {
		if step == smtptest.Body {
			in.Append(t, "Authentication-Results: mx.desk.invalid;\r\n dkim=none\r\nReceived: from here by mx.desk.invalid\r\n"+arg)
		}
		return ""
	}})
	report, err := newKit(t).service.Test(t.Context(), Input{Address: "support@desk.invalid", IMAP: imapInput(in), SMTP: smtpInput(out)})
	if err != nil || !report.OK || report.AuthServer != "mx.desk.invalid" {
		t.Errorf("got %+v, %v", report, err)
	}
}
