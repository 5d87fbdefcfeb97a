package email

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"golang.org/x/oauth2"
)

// provider is who lets the desk into a mailbox by OAuth2. The desk has no
// client of its own there: the owner makes one and enters it.
type provider struct {
	id, name   string            // the id reaches the database and the API
	imap, smtp Server            // no host when the owner enters the servers
	authorize  string            // {tenant} stands for the directory; "" when the owner enters the URLs
	token      string            // likewise
	scopes     []string          // asked for; nil when the owner enters them
	mailScope  string            // without it no mail comes, "" when nobody knows
	params     map[string]string // more for the authorize URL
	tenant     bool              // has directories
	secret     bool              // knows no client without a secret
	testing    bool              // a client in testing loses its grant after testingLife
}

// The providers that the desk knows. openid and email tell who consented.
var providers = []provider{
	{
		id: "google", name: "Google",
		imap:      Server{Host: "imap.gmail.com", Port: 993, Security: SecurityTLS},
		smtp:      Server{Host: "smtp.gmail.com", Port: 465, Security: SecurityTLS},
		authorize: "https://accounts.google.com/o/oauth2/v2/auth",
		token:     "https://oauth2.googleapis.com/token",
		scopes:    []string{"https://mail.google.com/", "openid", "email"},
		mailScope: "https://mail.google.com/",
		params:    map[string]string{"access_type": "offline", "prompt": "consent"},
		secret:    true, testing: true,
	},
	{
		id: "microsoft", name: "Microsoft",
		imap:      Server{Host: "outlook.office365.com", Port: 993, Security: SecurityTLS},
		smtp:      Server{Host: "smtp.office365.com", Port: 587, Security: SecurityStartTLS},
		authorize: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		token:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		scopes: []string{
			"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access", "openid", "email", "profile",
		},
		params: map[string]string{"prompt": "select_account"},
		tenant: true, secret: true,
	},
	{id: genericProvider, name: "the provider"},
}

// genericProvider is the id of a provider whose URLs the owner enters.
const genericProvider = "generic"

// findProvider returns the provider of an id, nil for none.
func findProvider(all []provider, id string) *provider {
	if i := slices.IndexFunc(all, func(p provider) bool { return p.id == id }); i >= 0 {
		return &all[i]
	}
	return nil
}

// complete fills in what the provider knows of g, checks the rest and forgets
// what does not belong there.
func (p *provider) complete(g *Grant) error {
	g.Provider, g.ClientID = p.id, strings.TrimSpace(g.ClientID)
	if g.ClientID == "" || oneLine(g.ClientID) != g.ClientID || len(g.ClientID) > 500 {
		return invalid("client_id", "Enter the client id that %s shows for the desk's client.", p.name)
	}
	if g.Tenant = strings.TrimSpace(g.Tenant); !p.tenant {
		g.Tenant = ""
	} else if g.Tenant == "" {
		g.Tenant = "common"
	}
	if p.tenant && (len(g.Tenant) > 100 || strings.Trim(strings.ToLower(g.Tenant), "abcdefghijklmnopqrstuvwxyz0123456789.-") != "") {
		return invalid("tenant", "The tenant is the Directory (tenant) ID that %s shows, or its domain.", p.name)
	}
	if !p.testing {
		g.Testing = false
	}
	if p.authorize != "" {
		g.AuthorizeURL = strings.ReplaceAll(p.authorize, "{tenant}", g.Tenant)
		g.TokenURL = strings.ReplaceAll(p.token, "{tenant}", g.Tenant)
		g.Scopes = p.scopes
		return nil
	}
	if err := checkEndpoint("authorize_url", g.AuthorizeURL); err != nil {
		return err
	}
	if err := checkEndpoint("token_url", g.TokenURL); err != nil {
		return err
	}
	return checkScopes(g)
}

func checkScopes(g *Grant) error {
	g.Scopes = strings.Fields(strings.Join(g.Scopes, " "))
	if len(g.Scopes) > 30 || len(strings.Join(g.Scopes, " ")) > 2000 {
		return invalid("scopes", "These are too many scopes; enter those for IMAP and SMTP only.")
	}
	return nil
}

// checkEndpoint refuses a URL to which a secret must not go.
func checkEndpoint(field, text string) error {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || oneLine(text) != text:
		return invalid(field, "Enter the whole URL, as in https://login.example.com/oauth2/token.")
	case u.Scheme == "http" && isLoopback(u.Hostname()), u.Scheme == "https":
		return nil
	}
	return invalid(field, "The URL must begin with https://, so that nobody on the way reads what is sent there.")
}

// checkProtected refuses a server to which an access token would go in the clear.
func checkProtected(protocol string, s *Server) error {
	if s == nil || s.tokens == nil || s.Security == SecurityTLS || s.Security == SecurityStartTLS || isLoopback(s.Host) {
		return nil
	}
	return invalid(protocol+".security", "To sign in by OAuth2 the connection must be protected: choose TLS or STARTTLS.")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// config is what x/oauth2 needs to speak for a grant.
func (g Grant) config(secret, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: g.ClientID, ClientSecret: secret, RedirectURL: redirect, Scopes: g.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: g.AuthorizeURL, TokenURL: g.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// name of the provider as it stands in sentences: the host of one's own.
func (g Grant) name(all []provider) string {
	if p := findProvider(all, g.Provider); p != nil && p.id != genericProvider {
		return p.name
	}
	if u, err := url.Parse(g.TokenURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "The provider"
}

// errNoProvider is the answer to a provider that the desk does not know.
func errNoProvider(all []provider) *desk.Error {
	var ids []string
	for _, p := range all {
		ids = append(ids, p.id)
	}
	return invalid("provider", "Choose who runs the mailbox: %s.", strings.Join(ids, ", "))
}
