package email

import (
	"errors"
	"fmt"
	"strings"
)

// explainGrant is explain for what concerns a sign-in by OAuth2; ok is false for
// everything else.
func explainGrant(err error, s Server) (sentence, detail string, ok bool) {
	var provider *grantError
	if errors.As(err, &provider) {
		return provider.text, provider.detail, true
	}
	if errors.Is(err, errNoBearer) {
		return fmt.Sprintf("%s offers no sign-in by OAuth2 (XOAUTH2 or OAUTHBEARER). Check the server, or sign in there by password.", s.Host), "", true
	}
	var refused *refusedToken
	if errors.As(err, &refused) {
		return refusedText(refused.words, s), refused.words, true
	}
	return "", "", false
}

// isGrantError tells whether the provider, not the mail server, is in the way.
func isGrantError(err error) bool {
	var provider *grantError
	return errors.As(err, &provider)
}

// signedInText says that a sign-in worked.
func (s Server) signedInText() string {
	if s.tokens != nil {
		return fmt.Sprintf("%s lets %s in by OAuth2.", s.Host, s.User)
	}
	return "User and password are right."
}

// mailRefusals are the words with which mail servers refuse a token that is
// good, and what to do about them; {user} and {host} are filled in.
var mailRefusals = []refusal{
	{"5.7.139", "Microsoft does not let {user} send by SMTP. An administrator switches it on in the Microsoft 365 admin center: the user, Mail, Manage email apps, Authenticated SMTP; if security defaults are on, also for the organization."},
	{"SmtpClientAuthentication", "Microsoft does not let {user} send by SMTP. An administrator switches it on in the Microsoft 365 admin center: the user, Mail, Manage email apps, Authenticated SMTP; if security defaults are on, also for the organization."},
	{"authenticated but not connected", "Microsoft let {user} in but opens no mailbox. Check that this user has a mailbox of its own and that IMAP is switched on for it (Mail, Manage email apps)."},
	{"not enabled for IMAP", "IMAP is switched off for {user}. Switch it on in Gmail's settings, Forwarding and POP/IMAP."},
	{"IMAP access is disabled", "An administrator has switched IMAP off for {user}. Let them switch it on in the Admin console: Gmail, End User Access."},
}

func refusedText(words string, s Server) string {
	fill := strings.NewReplacer("{user}", s.User, "{host}", s.Host)
	for _, r := range mailRefusals {
		if strings.Contains(words, r.mark) {
			return fill.Replace(r.text)
		}
	}
	return fill.Replace("{host} did not let {user} in, though the provider gave the desk a token. Connect again and sign in as {user} itself; check that the mailbox may be used by IMAP and SMTP.")
}
