package email

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
)

func outbound(box *Mailbox) desk.Outbound {
	return desk.Outbound{
		ID: "d1", Mailbox: box.ID, From: box.From(), To: []desk.Address{{Name: "Anna", Address: "anna@example.org"}},
		Subject: "Re: help", Text: "hello", HTML: "<p>hello</p>", MessageID: "1.abc@desk.invalid",
		Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}
}

// sender is a mailbox at a server, ready to send.
func sender(t *testing.T, o smtptest.Options, change ...func(*ServerInput)) (*kit, *smtptest.Server, *Mailbox) {
	t.Helper()
	server := smtptest.New(t, o)
	k := newKit(t)
	in := smtpInput(server)
	for _, f := range change {
		f(in)
	}
	box := k.add(t, Input{Address: "support@desk.invalid", Name: "Support", SMTP: in})
	t.Cleanup(k.service.pool.close)
	return k, server, box
}

// send sends and tells in which stage the desk was, "" before the last bytes.
func (k *kit) send(ctx context.Context, out desk.Outbound, to string) (desk.SendResult, desk.SendState) {
	var stage desk.SendState
	result := k.service.Send(ctx, out, desk.Address{Address: to}, func(s desk.SendState) error {
		stage = s
		return nil
	})
	return result, stage
}

func TestSend(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	result, stage := k.send(t.Context(), outbound(box), "anna@example.org")
	if result.State != desk.SendSent || result.Answer != "250 2.0.0 queued" || stage != desk.SendData {
		t.Fatalf("got %+v in stage %q", result, stage)
	}
	m := server.Wait(t, 1)[0]
	if m.From != "support@desk.invalid" || len(m.To) != 1 || m.To[0] != "anna@example.org" || m.Hello != "desk.invalid" {
		t.Errorf("envelope %+v", m)
	}
	for _, want := range []string{
		"Message-ID: <1.abc@desk.invalid>\r\n", "Subject: Re: help\r\n", "Date: Wed, 04 Mar 2026 05:06:07 +0000\r\n",
		"From: \"Support\" <support@desk.invalid>\r\n", "To: \"Anna\" <anna@example.org>\r\n", "multipart/alternative",
	} {
		if !strings.Contains(string(m.Data), want) {
			t.Errorf("%q is missing in:\n%s", want, m.Data)
		}
	}
	if strings.Contains(string(m.Data), "Auto-Submitted") {
		t.Error("a reply of a person is marked as automatic")
	}
}

func TestSendAutomaticMail(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	out := outbound(box)
	out.Auto = true
	if result, _ := k.send(t.Context(), out, "anna@example.org"); result.State != desk.SendSent {
		t.Fatalf("got %+v", result)
	}
	m := server.Wait(t, 1)[0]
	if m.From != "" || !strings.Contains(string(m.Data), "Auto-Submitted: auto-generated\r\n") || !strings.Contains(string(m.Data), "X-Auto-Response-Suppress: All\r\n") {
		t.Errorf("from %q:\n%s", m.From, m.Data)
	}
}

func answering(step, answer string) smtptest.Script {
	return func(s, _ string) string {
		if s == step {
			return answer
		}
		return ""
	}
}

