package smtptest

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
)

// session is one connection and its dialogue.
type session struct {
	server *Server
	conn   net.Conn
	text   *textproto.Conn
	mail   Mail
	begun  bool // MAIL was accepted
	tls    bool
}

func newSession(s *Server, c net.Conn) *session {
	return &session{server: s, conn: c, text: textproto.NewConn(c), tls: s.options.Implicit}
}

// run speaks until either side hangs up.
func (s *session) run() {
	if !s.scripted(Connect, "", "220 test.invalid ESMTP") {
		return
	}
	for {
		line, err := s.text.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if verb == "AUTH" {
			s.server.note("AUTH " + strings.SplitN(arg, " ", 2)[0])
		} else {
			s.server.note(line)
		}
		if !s.command(verb, arg) {
			return
		}
	}
}

// scripted sends the scripted answer to a step, or else the usual; it tells
// whether the dialogue goes on.
func (s *session) scripted(step, arg, usual string) bool {
	ok, alive := s.try(step, arg)
	if ok {
		s.say(usual)
	}
	return alive
}

// try asks the script about a step: ok means the step shall take its usual
// course; otherwise it was answered. alive tells whether the dialogue goes on.
func (s *session) try(step, arg string) (ok, alive bool) {
	return s.follow(s.server.ask(step, arg))
}

func (s *session) follow(answer string) (ok, alive bool) {
	switch answer {
	case "":
		return true, true
	case Drop:
		return false, false
	case Silence:
		for {
			if _, err := s.text.R.ReadByte(); err != nil {
				return false, false
			}
		}
	default:
		s.say(answer)
		return false, !strings.HasPrefix(answer, "421")
	}
}

func (s *session) say(lines string) { _ = s.text.PrintfLine("%s", lines) }

func (s *session) command(verb, arg string) (alive bool) {
	if verb == "EHLO" && slices.Contains(s.server.options.Without, "EHLO") {
		s.say("502 5.5.1 not implemented")
		return true
	}
	ok, alive := s.try(verb, arg)
	if !ok {
		return alive
	}
	switch verb {
	case "EHLO", "HELO":
		s.mail.Hello = arg
		s.say(s.hello(verb))
	case "STARTTLS":
		return s.startTLS()
	case "AUTH":
		return s.auth(arg)
	case "MAIL":
		s.from(arg)
	case "RCPT":
		s.to(arg)
	case "DATA":
		return s.data()
	case "RSET":
		s.reset()
		s.say("250 2.0.0 reset")
	case "NOOP":
		s.say("250 2.0.0 fine")
	case "QUIT":
		s.say("221 2.0.0 bye")
		return false
	default:
		s.say("502 5.5.1 not implemented")
	}
	return true
}

func (s *session) hello(verb string) string {
	if verb == "HELO" {
		return "250 test.invalid"
	}
	o := s.server.options
	all := []string{"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if o.TLS != nil && !s.tls {
		all = append(all, "STARTTLS")
	}
	if s.server.wantsSignIn() {
		all = append(all, "AUTH "+s.server.mechanisms())
	}
	if o.Size > 0 {
		all = append(all, fmt.Sprintf("SIZE %d", o.Size))
	}
	all = slices.DeleteFunc(all, func(ext string) bool { return slices.Contains(o.Without, strings.SplitN(ext, " ", 2)[0]) })
	lines := slices.Concat([]string{"test.invalid"}, all, o.Extra)
	for i := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + lines[i]
	}
	return strings.Join(lines, "\r\n")
}

func (s *session) startTLS() bool {
	if s.server.options.TLS == nil || s.tls {
		s.say("502 5.5.1 not here")
		return true
	}
	s.say("220 2.0.0 go ahead")
	c := tls.Server(s.conn, s.server.options.TLS)
	if c.Handshake() != nil {
		return false
	}
	s.conn, s.text, s.tls = c, textproto.NewConn(c), true
	return true
}

func (s *session) auth(arg string) bool {
	mech, initial, _ := strings.Cut(arg, " ")
	user, password := "", ""
	switch strings.ToUpper(mech) {
	case "PLAIN":
		if initial == "" {
			initial = s.challenge("")
		}
		raw, _ := base64.StdEncoding.DecodeString(initial)
		if parts := strings.Split(string(raw), "\x00"); len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	case "LOGIN":
		u, _ := base64.StdEncoding.DecodeString(s.challenge("Username:"))
		p, _ := base64.StdEncoding.DecodeString(s.challenge("Password:"))
		user, password = string(u), string(p)
	case "XOAUTH2", "OAUTHBEARER":
		return s.bearer(strings.ToUpper(mech), initial)
	default:
		s.say("504 5.5.4 unknown mechanism")
		return true
	}
	if user != s.server.options.User || password != s.server.options.Password {
		s.say("535 5.7.8 authentication failed")
		return true
	}
	s.mail.User = user
	s.say("235 2.7.0 welcome")
	return true
}

func (s *session) challenge(text string) string {
	s.say("334 " + base64.StdEncoding.EncodeToString([]byte(text)))
	line, _ := s.text.ReadLine()
	return line
}

func (s *session) from(arg string) {
	if s.server.wantsSignIn() && s.mail.User == "" {
		s.say("530 5.7.0 authentication required")
		return
	}
	s.mail.From, s.begun = path(arg), true
	s.say("250 2.1.0 ok")
}

func (s *session) to(arg string) {
	if !s.begun {
		s.say("503 5.5.1 MAIL first")
		return
	}
	s.mail.To = append(s.mail.To, path(arg))
	s.say("250 2.1.5 ok")
}

func (s *session) data() bool {
	if len(s.mail.To) == 0 {
		s.say("503 5.5.1 RCPT first")
		return true
	}
	s.say("354 go ahead")
	content, err := s.content()
	if err != nil {
		return false
	}
	m := s.mail
	m.Data, m.TLS = content, s.tls
	defer s.reset()
	answer := s.server.ask(Body, string(content))
	if answer == AcceptAndDrop {
		s.server.keep(m)
		return false
	}
	ok, alive := s.follow(answer)
	if ok {
		s.server.keep(m)
		s.say("250 2.0.0 queued")
	}
	return alive
}

// content reads up to the final dot and keeps the line ends as they came.
func (s *session) content() ([]byte, error) {
	var all []byte
	for {
		line, err := s.text.R.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if string(line) == ".\r\n" {
			return all, nil
		}
		if line[0] == '.' {
			line = line[1:]
		}
		all = append(all, line...)
	}
}

func (s *session) reset() {
	s.begun = false
	s.mail.From, s.mail.To = "", nil
}

// path takes the address out of "FROM:<a@b> BODY=8BITMIME".
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
