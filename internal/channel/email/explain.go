package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-imap/v2"
)

// maxDetail bounds the other side's own words, in characters.
const maxDetail = 300

// explain says in one sentence what is wrong between the desk and a mail
// server and how to mend it; detail is the other side's own words, "" for none.
func explain(err error, s Server, protocol string) (sentence, detail string) {
	var own *desk.Error
	if errors.As(err, &own) {
		return own.Text, ""
	}
	if text, words, ok := explainGrant(err, s); ok {
		return text, words
	}
	if text, ok := explainAnswer(err, s); ok {
		return text, serverWords(err)
	}
	if errors.Is(err, errNoAuth) {
		return fmt.Sprintf("%s offers no way to sign in that the desk knows. Choose STARTTLS or TLS, or leave out user and password.", s.Host), ""
	}
	var t *tlsError
	if errors.As(err, &t) {
		return explainTLS(t.err, s, protocol), cut(oneLine(t.err.Error()), maxDetail)
	}
	return explainNetwork(err, s, protocol), cut(oneLine(err.Error()), maxDetail)
}

func explainNetwork(err error, s Server, protocol string) string {
	name := strings.ToUpper(protocol)
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("There is no host %s. Check the spelling of the %s server.", s.Host, name)
	case errors.As(err, &dns):
		return fmt.Sprintf("The name %s can't be looked up right now. Check this machine's network and DNS.", s.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("Nothing answers on port %d of %s. Check the port; usual ones for %s are %s.", s.Port, s.Host, name, usualPorts(protocol))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("%s can't be reached from this machine. Check its network.", s.Host)
	case errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		hint := "a firewall may be in between"
		if s.Port == 25 {
			hint = "many providers close port 25; try 587 or 465"
		}
		return fmt.Sprintf("%s does not answer on port %d: %s. If it speaks TLS there, choose TLS.", s.Host, s.Port, hint)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Sprintf("%s hung up on port %d. If it happens again, check port and security.", s.Host, s.Port)
	}
	if text := err.Error(); strings.Contains(text, "EOF") || strings.Contains(text, "connection reset") || strings.Contains(text, "closed network") {
		return fmt.Sprintf("%s hung up on port %d. If it happens again, check port and security.", s.Host, s.Port)
	}
	return fmt.Sprintf("%s on port %d does not speak %s as expected. Check port and security.", s.Host, s.Port, name)
}

func usualPorts(protocol string) string {
	if protocol == "imap" {
		return "993 (TLS) and 143"
	}
	return "465 (TLS), 587 and 25"
}

func explainTLS(err error, s Server, protocol string) string {
	var plain tls.RecordHeaderError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var bad x509.CertificateInvalidError
	switch {
	case errors.Is(err, errNoStartTLS):
		return fmt.Sprintf("%s does not offer STARTTLS on port %d. Choose TLS with its port (%s).", s.Host, s.Port, usualPorts(protocol))
	case errors.As(err, &plain):
		return fmt.Sprintf("%s does not speak TLS on port %d. Choose STARTTLS, or the port for TLS (%s).", s.Host, s.Port, usualPorts(protocol))
	case errors.As(err, &host):
		return fmt.Sprintf("The certificate of %s is for another name. Enter the name it is for as the server.", s.Host)
	case errors.As(err, &bad) && bad.Reason == x509.Expired:
		return fmt.Sprintf("The certificate of %s has expired. It has to be renewed there.", s.Host)
	case errors.As(err, &unknown), errors.As(err, &bad):
		return fmt.Sprintf("The certificate of %s is signed by nobody this machine trusts. Let the server get a proper one, or choose opportunistic TLS if it is your own.", s.Host)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Sprintf("%s hung up while TLS was set up on port %d. Check port and security.", s.Host, s.Port)
	}
	return fmt.Sprintf("TLS with %s on port %d failed. Check port and security.", s.Host, s.Port)
}

// explainAnswer is about a server that answered, but said no.
func explainAnswer(err error, s Server) (string, bool) {
	var i *imap.Error
	if errors.As(err, &i) {
		switch {
		case i.Type == imap.StatusResponseTypeBye:
			return fmt.Sprintf("%s ended the connection.", s.Host), true
		case errors.Is(err, errSignIn):
			return signInText(s), true
		}
		return fmt.Sprintf("%s refused: %s", s.Host, cut(oneLine(i.Text), maxDetail)), true
	}
	var a *textproto.Error
	if errors.As(err, &a) {
		switch {
		case errors.Is(err, errSignIn):
			return signInText(s), true
		case a.Code == 530:
			return fmt.Sprintf("%s wants a sign-in first. Enter user and password for sending.", s.Host), true
		case a.Code == 421 || a.Code/100 == 4:
			return fmt.Sprintf("%s is busy and asks to try again later.", s.Host), true
		}
		return fmt.Sprintf("%s refused: %s", s.Host, answerText(a)), true
	}
	return "", false
}

// signInText says what to do about a refused sign-in, with what the big
// providers want instead of the usual password.
func signInText(s Server) string {
	host := strings.ToLower(s.Host + " " + s.User)
	text := fmt.Sprintf("%s refused the user %s or its password.", s.Host, s.User)
	for _, p := range []struct{ names, hint string }{
		{"gmail.com googlemail.com google.com", "Gmail wants an app password (Google Account, Security, 2-Step Verification, App passwords), or connect by OAuth2."},
		{"outlook.com office365.com hotmail.com live.com", "Microsoft takes no passwords here any more: connect by OAuth2, or forward the address to the desk."},
		{"yahoo.com aol.com", "Make an app password in the account's security settings and enter that."},
		{"icloud.com me.com mac.com", "Apple wants an app-specific password: account.apple.com, Sign-In and Security."},
		{"fastmail.com messagingengine.com", "Fastmail wants an app password: Settings, Privacy & Security."},
		{"zoho.com zoho.eu", "If two-step sign-in is on, make an app password in the account's security settings."},
	} {
		for name := range strings.SplitSeq(p.names, " ") {
			if strings.Contains(host, name) {
				return text + " " + p.hint
			}
		}
	}
	return text + " Check both; if two-step sign-in is on, an app password may be needed."
}

func serverWords(err error) string {
	var i *imap.Error
	if errors.As(err, &i) {
		return strings.TrimSpace(fmt.Sprintf("%s %s", i.Type, i.Text))
	}
	var a *textproto.Error
	if errors.As(err, &a) {
		return answerText(a)
	}
	return err.Error()
}

// answerText is an SMTP answer on one line with its code.
func answerText(a *textproto.Error) string {
	return fmt.Sprintf("%d %s", a.Code, oneLine(a.Msg))
}

var (
	errSignIn  = errors.New("sign-in refused")
	errStalled = errors.New("no answer in time")
)