func TestSendFaults(t *testing.T) {
	const sent, deferred, failed, uncertain = desk.SendSent, desk.SendDeferred, desk.SendFailed, desk.SendUncertain
	for _, c := range []struct {
		name     string
		script   smtptest.Script
		want     desk.SendState
		answer   string // part of it
		data     bool   // stage data was reached
		accepted int    // mails in the server's ledger
	}{
		{"refused at the door", answering(smtptest.Connect, smtptest.Drop), deferred, "hung up", false, 0},
		{"421 at the door", answering(smtptest.Connect, "421 4.3.2 closing"), deferred, "try again later", false, 0},
		{"554 at the door", answering(smtptest.Connect, "554 5.3.2 no service"), deferred, "refused", false, 0},
		{"421 at MAIL", answering("MAIL", "421 4.3.2 shutting down"), deferred, "421 4.3.2 shutting down", false, 0},
		{"550 at MAIL", answering("MAIL", "550 5.7.1 not your address"), failed, "550 5.7.1 not your address", false, 0},
		{"530 at MAIL", answering("MAIL", "530 5.7.0 authentication required"), deferred, "530", false, 0},
		{"450 greylisted", answering("RCPT", "450 4.7.1 greylisted"), deferred, "450 4.7.1 greylisted", false, 0},
		{"452 full", answering("RCPT", "452 4.3.1 full"), deferred, "452", false, 0},
		{"550 unknown", answering("RCPT", "550 5.1.1 no such user"), failed, "550 5.1.1 no such user", false, 0},
		{"drop at RCPT", answering("RCPT", smtptest.Drop), deferred, "hung up", false, 0},
		{"drop at DATA", answering("DATA", smtptest.Drop), deferred, "hung up", false, 0},
		{"554 at DATA", answering("DATA", "554 5.5.1 no"), failed, "554", false, 0},
		{"451 after the mail", answering(smtptest.Body, "451 4.3.0 later"), deferred, "451 4.3.0 later", true, 0},
		{"554 after the mail", answering(smtptest.Body, "554 5.6.0 spam"), failed, "554 5.6.0 spam", true, 0},
		{"drop after the mail", answering(smtptest.Body, smtptest.Drop), uncertain, "before it answered", true, 0},
		{"accepted, then dropped", answering(smtptest.Body, smtptest.AcceptAndDrop), uncertain, "before it answered", true, 1},
		{"nonsense after the mail", answering(smtptest.Body, "what?"), uncertain, "before it answered", true, 0},
		{"RSET refused", answering("RSET", "500 5.5.1 what"), sent, "250", true, 1},
		{"QUIT dropped", answering("QUIT", smtptest.Drop), sent, "250", true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, server, box := sender(t, smtptest.Options{Script: c.script})
			result, stage := k.send(t.Context(), outbound(box), "anna@example.org")
			if result.State != c.want || !strings.Contains(result.Answer, c.answer) {
				t.Errorf("got %+v, want %s with %q", result, c.want, c.answer)
			}
			if (stage == desk.SendData) != c.data {
				t.Errorf("stage %q", stage)
			}
			if n := len(server.Mails()); n != c.accepted {
				t.Errorf("the server accepted %d mails, want %d", n, c.accepted)
			}
		})
	}
}

func TestSendNowhere(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	server.Close()
	result, _ := k.send(t.Context(), outbound(box), "anna@example.org")
	if result.State != desk.SendDeferred || !strings.Contains(result.Answer, "Nothing answers on port") {
		t.Errorf("got %+v", result)
	}
	if o := k.service.Outgoing(*box); o.State != outgoingFailing || !strings.Contains(o.Text, "Nothing answers") {
		t.Errorf("outgoing %+v", o)
	}

	out := outbound(box)
	out.Mailbox = "gone"
	if result, _ := k.send(t.Context(), out, "anna@example.org"); result.State != desk.SendFailed {
		t.Errorf("a removed mailbox: %+v", result)
	}
	forward := k.add(t, Input{Address: "sales@desk.invalid"})
	if result, _ := k.send(t.Context(), outbound(forward), "anna@example.org"); result.State != desk.SendDeferred || !strings.Contains(result.Answer, "no server for sending") {
		t.Errorf("a mailbox that can't send: %+v", result)
	}
}

// The stage is stored before the last bytes go out: when that fails, nothing
// must have been sent.
func TestSendStageThatFails(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	result := k.service.Send(t.Context(), outbound(box), desk.Address{Address: "anna@example.org"}, func(desk.SendState) error {
		time.Sleep(50 * time.Millisecond)
		if n := len(server.Mails()); n != 0 {
			t.Errorf("the server has the mail before the stage is stored")
		}
		return errors.New("disk full")
	})
	time.Sleep(50 * time.Millisecond)
	if result.State != desk.SendDeferred || len(server.Mails()) != 0 {
		t.Errorf("got %+v, %d mails sent", result, len(server.Mails()))
	}
}

func TestSendEachRecipientApart(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{Script: func(step, arg string) string {
		if step == "RCPT" && strings.Contains(arg, "bob") {
			return "550 5.1.1 no such user"
		}
		return ""
	}})
	want := map[string]desk.SendState{"anna@example.org": desk.SendSent, "bob@example.org": desk.SendFailed, "carl@example.org": desk.SendSent}
	for _, to := range []string{"anna@example.org", "bob@example.org", "carl@example.org"} {
		if result, _ := k.send(t.Context(), outbound(box), to); result.State != want[to] {
			t.Errorf("%s: %+v", to, result)
		}
	}
	if n := len(server.Mails()); n != 2 {
		t.Errorf("%d mails", n)
	}
	if n := server.Connections(); n != 1 {
		t.Errorf("%d connections for three envelopes in a row, want 1", n)
	}
}

