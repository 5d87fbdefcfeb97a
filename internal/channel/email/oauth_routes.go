package email

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

// shownEndpoint is where a provider's mail server is.
type shownEndpoint struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Security Security `json:"security"`
}

// shownProvider is a provider as the API shows it: what is asked for, and the
// way to a client there.
type shownProvider struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	IMAP        *shownEndpoint `json:"imap"` // null = to be entered
	SMTP        *shownEndpoint `json:"smtp"` // null = to be entered
	AsksTenant  bool           `json:"asks_tenant"`
	AsksTesting bool           `json:"asks_testing"`
	AsksURLs    bool           `json:"asks_urls"`    // authorize_url, token_url, scopes, imap and smtp are to be entered
	NeedsSecret bool           `json:"needs_secret"` // there is no client without one
	Scopes      []string       `json:"scopes"`
	Steps       []guideStep    `json:"steps"`
	Warning     string         `json:"warning"` // a sentence or two, "" for none
}

type shownProviders struct {
	RedirectURL     string          `json:"redirect_url"`     // to be entered at the provider exactly
	RedirectWarning string          `json:"redirect_warning"` // why a big provider would not take it, "" when it would
	Providers       []shownProvider `json:"providers"`
}

// shownConsent is a consent as the API shows it to who began it.
type shownConsent struct {
	ID           string  `json:"id"`
	State        string  `json:"state"`         // pending, expired, connected or failed
	Text         string  `json:"text"`          // a sentence: why it failed, or what does not work yet
	Mailbox      *string `json:"mailbox"`       // its id, null for a new one that is not there yet
	AuthorizeURL string  `json:"authorize_url"` // where to send the browser, "" but in the answer to a POST
	RedirectURL  string  `json:"redirect_url"`
	Expires      *string `json:"expires"` // until when the browser has to be back
}

type secretInput struct {
	ID           string `json:"id"` // that of the path, or absent
	ClientSecret string `json:"client_secret"`
}

// OAuthRoutes adds the routes by which mailboxes are connected by OAuth2. site
// is the address under which the caller reached the desk.
func (s *Service) OAuthRoutes(t *route.Table, site func(c *route.Call) string, sessions Sessions) {
	redirect := func(c *route.Call) string { return site(c) + callbackPath }
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/oauth/providers", Permission: "channel.read", Summary: "The providers that let the desk into a mailbox by OAuth2, and the way to a client there"},
		func(c *route.Call, _ route.None) (shownProviders, error) { return s.showProviders(redirect(c)), nil })
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/oauth/consents", Permission: "channel.write", Status: 201, Summary: "Begin to connect a mailbox by OAuth2, or to renew what lets the desk in"},
		func(c *route.Call, in consentInput) (shownConsent, error) {
			d, err := s.mailboxes.draft(c.App, in)
			if err != nil {
				return shownConsent{}, err
			}
			return s.begin(c, *d, in.ID, redirect(c))
		})
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/oauth/consents/{id}", Permission: "channel.write", Summary: "How a sign-in at a provider that one began has ended"},
		func(c *route.Call, _ route.None) (shownConsent, error) {
			found, err := s.own(c)
			if err != nil {
				return shownConsent{}, err
			}
			return s.showConsent(found), nil
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/oauth/consents/{id}/retry", Permission: "channel.write", Status: 201, Summary: "Begin a sign-in at a provider again with what was entered"},
		func(c *route.Call, _ route.None) (shownConsent, error) { return s.retry(c, redirect(c)) })
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/oauth/grants/{id}", Permission: "channel.write", Summary: "Enter another secret of the client by which a mailbox (its id) signs in"},
		func(c *route.Call, in secretInput) (shownMailbox, error) {
			if err := s.mailboxes.ChangeClientSecret(c.Caller.Actor, c.Param("id"), in.ClientSecret); err != nil {
				return shownMailbox{}, err
			}
			s.granted(c.Param("id"))
			return s.showOne(c.App, c.Param("id"))
		})
	route.AddRaw(t, route.Route{Method: "GET", Path: callbackPath, Permission: route.Public, Summary: "Where a provider sends the browser back to"},
		func(c *route.Call) error { return s.callback(c, sessions) })
}

