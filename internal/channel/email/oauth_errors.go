package email

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"golang.org/x/oauth2"
)

// grantError is why a provider does not let the desk in.
type grantError struct {
	text   string // a sentence that says what to do
	detail string // the provider's own words without secrets, "" for none
	code   string // of OAuth2, "" when there was none
	final  bool   // asking again soon changes nothing
	known  bool   // the words were understood, not only the code
}

// Error implements error; it holds no secret.
func (e *grantError) Error() string {
	if e.detail == "" {
		return e.text
	}
	return e.text + " (" + e.detail + ")"
}

// refusal is a provider's no that is known by a mark in its code or its words.
// In text, {name} is the provider and {tenant} the directory.
type refusal struct{ mark, text string }

// Microsoft's numbers are those of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
var refusals = []refusal{
	{"AADSTS7000222", "The client secret has expired at {name}. Make a new one there under Certificates & secrets and enter its value here."},
	{"AADSTS7000215", "{name} does not know this client secret. Enter the secret's value, not its ID, from Certificates & secrets."},
	{"AADSTS700016", "{name} knows no client with this id in the directory {tenant}. Check the client id and the tenant."},
	{"AADSTS90002", "{name} knows no directory {tenant}. Enter the Directory (tenant) ID from the client's overview."},
	{"AADSTS900023", "{name} knows no directory {tenant}. Enter the Directory (tenant) ID from the client's overview."},
	{"AADSTS50194", "This client is for one organization only. Enter its Directory (tenant) ID instead of {tenant}."},
	{"AADSTS9002325", "This client was registered as a single-page application. Register the redirect URL under the platform Web instead."},
	{"AADSTS50011", "{name} does not know the desk's redirect URL. Enter it in the client's settings exactly as the desk shows it."},
	{"redirect_uri_mismatch", "{name} does not know the desk's redirect URL. Enter it in the client's settings exactly as the desk shows it."},
	{"AADSTS65004", "The sign-in at {name} was cancelled, or access was not agreed to. Start again and agree."},
	{"AADSTS65001", adminText},
	{"AADSTS90094", adminText},
	{"AADSTS90095", adminText},
	{"consent_required", adminText},
	{"AADSTS50105", "An administrator at {name} has to assign the mailbox's user to the desk's client first. Then connect again."},
	{"AADSTS53003", "A conditional access rule at {name} keeps the desk out. An administrator has to make an exception for the desk's client; then connect again."},
	{"AADSTS50057", "The account is switched off at {name}. An administrator has to switch it on; then connect again."},
	{"AADSTS50076", secondProofText},
	{"AADSTS50078", secondProofText},
	{"AADSTS50079", secondProofText},
	{"invalid_rapt", "{name} wants a new sign-in now and then (Google Cloud session control). Trust the desk's client in the Admin console, Security, API controls; then connect again."},
	{"admin_policy_enforced", "Your organization's administrator at {name} keeps the desk's client out. Let them trust it in the Admin console, Security, API controls."},
	{"deleted_client", "The desk's client was deleted at {name}. Make a new one and connect again."},
	{"disabled_client", "The desk's client was switched off at {name}. Switch it on there, or make a new one and connect again."},
	{"invalid_client", "{name} does not know this client id or its secret. Check both."},
	{"unauthorized_client", "{name} does not allow the desk's client to do this. Check its type (a web application), its id and its secret."},
	{"access_denied", "The sign-in at {name} was cancelled, or access was not agreed to. Start again and agree."},
	{"invalid_scope", "{name} does not let the desk's client ask for mail. Add the scopes for IMAP and SMTP to the client."},
}

const (
	adminText       = "An administrator of your organization at {name} has to agree first: in the client's settings, under API permissions, by Grant admin consent. Then connect again."
	secondProofText = "{name} wants a second proof of who signs in. Connect again and sign in with it."
)

// busyCodes are the codes of OAuth2 for a provider that has a bad day.
var busyCodes = []string{"temporarily_unavailable", "server_error", "slow_down"}

func (k *grants) name(g Grant) string { return g.name(k.providers) }

