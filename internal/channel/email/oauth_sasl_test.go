package email

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/netguard"
)

// bearerServer is how a server of a test is signed in at with a token.
func bearerServer(port int, security Security, token string) Server {
	return Server{Host: "127.0.0.1", Port: port, Security: security, User: "a=b,c@desk.test", tokens: &tokens{access: token}}
}

func good(user, token string) bool { return user == "a=b,c@desk.test" && token == "good" }

func TestSignInByToken(t *testing.T) {
	for _, mechanism := range []string{xoauth2, oauthBearer} {
		for _, security := range []Security{SecurityNone, SecurityTLS, SecurityStartTLS} {
			for _, noIR := range []bool{false, true} {
				t.Run(mechanism+" "+string(security)+map[bool]string{true: " without SASL-IR"}[noIR], func(t *testing.T) {
					d, o := dialer{dial: (&netguard.Guard{}).DialMail}, imaptest.Options{Bearer: good, Mechanisms: []string{mechanism}, NoSASLIR: noIR}
					var config *tls.Config
					if security != SecurityNone {
						config, d.roots = smtptest.Certificate(t, time.Time{})
						o.TLS, o.Implicit = config, security == SecurityTLS
					}
					if noIR && security == SecurityStartTLS {
						t.Skip("the test server changes its words in the clear only")
					}
					signInByIMAP(t, d, imaptest.New(t, o), security, mechanism)
					signInBySMTP(t, d, smtptest.New(t, smtptest.Options{
						Bearer: good, Mechanisms: mechanism, TLS: config, Implicit: security == SecurityTLS,
					}), security, mechanism)
				})
			}
		}
	}
}

// wants is how a client answers the challenge that refuses its token.
var wants = map[string]string{xoauth2: "", oauthBearer: "AQ=="}

func signInByIMAP(t *testing.T, d dialer, server *imaptest.Server, security Security, mechanism string) {
	t.Helper()
	c, err := d.openIMAP(t.Context(), bearerServer(server.Port(), security, "good"))
	if err != nil {
		t.Fatalf("IMAP: %v", err)
	}
	if _, err := c.open(t.Context(), inbox); err != nil {
		t.Errorf("IMAP: %v", err)
	}
	c.close()
	_, err = d.openIMAP(t.Context(), bearerServer(server.Port(), security, "bad"))
	if text, detail := explain(err, bearerServer(1, security, ""), "imap"); !errors.Is(err, errSignIn) || !strings.Contains(text, "did not let") || !strings.Contains(detail, "NO ") {
		t.Errorf("IMAP with a bad token: %v, %q, %q", err, text, detail)
	}
	if security != SecurityStartTLS { // the test server reads TLS there
		if lines := server.Continuations(); len(lines) == 0 || lines[len(lines)-1] != wants[mechanism] {
			t.Errorf("the challenge was answered by %q", lines)
		}
	}
}

func signInBySMTP(t *testing.T, d dialer, server *smtptest.Server, security Security, mechanism string) {
	t.Helper()
	c, err := d.openSMTP(t.Context(), bearerServer(server.Port(), security, "good"), "desk.invalid")
	if err != nil {
		t.Fatalf("SMTP: %v", err)
	}
	if c.server.access != "" {
		t.Error("the connection keeps its token")
	}
	c.quit()
	_, err = d.openSMTP(t.Context(), bearerServer(server.Port(), security, "bad"), "desk.invalid")
	if text, detail := explain(err, bearerServer(1, security, ""), "smtp"); !errors.Is(err, errSignIn) || !strings.Contains(text, "did not let") || !strings.HasPrefix(detail, "535") {
		t.Errorf("SMTP with a bad token: %v, %q, %q", err, text, detail)
	}
	if got := server.Answers(); !slices.Equal(got, []string{wants[mechanism]}) {
		t.Errorf("the challenge was answered by %q", got)
	}
}

// A server that says in a challenge what it does not like and then hangs up has
// refused all the same.
func TestChallengeIsARefusal(t *testing.T) {
	b := &bearer{mechanism: xoauth2, server: Server{User: "u", access: "t"}}
	if first := b.reply(nil); string(first) != "user=u\x01auth=Bearer t\x01\x01" || b.challenge != "" {
		t.Errorf("an empty challenge is answered by %q", first)
	}
	b.reply([]byte(`{"status":"401"}`))
	if err := b.refused(errHungUp, false, ""); !errors.Is(err, errSignIn) || !errors.Is(err, errHungUp) {
		t.Errorf("got %v", err)
	}
	if err := (&bearer{}).refused(errHungUp, false, ""); errors.Is(err, errSignIn) {
		t.Errorf("a broken connection is taken for a refusal: %v", err)
	}
}

