package email

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

// ParseURL reads a mail server from a URL of the command line; protocol is
// "smtp" or "imap". With p for the protocol: p://user:pass@host:port takes TLS
// if the server offers it, ps:// speaks TLS from the start, p+starttls://
// requires STARTTLS, and ?tls=off forbids all of it. User and password are
// percent-encoded and may be absent. The error is a sentence without the
// password.
func ParseURL(protocol, text string) (*ServerInput, error) {
	bad := func(format string, args ...any) (*ServerInput, error) {
		e := desk.Errorf(desk.Invalid, format, args...)
		return nil, desk.Errorf(desk.Invalid, "--%s-url: %s", protocol, e.Text)
	}
	example := protocol + "://user:password@mail.example.com:" + strconv.Itoa(usualPort(protocol, SecurityOpportunistic))
	if strings.TrimSpace(text) == "" {
		return bad("it is empty; write it as in %s.", example)
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return bad("it can't be read; write it as in %s, and %%40 for an @ or %%3A for a colon in user or password.", example)
	}
	security, ok := map[string]Security{
		protocol: SecurityOpportunistic, protocol + "s": SecurityTLS, protocol + "+starttls": SecurityStartTLS,
	}[strings.ToLower(u.Scheme)]
	if !ok {
		return bad("it must begin with %[1]s://, %[1]ss:// or %[1]s+starttls://.", protocol)
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return bad("there must be nothing behind host and port; write a / or # in the password as %%2F or %%23.")
	}
	for name, values := range u.Query() {
		switch value := strings.Join(values, ","); {
		case name == "tls" && value == "off" && security == SecurityOpportunistic:
			security = SecurityNone
		case name == "tls" && value == "off":
			return bad("?tls=off contradicts %s://.", u.Scheme)
		default:
			return bad("the only option is ?tls=off.")
		}
	}
	port := 0
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return bad("the port must be a number from 1 to 65535.")
		}
	}
	in := &ServerInput{Host: u.Hostname(), Port: port, Security: security, User: u.User.Username()}
	password, _ := u.User.Password()
	in.Password = &password
	if _, err := in.server(protocol, nil, false); err != nil {
		return bad("%s", err)
	}
	return in, nil
}
