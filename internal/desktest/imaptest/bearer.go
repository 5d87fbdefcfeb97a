package imaptest

import (
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (s *session) AuthenticateMechanisms() []string {
	o := s.server.options
	switch {
	case o.Bearer == nil:
		return []string{"PLAIN"}
	case len(o.Mechanisms) > 0:
		return o.Mechanisms
	}
	return []string{"PLAIN", "XOAUTH2"}
}

// Authenticate implements imapserver.SessionSASL.
func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	if !slices.Contains(s.AuthenticateMechanisms(), mechanism) {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "unknown mechanism"}
	}
	if mechanism == "PLAIN" {
		return sasl.NewPlainServer(func(_, user, password string) error { return s.Login(user, password) }), nil
	}
	return &bearer{session: s, mechanism: mechanism}, nil
}

// bearer is the server's side of XOAUTH2 and OAUTHBEARER.
type bearer struct {
	session   *session
	mechanism string
	refused   bool
}

// Next implements sasl.Server. A bad token is answered with a JSON text that the
// client has to answer in turn: with an empty line, or %x01 for OAUTHBEARER.
func (b *bearer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case b.refused && b.mechanism == "OAUTHBEARER" && string(response) != "\x01":
		return nil, true, errors.New("the client did not answer the error by %x01")
	case b.refused:
		return nil, true, imapserver.ErrAuthFailed
	case response == nil:
		return nil, false, nil // an empty challenge
	}
	user, token := credentials(string(response))
	if !b.session.server.options.Bearer(user, token) {
		b.refused = true
		return []byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}`), false, nil
	}
	b.session.UserSession = imapmemserver.NewUserSession(b.session.server.user)
	return nil, true, nil
}

// credentials reads the first response of XOAUTH2
// ("user=U^Aauth=Bearer T^A^A") or OAUTHBEARER ("n,a=U,^A...auth=Bearer T^A^A").
func credentials(response string) (user, token string) {
	for part := range strings.SplitSeq(response, "\x01") {
		if u, ok := strings.CutPrefix(part, "user="); ok {
			user = u
		}
		if u, ok := strings.CutPrefix(part, "n,a="); ok {
			user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(strings.TrimSuffix(u, ","))
		}
		if t, ok := strings.CutPrefix(part, "auth=Bearer "); ok {
			token = t
		}
	}
	return user, token
}
