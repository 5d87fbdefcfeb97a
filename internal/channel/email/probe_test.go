package email

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

// looped is a mailbox whose SMTP server delivers into its IMAP server.
func looped(t *testing.T, imapOptions imaptest.Options, smtpOptions smtptest.Options) (Input, *imaptest.Server, *smtptest.Server) {
	t.Helper()
	in := imaptest.New(t, imapOptions)
	inner := smtpOptions.Script
	smtpOptions.Script = func(step, arg string) string {
		if inner != nil {
			if answer := inner(step, arg); answer != "" {
				return answer
			}
		}
		if step == smtptest.Body {
			in.Append(t, arg)
		}
		return ""
	}
	out := smtptest.New(t, smtpOptions)
	return Input{Address: "support@desk.invalid", IMAP: imapInput(in), SMTP: smtpInput(out)}, in, out
}

// outcome is how a report reads at a glance: one letter a step.
func outcome(r Report) string {
	var b strings.Builder
	for _, s := range r.Steps {
		b.WriteString(strings.ToUpper(string(s.State[:1])))
	}
	return b.String()
}

func TestMailboxTest(t *testing.T) {
	input, server, out := looped(t, imaptest.Options{}, smtptest.Options{})
	for n := range 3 {
		server.Append(t, letter(n))
	}
	k := newKit(t)
	report, err := k.service.Test(t.Context(), input)
	if err != nil || !report.OK {
		t.Fatalf("got %+v, %v", report, err)
	}
	var ids []string
	for _, s := range report.Steps {
		ids = append(ids, s.ID)
	}
	if got := strings.Join(ids, " "); got != "imap_connect imap_login imap_inbox smtp_connect smtp_login smtp_send probe_received" {
		t.Errorf("steps %s", got)
	}
	if n := server.Unseen(t); n != 4 {
		t.Errorf("%d mails unseen, want 4", n)
	}
	m, err := mail.ReadMessage(bytes.NewReader(out.Mails()[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	id, value := idText(m.Header.Get("Message-ID")), m.Header.Get(ProbeHeader)
	box := k.service.options.Box
	if !IsProbe(box, id, value) {
		t.Errorf("the test mail is no test mail: %q, %q", id, value)
	}
	if IsProbe(box, "other@id", value) || IsProbe(box, id, "") || IsProbe(box, id, value[1:]) {
		t.Error("anybody can mark a mail as a test mail")
	}
}

func TestMailboxTestSaysWhatToMend(t *testing.T) {
	closed := imaptest.New(t, imaptest.Options{})
	closed.Close()
	for _, c := range []struct {
		name    string
		smtp    smtptest.Options
		change  func(*Input)
		outcome string
		step    string
		says    string
	}{
		{"nothing listens", smtptest.Options{}, func(in *Input) { in.IMAP.Port = closed.Port() }, "FSSOSOS", "imap_connect", "Nothing answers on port"},
		{"wrong password", smtptest.Options{}, func(in *Input) { in.IMAP.Password = ptr("falsch") }, "OFSOSOS", "imap_login", "refused the user user"},
		{"unknown host", smtptest.Options{}, func(in *Input) { in.IMAP.Host = "nowhere.invalid" }, "FSSOSOS", "imap_connect", "nowhere.invalid"},
		{"tls mismatch", smtptest.Options{}, func(in *Input) { in.SMTP.Security = SecurityTLS }, "OOOFSSS", "smtp_connect", "does not speak TLS"},
		{"metadata service", smtptest.Options{}, func(in *Input) { in.SMTP.Host = "169.254.169.254" }, "OOOFSSS", "smtp_connect", "no mail server"},
		{"wrong smtp password", smtptest.Options{User: "u", Password: "p"}, func(in *Input) { in.SMTP.User, in.SMTP.Password = "u", ptr("falsch") }, "OOOOFSS", "smtp_login", "refused the user u"},
		{"sender refused", smtptest.Options{Script: answering("MAIL", "553 5.7.1 not yours")}, func(*Input) {}, "OOOOSFS", "smtp_send", "553 5.7.1 not yours"},
		{"greylisted", smtptest.Options{Script: answering("RCPT", "450 4.2.0 later")}, func(*Input) {}, "OOOOSFS", "smtp_send", "450 4.2.0 later"},
		{"only sending", smtptest.Options{}, func(in *Input) { in.IMAP = nil }, "SSSOSOS", "", ""},
		{"only fetching", smtptest.Options{}, func(in *Input) { in.SMTP = nil }, "OOOSSSS", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			input, _, _ := looped(t, imaptest.Options{}, c.smtp)
			c.change(&input)
			report, err := newKit(t).service.Test(t.Context(), input)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(report); got != c.outcome || report.OK != (c.step == "") {
				t.Errorf("got %s, ok %v, want %s", got, report.OK, c.outcome)
			}
			for _, s := range report.Steps {
				if s.Text == "" || strings.Contains(s.Text+s.Detail, "falsch") {
					t.Errorf("%s says %q, %q", s.ID, s.Text, s.Detail)
				}
				if (s.State == StepFailed) != (s.ID == c.step) || s.ID == c.step && !strings.Contains(s.Text, c.says) {
					t.Errorf("%s is %s: %q", s.ID, s.State, s.Text)
				}
			}
		})
	}
}

func TestMailboxTestUsesTheStoredPassword(t *testing.T) {
	input, _, _ := looped(t, imaptest.Options{}, smtptest.Options{})
	k := newKit(t)
	box := k.add(t, input)
	input.ID, input.IMAP.Password = box.ID, nil
	if report, err := k.service.Test(t.Context(), input); err != nil || !report.OK {
		t.Errorf("got %+v, %v", report, err)
	}
	input.IMAP.Host = "evil.example.com"
	if _, err := k.service.Test(t.Context(), input); desk.CodeOf(err) != desk.Invalid {
		t.Errorf("the stored password goes to another server: %v", err)
	}
}

func TestMailboxTestWhenTheMailDoesNotArrive(t *testing.T) {
	input, _, _ := looped(t, imaptest.Options{}, smtptest.Options{})
	lost := smtptest.New(t, smtptest.Options{})
	input.SMTP.Port = lost.Port()
	report, err := newKit(t).service.Test(t.Context(), input)
	if err != nil || outcome(report) != "OOOOSOF" || !strings.Contains(report.Steps[6].Text, "spam folder") {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestSignInHints(t *testing.T) {
	for host, says := range map[string]string{
		"imap.gmail.com": "app password", "outlook.office365.com": "forward the address", "imap.mail.me.com": "app-specific", "mail.example.com": "two-step",
	} {
		if text := signInText(Server{Host: host, User: "u"}); !strings.Contains(text, says) {
			t.Errorf("%s: %s", host, text)
		}
	}
}