// begin asks for consent to a draft and lets the browser be known again.
func (s *Service) begin(c *route.Call, d draft, mailbox, redirect string) (shownConsent, error) {
	if c.Caller.Session == "" {
		return shownConsent{}, desk.Errorf(desk.Forbidden, "Only a person who is signed in to the desk can sign in at a provider.")
	}
	a, err := s.ask(c.App, c.Caller, d, mailbox, redirect)
	if err != nil {
		return shownConsent{}, err
	}
	setCookie(c, a)
	shown := s.showConsent(&a.consent)
	shown.AuthorizeURL = a.url
	return shown, nil
}

// retry begins anew with the draft of a consent that came to nothing.
func (s *Service) retry(c *route.Call, redirect string) (shownConsent, error) {
	found, err := s.own(c)
	if err != nil {
		return shownConsent{}, err
	}
	if found.draft == "" {
		return shownConsent{}, desk.Errorf(desk.Conflict, "This sign-in has ended well; to renew it, begin at the mailbox.")
	}
	d, err := openDraft(s.options.Box, found.id, found.draft)
	if err != nil {
		return shownConsent{}, desk.Errorf(desk.Conflict, "The desk's key has changed since; enter everything again.")
	}
	return s.begin(c, *d, found.mailbox, redirect)
}

// own is the consent of the path if the caller's sign-in began it.
func (s *Service) own(c *route.Call) (*consent, error) {
	found, err := loadConsent(c.App, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if found == nil || found.session == "" || found.session != c.Caller.Session {
		return nil, desk.Errorf(desk.NotFound, "There is no such sign-in at a provider; begin again.")
	}
	return found, nil
}

func (s *Service) showConsent(c *consent) shownConsent {
	shown := shownConsent{
		ID: c.id, State: c.shownState(s.clock.Now()), Text: c.text, RedirectURL: c.redirect, Expires: stamp(c.created.Add(consentLife)),
	}
	if shown.State == consentExpired {
		shown.Text = "Nobody came back from the provider within ten minutes. Try again."
	}
	if c.mailbox != "" {
		shown.Mailbox = &c.mailbox
	}
	return shown
}

func (s *Service) showProviders(redirect string) shownProviders {
	out := shownProviders{RedirectURL: redirect, RedirectWarning: redirectTrouble(redirect)}
	for _, p := range s.mailboxes.grants.providers {
		shown := shownProvider{
			ID: p.id, Name: p.name, IMAP: p.imap.endpoint(), SMTP: p.smtp.endpoint(), AsksTenant: p.tenant, AsksTesting: p.testing,
			AsksURLs: p.authorize == "", NeedsSecret: p.secret, Scopes: append([]string{}, p.scopes...),
		}
		shown.Steps, shown.Warning = stepsFor(p.id, redirect)
		out.Providers = append(out.Providers, shown)
	}
	return out
}

func (s Server) endpoint() *shownEndpoint {
	if s.Host == "" {
		return nil
	}
	return &shownEndpoint{Host: s.Host, Port: s.Port, Security: s.Security}
}

// shownGrant is how a mailbox signs in by OAuth2, as the API shows it.
type shownGrant struct {
	Provider     string   `json:"provider"`
	ClientID     string   `json:"client_id"`
	Tenant       string   `json:"tenant"`
	AuthorizeURL string   `json:"authorize_url"`
	TokenURL     string   `json:"token_url"`
	Scopes       []string `json:"scopes"`
	Testing      bool     `json:"testing"`
	Account      string   `json:"account"` // who consented, "" when the provider did not say
	Consented    *string  `json:"consented"`
	Expires      *string  `json:"expires"` // null when it is not known to end
	State        string   `json:"state"`   // ok, ending or failing
	Text         string   `json:"text"`    // a sentence, "" when ok
}

func (s *Service) showGrant(box Mailbox) *shownGrant {
	g := box.Grant
	if g == nil {
		return nil
	}
	text, state := s.grantState(box)
	return &shownGrant{
		Provider: g.Provider, ClientID: g.ClientID, Tenant: g.Tenant, AuthorizeURL: g.AuthorizeURL, TokenURL: g.TokenURL,
		Scopes: append([]string{}, g.Scopes...), Testing: g.Testing, Account: g.Account,
		Consented: stamp(g.Consented), Expires: stamp(g.ends()), State: state, Text: text,
	}
}
