package email

import (
	"net"
	"net/url"
	"strings"
)

// guideStep is one step on the way to a client at a provider.
type guideStep struct {
	Text string `json:"text"` // one sentence
	URL  string `json:"url"`  // of the page on which it is done, "" for none
	Copy string `json:"copy"` // to be entered there exactly, "" for nothing
}

// theRedirect stands in a guide for the desk's redirect URL.
const theRedirect = "{redirect}"

// guide is what the owner does at a provider before connecting.
type guide struct {
	steps   []guideStep
	warning string
}

var guides = map[string]guide{
	"google": {
		steps: []guideStep{
			{Text: "In the Google Cloud console create a project for the desk, or choose one.", URL: "https://console.cloud.google.com/projectcreate"},
			{Text: "Switch on the Gmail API in this project.", URL: "https://console.cloud.google.com/apis/library/gmail.googleapis.com"},
			{Text: "In the Google Auth Platform choose Get started and enter a name for the desk and your address.", URL: "https://console.cloud.google.com/auth/overview"},
			{Text: "As the audience choose Internal if the mailbox belongs to your Google Workspace: nothing expires then; else choose External.", URL: "https://console.cloud.google.com/auth/audience"},
			{Text: "With External, publish the app under Audience; if you leave it in testing, add the mailbox's address to the test users and say here that it is in testing.", URL: "https://console.cloud.google.com/auth/audience"},
			{Text: "Under Data access add the scope for mail.", URL: "https://console.cloud.google.com/auth/scopes", Copy: "https://mail.google.com/"},
			{Text: "Under Clients create a client of the type Web application and add this authorized redirect URI.", URL: "https://console.cloud.google.com/auth/clients", Copy: theRedirect},
			{Text: "Copy the client ID and the client secret that Google shows into the desk."},
			{Text: "Choose Connect, sign in at Google as the mailbox itself and allow the desk to read and send its mail; if Google warns that the app is not verified, go on by Advanced."},
		},
		warning: "Google ends what a client in testing was granted after 7 days. Make the audience Internal or publish the app; else the desk reminds you from the fifth day on to connect again.",
	},
	"microsoft": {
		steps: []guideStep{
			{Text: "In the Microsoft Entra admin center open App registrations and choose New registration.", URL: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"},
			{Text: "Enter a name, and as supported account types choose your organization only; for an outlook.com mailbox choose the type with personal accounts."},
			{Text: "As the redirect URI choose the platform Web and enter this URL, then register.", Copy: theRedirect},
			{Text: "Copy the Application (client) ID and the Directory (tenant) ID from the overview into the desk; for an outlook.com mailbox the tenant is common."},
			{Text: "Under Certificates & secrets make a new client secret and copy its value, not its ID, into the desk at once; note the day on which it expires."},
			{Text: "Under API permissions add, from Microsoft Graph and as delegated permissions, IMAP.AccessAsUser.All, SMTP.Send and offline_access.", Copy: "IMAP.AccessAsUser.All SMTP.Send offline_access"},
			{Text: "Let an administrator choose Grant admin consent on the same page."},
			{Text: "In the Microsoft 365 admin center open the mailbox's user, Mail, Manage email apps, and switch on IMAP and Authenticated SMTP.", URL: "https://admin.microsoft.com/#/users"},
			{Text: "Choose Connect and sign in at Microsoft as the mailbox itself."},
		},
		warning: "A client secret of Microsoft expires, after 24 months at the latest. Enter a new one here before that; nobody has to sign in again for it.",
	},
	genericProvider: {
		steps: []guideStep{
			{Text: "At your provider register a confidential web client for the desk with this redirect URL.", Copy: theRedirect},
			{Text: "Allow it the authorization code flow with PKCE and refresh tokens, and the scopes that open IMAP and SMTP."},
			{Text: "Enter its client id and secret, the authorize and token URLs and the scopes here; the scopes openid and email let the desk see that the right account agreed."},
			{Text: "Enter the IMAP and SMTP servers, which have to offer XOAUTH2 or OAUTHBEARER, then choose Connect and sign in as the mailbox itself."},
		},
	},
}

// stepsFor is a guide for a desk with this redirect URL.
func stepsFor(id, redirect string) (steps []guideStep, warning string) {
	g := guides[id]
	steps = []guideStep{}
	for _, step := range g.steps {
		if step.Copy == theRedirect {
			step.Copy = redirect
		}
		steps = append(steps, step)
	}
	return steps, g.warning
}

// redirectTrouble tells why big providers will not take a redirect URL, "" when
// they will: they want https and a public name, or this very machine.
func redirectTrouble(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return ""
	}
	host, ip := u.Hostname(), net.ParseIP(u.Hostname())
	switch {
	case u.Scheme == "https" && ip == nil && strings.Contains(host, "."):
		return ""
	case strings.EqualFold(host, "localhost"):
		return ""
	case ip != nil && ip.IsLoopback():
		return "Microsoft takes localhost but not " + host + " in a redirect URL: open the desk as localhost to connect a mailbox there."
	}
	return "Google and Microsoft take this redirect URL only if it begins with https:// and a public name. Open the desk by such an address, or on its own machine by http://localhost, and connect there."
}
