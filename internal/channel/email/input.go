package email

import (
	"net"
	"net/mail"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"golang.org/x/net/idna"
)

// ServerInput is a mail server as somebody typed it.
type ServerInput struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`     // 0 = the usual one of the protocol and security
	Security Security `json:"security"` // "" = opportunistic
	User     string   `json:"user"`     // "" for no sign-in
	Password *string  `json:"password"` // nil = the one already stored for this server and user

	tokens *tokens // sign in there instead of a password
}

// Input is a mailbox as somebody typed it.
type Input struct {
	ID      string       `json:"id,omitempty"` // of the mailbox whose passwords stand in for those left out; only for tests
	Address string       `json:"address"`
	Name    string       `json:"name"` // sender name, "" for none
	Team    string       `json:"team"` // team id, "" = the first team
	IMAP    *ServerInput `json:"imap"` // nil = mail is forwarded to the built-in listener
	SMTP    *ServerInput `json:"smtp"` // nil = the mailbox can't send

	Signature    string   `json:"signature"`     // HTML below replies, "" for none
	AuthServers  []string `json:"auth_servers"`  // servers whose checks of senders are believed
	Folders      []string `json:"folders"`       // to be read beside the inbox
	SentFolder   string   `json:"sent_folder"`   // "" = found by itself, "-" = not read
	BackfillDays int      `json:"backfill_days"` // how far back mail is taken in, as solved tickets; 0 = not at all
}

// Patch changes parts of a mailbox; what is nil or not set stays.
type Patch struct {
	Address, Name, Team *string
	Signature           *string
	SentFolder          *string
	AuthServers         *[]string
	Folders             *[]string
	IMAP, SMTP          *ServerInput
	DropIMAP, DropSMTP  bool // take the server away; wins over IMAP and SMTP
}

// mailbox checks the input; passwords left out are taken from old, which may be nil.
func (in Input) mailbox(old *Mailbox) (*Mailbox, error) {
	if old == nil {
		old = &Mailbox{}
	}
	p := Patch{
		Address: &in.Address, Name: &in.Name, Team: &in.Team, IMAP: in.IMAP, SMTP: in.SMTP,
		DropIMAP: in.IMAP == nil, DropSMTP: in.SMTP == nil,
		Signature: &in.Signature, SentFolder: &in.SentFolder, AuthServers: &in.AuthServers, Folders: &in.Folders,
	}
	return p.apply(*old)
}

// apply returns old with the patch applied and checked.
func (p Patch) apply(old Mailbox) (*Mailbox, error) {
	box := old
	var err error
	if p.Address != nil {
		if box.Address, err = cleanAddress(*p.Address); err != nil {
			return nil, err
		}
	}
	if p.Name != nil {
		box.Name = oneLine(*p.Name)
	}
	if p.Team != nil {
		box.Team = *p.Team
	}
	if err := p.applyReading(&box); err != nil {
		return nil, err
	}
	if box.IMAP, err = p.IMAP.server("imap", old.IMAP, p.DropIMAP); err != nil {
		return nil, err
	}
	if box.SMTP, err = p.SMTP.server("smtp", old.SMTP, p.DropSMTP); err != nil {
		return nil, err
	}
	switch {
	case box.IMAP != nil:
		box.Kind = KindIMAP
	case box.SMTP != nil || old.Kind != KindSandbox:
		box.Kind = KindForward
	}
	return &box, nil
}

// server checks one server's input; nil keeps the old one.
func (in *ServerInput) server(protocol string, old *Server, drop bool) (*Server, error) {
	if drop {
		return nil, nil
	}
	if in == nil {
		return old, nil
	}
	s := Server{Host: in.Host, Port: in.Port, Security: in.Security, User: strings.TrimSpace(in.User)}
	if err := s.complete(protocol); err != nil {
		return nil, err
	}
	switch {
	case in.tokens != nil:
		s.tokens = in.tokens
	case in.Password != nil:
		s.Password = *in.Password
	case old != nil && sameAccount(*old, s):
		s.Password, s.tokens = old.Password, old.tokens
	case old != nil && old.tokens != nil && s.User != "":
		return nil, invalid(protocol+".host", "The mailbox signs in by OAuth2. To use another server or user, connect it again, or enter a password.")
	}
	if err := checkProtected(protocol, &s); err != nil {
		return nil, err
	}
	if s.User != "" && s.Password == "" && s.tokens == nil {
		return nil, invalid(protocol+".password", "Enter the password of %s for %s.", s.User, s.Host)
	}
	if s.User == "" && s.Password != "" {
		return nil, invalid(protocol+".user", "Enter the user that the password for %s belongs to.", s.Host)
	}
	if strings.ContainsAny(s.User+s.Password, "\r\n\x00") {
		return nil, invalid(protocol+".password", "User and password must each stand on one line.")
	}
	return &s, nil
}

// complete checks host, port and security and fills in what was left out.
func (s *Server) complete(protocol string) error {
	host := strings.TrimSuffix(strings.TrimSpace(s.Host), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil && net.ParseIP(host) == nil {
		host = ascii
	}
	if !validHost(host) {
		return invalid(protocol+".host", "%q is no host name: enter it as in mail.example.com, without https:// or a path.", s.Host)
	}
	s.Host = host
	if s.Security == "" {
		s.Security = SecurityOpportunistic
	}
	if !s.Security.valid() {
		return invalid(protocol+".security", "The security must be tls, starttls, opportunistic or none.")
	}
	if s.Port == 0 {
		s.Port = usualPort(protocol, s.Security)
	}
	if s.Port < 1 || s.Port > 65535 {
		return invalid(protocol+".port", "The port must be a number from 1 to 65535.")
	}
	return nil
}

func usualPort(protocol string, s Security) int {
	switch {
	case protocol == "imap" && s == SecurityTLS:
		return 993
	case protocol == "imap":
		return 143
	case s == SecurityTLS:
		return 465
	default:
		return 587
	}
}

func validHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	if net.ParseIP(host) != nil {
		return true
	}
	return strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_") == "" && !strings.Contains(host, "..")
}

// cleanAddress checks an address as typed and returns it without display name
// or spaces, its domain in ASCII.
func cleanAddress(text string) (string, error) {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(text) > 320 {
		return "", invalid("address", "%q is no mail address: enter one as in support@example.com.", oneLine(text))
	}
	address, err := asciiDomain(a.Address)
	if err != nil {
		return "", invalid("address", "%q is no mail address: enter one as in support@example.com.", oneLine(text))
	}
	return address, nil
}

// asciiDomain turns an international domain into its ASCII form.
func asciiDomain(address string) (string, error) {
	local, domain, ok := cutAddress(address)
	if !ok {
		return "", desk.Errorf(desk.Invalid, "%q is no mail address.", oneLine(address))
	}
	if isASCII(domain) {
		return address, nil
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	return local + "@" + ascii, err
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// oneLine makes text fit for a header: control characters become spaces.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }), " ")
}

func invalid(field, format string, args ...any) *desk.Error {
	e := desk.Errorf(desk.Invalid, format, args...)
	return e.With(field, map[string]string{"code": "invalid", "message": e.Text})
}
