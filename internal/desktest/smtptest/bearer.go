package smtptest

import (
	"encoding/base64"
	"strings"
)

func (s *Server) wantsSignIn() bool { return s.options.User != "" || s.options.Bearer != nil }

func (s *Server) mechanisms() string {
	switch {
	case s.options.Mechanisms != "":
		return s.options.Mechanisms
	case s.options.Bearer != nil:
		return "PLAIN LOGIN XOAUTH2"
	}
	return "PLAIN LOGIN"
}

// bearer is the server's side of XOAUTH2 and OAUTHBEARER. A bad token is
// answered with a JSON text that the client has to answer before it gets its no.
func (s *session) bearer(mechanism, initial string) (alive bool) {
	if s.server.options.Bearer == nil || !strings.Contains(s.server.mechanisms(), mechanism) {
		s.say("504 5.7.4 unrecognized authentication type")
		return true
	}
	if initial == "" {
		initial = s.challenge("")
	}
	raw, _ := base64.StdEncoding.DecodeString(initial)
	user, token := credentials(string(raw))
	if s.server.options.Bearer(user, token) {
		s.mail.User = user
		s.say("235 2.7.0 Accepted")
		return true
	}
	answer := s.challenge(`{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}`)
	s.server.mu.Lock()
	s.server.answers = append(s.server.answers, answer)
	s.server.mu.Unlock()
	s.say("535 5.7.8 Username and Password not accepted")
	return true
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
