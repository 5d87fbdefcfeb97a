package email

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/route"
)

// way is one way of connecting a mailbox. The ids reach the API: forward,
// app_password, oauth2, relay.
type way struct {
	ID      string    `json:"id"`
	Ready   bool      `json:"ready"`   // works at once
	Text    string    `json:"text"`    // what it is, in one sentence
	Missing []missing `json:"missing"` // what keeps it from being ready
}

// missing is something that a way still needs. The codes reach the API: no_name,
// listener_off, listener_port, redirect, oauth_client, account.
type missing struct {
	Code string `json:"code"`
	Text string `json:"text"` // one sentence, saying how to get it
}

// shownWays are the ways of connecting a mailbox, those first that work at once.
type shownWays struct {
	Name     *string       `json:"name"`     // the desk's own name on the internet, null for none
	Listener *string       `json:"listener"` // where the built-in SMTP listener listens, null when it is off
	Items    []way         `json:"items"`
	Carriers []shownPreset `json:"carriers"` // where mailboxes are
	Relays   []shownPreset `json:"relays"`   // what only sends
}

// shownPreset is what is known of a mail service, for filling in a form.
type shownPreset struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Domains  []string      `json:"domains"` // it gives out addresses of these
	IMAP     *presetServer `json:"imap"`    // null for one that only sends
	SMTP     *presetServer `json:"smtp"`
	Reporter string        `json:"auth_server"` // for auth_servers, "" when not known
	User     string        `json:"user"`        // what to enter, in words
	Password string        `json:"password"`    // likewise; "" when no password gets one in
	Link     string        `json:"link"`        // where one gets the password, "" for nowhere
	Note     string        `json:"note"`        // a sentence about it, "" for none
}

type presetServer struct {
	Host     string   `json:"host"` // "" to be entered
	Port     int      `json:"port"`
	Security Security `json:"security"`
}

// WayRoutes adds the routes that the wizard for a mailbox begins with. site is the
// address under which the caller reached the desk.
func (s *Service) WayRoutes(t *route.Table, site func(c *route.Call) string) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/mail/ways", Permission: "channel.read", Summary: "The ways of connecting a mailbox, those first that work at once, with presets"},
		func(c *route.Call, _ route.None) (shownWays, error) { return s.ways(site(c) + callbackPath), nil })
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/mail/ports", Permission: "channel.write", Summary: "Try whether this machine reaches the ports of a mail server; takes a few seconds at most"},
		func(c *route.Call, in portsInput) (shownPorts, error) { return s.tryPorts(c.Request.Context(), in) })
}

// ways looks at each way; a provider of OAuth2 would send the browser back to
// redirect.
func (s *Service) ways(redirect string) shownWays {
	all := []way{
		s.forwardWay(),
		{ID: "app_password", Ready: true, Text: "The desk signs in at your mail provider with a password made for it, and reads and sends there."},
		grantWay(redirect),
		{ID: "relay", Text: "The desk sends by a service for sending, such as Mailgun or Postmark; it gets its mail by forwarding.", Missing: []missing{
			{"account", "You need an account there, and your domain confirmed."},
		}},
	}
	slices.SortStableFunc(all, func(a, b way) int {
		switch {
		case a.Ready == b.Ready:
			return 0
		case a.Ready:
			return -1
		}
		return 1
	})
	shown := shownWays{Items: all, Carriers: []shownPreset{}, Relays: []shownPreset{}}
	for i := range shown.Items {
		shown.Items[i].Missing = append([]missing{}, shown.Items[i].Missing...)
	}
	if len(s.options.Names) > 0 {
		shown.Name = &s.options.Names[0]
	}
	if addr := s.SMTPAddr(); addr != "" {
		shown.Listener = &addr
	}
	for _, c := range carriers {
		if c.relay {
			shown.Relays = append(shown.Relays, c.preset())
		} else {
			shown.Carriers = append(shown.Carriers, c.preset())
		}
	}
	other := presetServer{Port: 993, Security: SecurityTLS}
	sending := presetServer{Port: 465, Security: SecurityTLS}
	shown.Carriers = append(shown.Carriers, shownPreset{ID: "generic", Name: "Other", Domains: []string{}, IMAP: &other, SMTP: &sending, User: "Usually the whole address.", Password: "The password of the mailbox, or one made for programs."})
	shown.Relays = append(shown.Relays, shownPreset{ID: "generic", Name: "Other", Domains: []string{}, SMTP: &presetServer{Port: 587, Security: SecurityStartTLS}, User: "As the service names it.", Password: "As the service names it."})
	return shown
}

// grantWay looks at what a provider of OAuth2 wants of the desk.
func grantWay(redirect string) way {
	w := way{ID: "oauth2", Text: "The desk signs in at Google, Microsoft or another provider by a grant that you can take back there."}
	if trouble := redirectTrouble(redirect); trouble != "" {
		w.Missing = append(w.Missing, missing{"redirect", trouble})
	}
	w.Missing = append(w.Missing, missing{"oauth_client", "You register a client for the desk at the provider once; its id and secret are entered here, the steps are shown."})
	return w
}

// forwardWay looks at what the built-in listener needs to be reached.
func (s *Service) forwardWay() way {
	w := way{ID: "forward", Text: "Your mail provider forwards to an address of this desk; no password is needed, and a mail is here a second after it was sent."}
	if len(s.options.Names) == 0 {
		w.Missing = append(w.Missing, missing{"no_name", "This desk has no name on the internet. Start it with a domain that points here: deskbell serve help.example.com --smtp :25."})
	}
	switch host, port, err := net.SplitHostPort(s.SMTPAddr()); {
	case err != nil:
		w.Missing = append(w.Missing, missing{"listener_off", "The built-in mail server is off. Start the desk with --smtp :25."})
	case net.ParseIP(host).IsLoopback():
		w.Missing = append(w.Missing, missing{"listener_port", fmt.Sprintf("The built-in mail server is reached from this machine alone (%s). Start the desk with --smtp :25.", s.SMTPAddr())})
	case port != "25":
		w.Missing = append(w.Missing, missing{"listener_port", fmt.Sprintf("The built-in mail server listens on port %s, and mail comes to port 25. Start the desk with --smtp :25, or forward port 25 to it.", port)})
	}
	w.Ready = len(w.Missing) == 0
	return w
}

func (c carrier) preset() shownPreset {
	return shownPreset{
		ID: c.id, Name: c.name, Domains: notNull(c.domains), IMAP: c.imap.preset(), SMTP: c.smtp.preset(),
		Reporter: c.reporter, User: c.user, Password: c.password, Link: c.link, Note: c.note,
	}
}

func (s *Server) preset() *presetServer {
	if s == nil {
		return nil
	}
	return &presetServer{strings.ToLower(s.Host), s.Port, s.Security}
}