func TestSendOverAnIdleConnectionThatBroke(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	for n := range 3 {
		if result, _ := k.send(t.Context(), outbound(box), "anna@example.org"); result.State != desk.SendSent {
			t.Fatalf("mail %d: %+v", n, result)
		}
		server.DropConnections()
	}
	if n := len(server.Mails()); n != 3 {
		t.Errorf("%d mails, want 3", n)
	}
}

func TestSendManyAtOnce(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	var wg sync.WaitGroup
	var bad atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if result, _ := k.send(t.Context(), outbound(box), "anna@example.org"); result.State != desk.SendSent {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := len(server.Mails()); n != 200 || bad.Load() != 0 {
		t.Errorf("%d mails, %d not sent", n, bad.Load())
	}
}

func TestSendWhenTheDeskStops(t *testing.T) {
	t.Run("before the last bytes", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		k, server, box := sender(t, smtptest.Options{Script: func(step, _ string) string {
			if step == "RCPT" {
				stop()
				time.Sleep(50 * time.Millisecond)
			}
			return ""
		}})
		result, stage := k.send(ctx, outbound(box), "anna@example.org")
		if result.State != desk.SendDeferred || stage != "" || len(server.Mails()) != 0 {
			t.Errorf("got %+v in stage %q", result, stage)
		}
	})
	t.Run("after the last bytes", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		k, server, box := sender(t, smtptest.Options{Script: func(step, _ string) string {
			if step == smtptest.Body {
				stop()
				time.Sleep(100 * time.Millisecond)
			}
			return ""
		}})
		if result, _ := k.send(ctx, outbound(box), "anna@example.org"); result.State != desk.SendSent || len(server.Mails()) != 1 {
			t.Errorf("the answer was not waited for: %+v", result)
		}
	})
}

func TestSendWithSignIn(t *testing.T) {
	for _, c := range []struct {
		name, mechanism, password string
		want                      desk.SendState
		says                      string
	}{
		{"plain", "PLAIN", "geheim", desk.SendSent, ""},
		{"login", "LOGIN", "geheim", desk.SendSent, ""},
		{"wrong password", "PLAIN", "falsch", desk.SendDeferred, "refused the user desk or its password"},
		{"unknown mechanism", "GSSAPI", "geheim", desk.SendDeferred, "no way to sign in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, _, box := sender(t, smtptest.Options{User: "desk", Password: "geheim", Without: []string{"AUTH"}, Extra: []string{"AUTH " + c.mechanism}},
				func(in *ServerInput) { in.User, in.Password = "desk", ptr(c.password) })
			result, _ := k.send(t.Context(), outbound(box), "anna@example.org")
			if result.State != c.want || !strings.Contains(result.Answer, c.says) {
				t.Errorf("got %+v", result)
			}
			if strings.Contains(result.Answer, c.password) {
				t.Error("the answer shows the password")
			}
		})
	}
}

func TestSendSecurity(t *testing.T) {
	config, pool := smtptest.Certificate(t, time.Time{})
	other, _ := smtptest.Certificate(t, time.Time{})
	expired, expiredPool := smtptest.Certificate(t, time.Now().Add(-time.Hour))
	for _, c := range []struct {
		name     string
		server   smtptest.Options
		security Security
		want     desk.SendState
		tls      bool
		says     string
	}{
		{"tls", smtptest.Options{TLS: config, Implicit: true}, SecurityTLS, desk.SendSent, true, ""},
		{"starttls", smtptest.Options{TLS: config}, SecurityStartTLS, desk.SendSent, true, ""},
		{"opportunistic with", smtptest.Options{TLS: other}, SecurityOpportunistic, desk.SendSent, true, ""},
		{"opportunistic without", smtptest.Options{}, SecurityOpportunistic, desk.SendSent, false, ""},
		{"none", smtptest.Options{TLS: config}, SecurityNone, desk.SendSent, false, ""},
		{"starttls missing", smtptest.Options{}, SecurityStartTLS, desk.SendDeferred, false, "does not offer STARTTLS"},
		{"untrusted", smtptest.Options{TLS: other, Implicit: true}, SecurityTLS, desk.SendDeferred, false, "signed by nobody"},
		{"untrusted starttls", smtptest.Options{TLS: other}, SecurityStartTLS, desk.SendDeferred, false, "signed by nobody"},
		{"expired", smtptest.Options{TLS: expired, Implicit: true}, SecurityTLS, desk.SendDeferred, false, "has expired"},
		{"tls at a plain port", smtptest.Options{}, SecurityTLS, desk.SendDeferred, false, "does not speak TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := smtptest.New(t, c.server)
			k := newKit(t, func(o *Options) {
				o.Roots = pool
				if c.name == "expired" {
					o.Roots = expiredPool
				}
			})
			in := smtpInput(server)
			in.Security = c.security
			box := k.add(t, Input{Address: "support@desk.invalid", SMTP: in})
			result, _ := k.send(t.Context(), outbound(box), "anna@example.org")
			if result.State != c.want || !strings.Contains(result.Answer, c.says) {
				t.Fatalf("got %+v", result)
			}
			if c.want == desk.SendSent && server.Mails()[0].TLS != c.tls {
				t.Errorf("over TLS: %v", server.Mails()[0].TLS)
			}
		})
	}
}