func TestServerWithoutTokens(t *testing.T) {
	d := dialer{dial: (&netguard.Guard{}).DialMail}
	in, out := imaptest.New(t, imaptest.Options{}), smtptest.New(t, smtptest.Options{User: "user", Password: "password"})
	_, err := d.openIMAP(t.Context(), bearerServer(in.Port(), SecurityNone, "good"))
	if text, _ := explain(err, bearerServer(1, SecurityNone, ""), "imap"); !strings.Contains(text, "offers no sign-in by OAuth2") {
		t.Errorf("IMAP: %v, %q", err, text)
	}
	_, err = d.openSMTP(t.Context(), bearerServer(out.Port(), SecurityNone, "good"), "desk.invalid")
	if text, _ := explain(err, bearerServer(1, SecurityNone, ""), "smtp"); !strings.Contains(text, "offers no sign-in by OAuth2") {
		t.Errorf("SMTP: %v, %q", err, text)
	}
}

func TestBusyServerIsNoRefusal(t *testing.T) {
	out := smtptest.New(t, smtptest.Options{Bearer: good, Script: answering("AUTH", "454 4.7.0 Temporary authentication failure")})
	_, err := (dialer{dial: (&netguard.Guard{}).DialMail}).openSMTP(t.Context(), bearerServer(out.Port(), SecurityNone, "good"), "desk.invalid")
	if text, _ := explain(err, bearerServer(1, SecurityNone, ""), "smtp"); errors.Is(err, errSignIn) || !strings.Contains(text, "busy") {
		t.Errorf("got %v, %q", err, text)
	}
}

func TestMailServersWordsAreExplained(t *testing.T) {
	s := bearerServer(1, SecurityTLS, "")
	for words, says := range map[string]string{
		"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled": "Authenticated SMTP",
		"NO User is authenticated but not connected.":                                             "opens no mailbox",
		"NO [ALERT] Your account is not enabled for IMAP use. Please visit your account settings": "Gmail's settings",
		"NO [ALERT] IMAP access is disabled for your domain.":                                     "administrator",
		"NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)":                                 "sign in as a=b,c@desk.test itself",
	} {
		text, detail := explain(&refusedToken{words: words, err: errHungUp}, s, "imap")
		if !strings.Contains(text, says) || detail != words || strings.Contains(text, "{") {
			t.Errorf("%s: %q, %q", words, text, detail)
		}
	}
}

func TestStartTLSFirstTakesNothingFromBefore(t *testing.T) {
	config, roots := smtptest.Certificate(t, time.Time{})
	d := dialer{dial: (&netguard.Guard{}).DialMail, roots: roots}
	without := imaptest.New(t, imaptest.Options{Bearer: good})
	_, err := d.openIMAP(t.Context(), bearerServer(without.Port(), SecurityStartTLS, "good"))
	if text, _ := explain(err, bearerServer(143, SecurityStartTLS, ""), "imap"); !strings.Contains(text, "does not offer STARTTLS") {
		t.Errorf("without STARTTLS: %v, %q", err, text)
	}
	with := imaptest.New(t, imaptest.Options{Bearer: good, TLS: config})
	with.Spoil(func(out []byte) []byte {
		if strings.HasPrefix(string(out), "* OK") {
			return []byte("* PREAUTH welcome\r\n")
		}
		return out
	})
	if _, err := d.openIMAP(t.Context(), bearerServer(with.Port(), SecurityStartTLS, "good")); err == nil {
		t.Error("a greeting in the clear signs in")
	}
}

func TestTesterOfOAuthMailbox(t *testing.T) {
	k, id := connected(t)
	b := k.mailbox(t, id)
	in := Input{
		ID: id, Address: address,
		IMAP: &ServerInput{Host: b.IMAP.Host, Port: b.IMAP.Port, Security: b.IMAP.Security, User: address},
		SMTP: &ServerInput{Host: b.SMTP.Host, Port: b.SMTP.Port, Security: b.SMTP.Security, User: address},
	}
	k.service.timing.probe = 50 * time.Millisecond // nobody delivers the mail
	report, err := k.service.Test(t.Context(), in)
	if err != nil || !strings.Contains(report.Steps[1].Text, "by OAuth2") || report.Steps[5].State != StepOK {
		t.Errorf("got %+v, %v", report, err)
	}
	k.as.Withdraw()
	k.clock.Advance(time.Hour)
	report, err = k.service.Test(t.Context(), in)
	if err != nil || report.OK || report.Steps[1].State != StepFailed || !strings.Contains(report.Steps[1].Text, "no longer lets the desk in") || report.Steps[1].Detail == "" {
		t.Errorf("got %+v, %v", report, err)
	}
	if desk.CodeOf(err) != "" {
		t.Errorf("got %v", err)
	}
}
