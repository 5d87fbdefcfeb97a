package email

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// consentInput begins a sign-in by OAuth2. With an id it is about that mailbox:
// alone it asks the same provider by the same client again, and with a provider
// it makes the mailbox sign in there from then on. Without an id it is a
// mailbox about to be connected.
type consentInput struct {
	Input
	Provider     string   `json:"provider"`
	ClientID     string   `json:"client_id"`
	ClientSecret *string  `json:"client_secret"` // nil = the one already stored for this client
	Tenant       string   `json:"tenant"`        // Microsoft's directory, "" = common
	Testing      bool     `json:"testing"`       // the client is in testing at Google
	AuthorizeURL string   `json:"authorize_url"` // of a generic provider
	TokenURL     string   `json:"token_url"`     // likewise
	Scopes       []string `json:"scopes"`        // likewise
	User         string   `json:"user"`          // who signs in at the mail servers, "" = the mailbox's address
}

// draft is what becomes of a mailbox once somebody has consented. It waits in
// its row, sealed.
type draft struct {
	Input    Input  `json:"input"` // a new mailbox, or the servers of an old one; those without a password are signed in at by token
	User     string `json:"user"`
	Grant    Grant  `json:"grant"`
	Secret   string `json:"secret"` // of the client
	Verifier string `json:"verifier"`
}

// draft checks the input and completes it from the mailbox it is about.
func (m *Mailboxes) draft(app core.App, in consentInput) (*draft, error) {
	var old *Mailbox
	if in.ID != "" {
		found, err := m.stored(app, in.ID)
		if err != nil {
			return nil, err
		}
		old = found
	}
	d := &draft{Input: in.Input, Grant: Grant{
		ClientID: in.ClientID, Tenant: in.Tenant, Testing: in.Testing, AuthorizeURL: in.AuthorizeURL, TokenURL: in.TokenURL, Scopes: in.Scopes,
	}}
	if in.Provider == "" && old != nil && old.Grant != nil {
		d.Grant, in.Provider = *old.Grant, old.Grant.Provider
	}
	p := findProvider(m.grants.providers, in.Provider)
	if p == nil {
		return nil, errNoProvider(m.grants.providers)
	}
	if err := p.complete(&d.Grant); err != nil {
		return nil, err
	}
	if err := m.completeSecret(app, d, p, in.ClientSecret, old); err != nil {
		return nil, err
	}
	if err := d.complete(p, in.User, old); err != nil {
		return nil, err
	}
	return d, m.checkDraft(app, d, old)
}

// completeSecret takes the stored secret for one left out, but never to another
// client or place.
func (m *Mailboxes) completeSecret(app core.App, d *draft, p *provider, typed *string, old *Mailbox) error {
	if typed != nil {
		d.Secret = strings.TrimSpace(*typed)
	} else if old != nil && old.Grant != nil && old.Grant.ClientID == d.Grant.ClientID && old.Grant.TokenURL == d.Grant.TokenURL {
		_, sealed, err := loadGrant(app, old.ID)
		if err != nil {
			return err
		}
		secret, err := m.box.Open(clientPurpose(old.ID), sealed.client)
		if err != nil {
			return invalid("client_secret", "The client secret can't be read any more because the desk's key has changed. Enter it again.")
		}
		d.Secret = secret
	}
	if d.Secret == "" && p.secret {
		return invalid("client_secret", "Enter the client secret that %s shows for the desk's client.", p.name)
	}
	if oneLine(d.Secret) != d.Secret || len(d.Secret) > 2000 {
		return invalid("client_secret", "The client secret must stand on one line.")
	}
	return nil
}

// complete fills in who signs in and where; at the provider of before the
// servers stay, one with a password among them too.
func (d *draft) complete(p *provider, user string, old *Mailbox) error {
	var imap, smtp *Server
	stay := false
	if old != nil {
		imap, smtp = old.IMAP, old.SMTP
		d.Input.Address = old.Address
		stay = old.Grant != nil && old.Grant.Provider == p.id
	}
	for _, candidate := range []string{user, userOf(d.Input.IMAP), serverUser(imap), serverUser(smtp), d.Input.Address} {
		if d.User = strings.TrimSpace(candidate); d.User != "" {
			break
		}
	}
	if oneLine(d.User) != d.User {
		return invalid("user", "The user must stand on one line.")
	}
	var err error
	if d.Input.IMAP, err = d.server("imap", d.Input.IMAP, p.imap, imap, stay); err != nil {
		return err
	}
	d.Input.SMTP, err = d.server("smtp", d.Input.SMTP, p.smtp, smtp, stay)
	return err
}

// server is where the mailbox signs in: as typed, as before, or where its
// provider's servers are; nil for none, or for one that stays as it is.
func (d *draft) server(protocol string, typed *ServerInput, preset Server, old *Server, stay bool) (*ServerInput, error) {
	var in ServerInput
	switch {
	case typed != nil:
		in = *typed
	case stay && (old == nil || old.tokens == nil):
		return nil, nil
	case preset.Host != "" && !stay:
		in = ServerInput{Host: preset.Host, Port: preset.Port, Security: preset.Security}
	case old != nil:
		in = ServerInput{Host: old.Host, Port: old.Port, Security: old.Security}
	default:
		return nil, nil
	}
	if in.Password != nil {
		return &in, nil
	}
	if preset.Host != "" && !strings.EqualFold(strings.TrimSpace(in.Host), preset.Host) {
		return nil, invalid(protocol+".host", "The server of this provider is %s; leave the field out, or enter a password for another one.", preset.Host)
	}
	in.User = d.User
	return &in, nil
}

func userOf(in *ServerInput) string {
	if in == nil || in.Password != nil {
		return ""
	}
	return in.User
}

func serverUser(s *Server) string {
	if s == nil {
		return ""
	}
	return s.User
}

// mailbox is what the draft makes of old, nil for a new mailbox; t signs in.
func (d *draft) mailbox(old *Mailbox, t *tokens) (*Mailbox, error) {
	in := d.with(t)
	if old == nil {
		return in.mailbox(nil)
	}
	return d.patch(t).apply(*old)
}

func (d *draft) patch(t *tokens) Patch {
	in := d.with(t)
	return Patch{IMAP: in.IMAP, SMTP: in.SMTP}
}

// with is the input whose servers without a password are signed in at by t.
func (d *draft) with(t *tokens) Input {
	in := d.Input
	for _, s := range []**ServerInput{&in.IMAP, &in.SMTP} {
		if *s != nil && (*s).Password == nil {
			copied := **s
			copied.tokens = t
			*s = &copied
		}
	}
	return in
}

// checkDraft refuses what could not be stored after somebody has consented.
func (m *Mailboxes) checkDraft(app core.App, d *draft, old *Mailbox) error {
	box, err := d.mailbox(old, &tokens{})
	if err != nil {
		return err
	}
	if !box.signsInByGrant() {
		return invalid("imap", "Enter the servers at which the mailbox signs in.")
	}
	if _, err := backfill(d.Input.BackfillDays, m.clock.Now()); err != nil {
		return err
	}
	return m.check(app, box)
}

// mine refuses an account that is not the one the mailbox signs in as.
func (d *draft) mine(a tokenAnswer, name string) *grantError {
	if len(a.accounts) == 0 || slices.ContainsFunc(a.accounts, func(s string) bool { return strings.EqualFold(s, d.User) }) {
		return nil
	}
	return &grantError{text: "At " + name + " you signed in as " + cut(oneLine(a.accounts[0]), 200) + ", but the mailbox signs in as " + d.User + ". Start again and choose the account " + d.User + "."}
}