func TestSendToServersThatKnowLittle(t *testing.T) {
	for name, o := range map[string]smtptest.Options{
		"no EHLO":     {Without: []string{"EHLO"}},
		"no 8BITMIME": {Without: []string{"8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"}},
	} {
		k, server, box := sender(t, o)
		out := outbound(box)
		out.Text, out.Subject = "Grüße "+strings.Repeat("ä", 2000), "Größe"
		if result, _ := k.send(t.Context(), out, "anna@example.org"); result.State != desk.SendSent {
			t.Fatalf("%s: %+v", name, result)
		}
		data := string(server.Mails()[0].Data)
		for line := range strings.SplitSeq(data, "\r\n") {
			if len(line) > 998 || !isASCII(line) {
				t.Errorf("%s: a line of %d bytes, ASCII %v", name, len(line), isASCII(line))
			}
		}
	}
}

func TestSendTooLargeForTheServer(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{Size: 2000})
	out := outbound(box)
	out.Attachments = []desk.Attachment{{Name: "big.bin", Content: make([]byte, 5000)}}
	result, _ := k.send(t.Context(), out, "anna@example.org")
	if result.State != desk.SendFailed || !strings.Contains(result.Answer, "too large") {
		t.Errorf("got %+v", result)
	}
	if result, _ := k.send(t.Context(), outbound(box), "anna@example.org"); result.State != desk.SendSent || len(server.Mails()) != 1 {
		t.Errorf("a small one behind it: %+v", result)
	}
}

func TestSendInternationalAddresses(t *testing.T) {
	for _, c := range []struct {
		extra []string
		to    string
		want  desk.SendState
		rcpt  string
	}{
		{nil, "anna@bücher.example", desk.SendSent, "anna@xn--bcher-kva.example"},
		{nil, "jürgen@example.org", desk.SendFailed, ""},
		{[]string{"SMTPUTF8"}, "jürgen@example.org", desk.SendSent, "jürgen@example.org"},
		{nil, `"john doe"@example.org`, desk.SendSent, `"john doe"@example.org`},
		{nil, "anna@example.org\r\nRCPT TO:<eve@example.org>", desk.SendFailed, ""},
		{nil, "anna@example.org> SIZE=1", desk.SendFailed, ""},
		{nil, "nobody", desk.SendFailed, ""},
	} {
		k, server, box := sender(t, smtptest.Options{Extra: c.extra})
		out := outbound(box)
		out.To = []desk.Address{{Address: c.to}}
		result, _ := k.send(t.Context(), out, c.to)
		if result.State != c.want {
			t.Errorf("%q: %+v", c.to, result)
			continue
		}
		if c.want == desk.SendSent && server.Mails()[0].To[0] != c.rcpt {
			t.Errorf("%q went to %q", c.to, server.Mails()[0].To[0])
		}
		for _, line := range server.Commands() {
			if strings.Contains(line, "eve") || strings.HasPrefix(line, "MAIL") && strings.Contains(line, "SMTPUTF8") != (c.extra != nil) {
				t.Errorf("%q: sent %q", c.to, line)
			}
		}
	}
}

// A dot on a line of its own and bare line feeds must not end the mail early.
func TestSendSmugglesNothing(t *testing.T) {
	k, server, box := sender(t, smtptest.Options{})
	out := outbound(box)
	out.HTML = ""
	out.Text = "a\n.\nMAIL FROM:<eve@example.org>\n\r.\r\nb\r.\rc\n..d"
	if result, _ := k.send(t.Context(), out, "anna@example.org"); result.State != desk.SendSent {
		t.Fatalf("got %+v", result)
	}
	if n := len(server.Mails()); n != 1 {
		t.Errorf("one mail became %d", n)
	}
	for _, c := range server.Commands() {
		if strings.Contains(c, "eve") {
			t.Errorf("a text became the command %q", c)
		}
	}
	data := strings.ReplaceAll(string(server.Mails()[0].Data), "\r\n", "")
	if strings.ContainsAny(data, "\r\n") {
		t.Error("a bare CR or LF went out")
	}
}