// explain makes one sentence of what went wrong between the desk and a provider.
func (k *grants) explain(err error, g Grant, secrets ...string) *grantError {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return k.explainUnreached(err, g)
	}
	status := refused.Response.StatusCode
	if status >= 500 || status == 429 || refused.ErrorCode == "" {
		e := &grantError{text: k.name(g) + " can't sign the desk in right now; the desk tries again.", detail: fmt.Sprintf("HTTP %d", status)}
		if status < 500 && status != 429 {
			e.text, e.final = fmt.Sprintf("%s does not answer as a token server does. Check the token URL.", hostOf(g.TokenURL)), true
		}
		return e
	}
	return k.explainCode(g, refused.ErrorCode, refused.ErrorDescription+" "+subError(refused.Body), secrets...)
}

// explainCode is about a code of OAuth2 and the words that came with it.
func (k *grants) explainCode(g Grant, code, words string, secrets ...string) *grantError {
	e := &grantError{code: oneLine(cut(code, 100)), final: true}
	e.detail = cut(strings.TrimSpace(oneLine(e.code+" "+scrub(words, secrets))), maxDetail)
	for _, busy := range busyCodes {
		if code == busy {
			e.text, e.final = k.name(g)+" can't sign the desk in right now; the desk tries again.", false
			return e
		}
	}
	fill := strings.NewReplacer("{name}", k.name(g), "{tenant}", g.Tenant)
	for _, r := range refusals {
		if code == r.mark || hasWord(words, r.mark) {
			e.text, e.known = fill.Replace(r.text), true
			return e
		}
	}
	if code == "invalid_grant" {
		e.text = fill.Replace("{name} no longer lets the desk in: the permission was withdrawn or has expired, or the password was changed. Connect again; mail waits until then.")
		if g.Testing {
			e.text = fill.Replace("{name} no longer lets the desk in: it ends what a client in testing was granted after 7 days. Publish the client and connect again; mail waits until then.")
		}
		return e
	}
	e.text = fill.Replace("{name} refused the sign-in. Check the client's settings there, then connect again.")
	return e
}

// hasWord tells whether a mark stands in words as a whole: AADSTS50057 is none
// of AADSTS500571.
func hasWord(words, mark string) bool {
	for _, word := range strings.FieldsFunc(words, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		if word == mark {
			return true
		}
	}
	return false
}

// subError is Google's and Microsoft's closer reason, "" for none.
func subError(body []byte) string {
	for _, mark := range []string{"invalid_rapt", "consent_required"} {
		if strings.Contains(string(body), `"`+mark+`"`) {
			return mark
		}
	}
	return ""
}

// scrub takes secrets out of somebody else's words.
func scrub(words string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			words = strings.NewReplacer(s, "…", url.QueryEscape(s), "…").Replace(words)
		}
	}
	return words
}

// explainUnreached is about a provider that gave no answer, or none that can be read.
func (k *grants) explainUnreached(err error, g Grant) *grantError {
	host := hostOf(g.TokenURL)
	e := &grantError{detail: cut(oneLine(err.Error()), maxDetail)}
	var own *desk.Error
	var dns *net.DNSError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var bad x509.CertificateInvalidError
	var network net.Error
	switch {
	case errors.As(err, &own):
		e.text, e.final, e.detail = own.Text, true, ""
	case errors.Is(err, context.Canceled):
		e.text = errStopping.text
	case errors.As(err, &dns) && dns.IsNotFound:
		e.text = fmt.Sprintf("There is no host %s to sign in at. Check the token URL.", host)
	case errors.As(err, &name), errors.As(err, &unknown), errors.As(err, &bad):
		e.text = fmt.Sprintf("The certificate of %s can't be trusted, so the desk does not sign in there. It has to be mended there.", host)
	case errors.As(err, &network):
		e.text = fmt.Sprintf("%s can't be reached to sign in; the desk tries again. Check this machine's network if it goes on.", host)
	default:
		e.text, e.final = fmt.Sprintf("%s does not answer as a token server does. Check the token URL.", host), true
		e.detail = "" // it may hold what the server sent, which may be anything
	}
	return e
}

// errStopping is the answer to whoever wants a token while the desk stops.
var errStopping = &grantError{text: "The desk was stopped before it had signed in; it tries again."}

func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "the provider"
}
