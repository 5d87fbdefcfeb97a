package email

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/mailauth"
	"golang.org/x/net/publicsuffix"
)

// carrier is a mail service that the desk knows: it carries the mail of its
// customers' own domains, gives out addresses of its own, or both.
type carrier struct {
	id, name string
	hosts    []string // its servers lie below these domains
	domains  []string // it gives out addresses of these
	imap     *Server  // nil for one that only sends
	smtp     *Server
	mx       []string // mail servers of its customers' domains lie below these
	mxHost   string   // what its customers enter, {domain} being theirs with dashes; "" when it is not for us to say
	spf      string   // what its customers include into their SPF record, "" when it says nothing
	signs    bool     // it signs by DKIM itself
	reporter string   // its name in Authentication-Results, "" when not known

	relay    bool   // it only sends
	user     string // what its user is, in words
	password string // what its password is, in words
	link     string // where one gets the password
	note     string // a sentence about it, "" for none
}

// carriers are the known ones. Hosts, records and pages are as they publish
// them.
var carriers = []carrier{
	{
		id: "gmail", name: "Gmail", hosts: []string{"gmail.com", "googlemail.com"}, domains: []string{"gmail.com", "googlemail.com"},
		imap: &Server{Host: "imap.gmail.com", Port: 993, Security: SecurityTLS}, smtp: &Server{Host: "smtp.gmail.com", Port: 465, Security: SecurityTLS},
		mx: []string{"google.com", "googlemail.com"}, mxHost: "smtp.google.com", spf: "_spf.google.com", signs: true, reporter: "mx.google.com",
		user: "The whole address.", password: "An app password of 16 letters; two-step verification has to be on.", link: "https://myaccount.google.com/apppasswords",
		note: "Some Google Workspace organizations allow no app passwords; use OAuth2 there.",
	},
	{
		id: "microsoft", name: "Microsoft 365", hosts: []string{"office365.com", "outlook.com"},
		domains: []string{"outlook.com", "hotmail.com", "live.com", "msn.com"},
		imap:    &Server{Host: "outlook.office365.com", Port: 993, Security: SecurityTLS}, smtp: &Server{Host: "smtp.office365.com", Port: 587, Security: SecurityStartTLS},
		mx: []string{"mail.protection.outlook.com", "mx.microsoft"}, mxHost: "{domain}.mail.protection.outlook.com", spf: "spf.protection.outlook.com", signs: true, reporter: mailauth.Microsoft,
		user: "The whole address.", note: "Microsoft lets programs in by OAuth2 alone.",
	},
	{
		id: "fastmail", name: "Fastmail", hosts: []string{"fastmail.com", "messagingengine.com"}, domains: []string{"fastmail.com", "fastmail.fm"},
		imap: &Server{Host: "imap.fastmail.com", Port: 993, Security: SecurityTLS}, smtp: &Server{Host: "smtp.fastmail.com", Port: 465, Security: SecurityTLS},
		mx: []string{"messagingengine.com"}, mxHost: "in1-smtp.messagingengine.com", spf: "spf.messagingengine.com", signs: true, reporter: ".messagingengine.com",
		user: "The whole address.", password: "An app password for mail.", link: "https://app.fastmail.com/settings/security/devicekeys",
	},
	{
		id: "icloud", name: "iCloud Mail", hosts: []string{"mail.me.com"}, domains: []string{"icloud.com", "me.com", "mac.com"},
		imap: &Server{Host: "imap.mail.me.com", Port: 993, Security: SecurityTLS}, smtp: &Server{Host: "smtp.mail.me.com", Port: 587, Security: SecurityStartTLS},
		mx: []string{"mail.icloud.com"}, spf: "icloud.com", signs: true,
		user: "The part of the address before the @.", password: "An app-specific password.", link: "https://account.apple.com/account/manage",
	},
	{
		id: "mailgun", name: "Mailgun", hosts: []string{"mailgun.org"}, smtp: &Server{Host: "smtp.mailgun.org", Port: 587, Security: SecurityStartTLS},
		spf: "mailgun.org", signs: true, relay: true,
		user: "The SMTP login of the sending domain, such as postmaster@mg.example.com.", password: "The password of that login.", link: "https://app.mailgun.com/mg/sending/domains",
		note: "In the EU region the server is smtp.eu.mailgun.org.",
	},
	{
		id: "ses", name: "Amazon SES", hosts: []string{"amazonaws.com"}, smtp: &Server{Host: "email-smtp.eu-central-1.amazonaws.com", Port: 587, Security: SecurityStartTLS},
		spf: "amazonses.com", signs: true, relay: true,
		user: "The SMTP user name made in SES; an access key is none.", password: "The SMTP password made in SES.", link: "https://console.aws.amazon.com/ses/home#/smtp",
		note: "Put your own region into the host. A new account sends only to verified addresses until Amazon lifts that.",
	},
	{
		id: "brevo", name: "Brevo", hosts: []string{"brevo.com", "sendinblue.com"}, smtp: &Server{Host: "smtp-relay.brevo.com", Port: 587, Security: SecurityStartTLS},
		spf: "spf.brevo.com", signs: true, relay: true,
		user: "The SMTP login shown on its SMTP page.", password: "An SMTP key; an API key is none.", link: "https://app.brevo.com/settings/keys/smtp",
	},
	{
		id: "postmark", name: "Postmark", hosts: []string{"postmarkapp.com"}, smtp: &Server{Host: "smtp.postmarkapp.com", Port: 587, Security: SecurityStartTLS},
		spf: "spf.mtasv.net", signs: true, relay: true,
		user: "The server's API token.", password: "The same token once more.", link: "https://account.postmarkapp.com/servers",
	},
}

// carrierOf is the carrier that a mail server belongs to, nil for none.
func carrierOf(s *Server) *carrier {
	if s == nil {
		return nil
	}
	i := slices.IndexFunc(carriers, func(c carrier) bool { return below(s.Host, c.hosts) })
	if i < 0 {
		return nil
	}
	return &carriers[i]
}

// below tells whether a host is one of domains or lies below one.
func below(host string, domains []string) bool {
	host = "." + strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(domains, func(d string) bool { return strings.HasSuffix(host, "."+d) })
}

// givenOut are the domains of which providers give out addresses, besides those
// of the carriers: whoever has one can't change its records.
var givenOut = []string{
	"live.de", "live.co.uk", "live.fr", "live.nl", "live.it", "live.at", "live.be", "live.dk", "live.se", "live.no", "live.ca", "live.com.au", "live.jp",
	"ymail.com", "rocketmail.com", "aol.com", "mail.com", "email.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "freenet.de", "t-online.de",
	"posteo.de", "mailbox.org", "tuta.com", "tutanota.com", "proton.me", "protonmail.com", "pm.me", "hey.com", "zoho.com", "zohomail.eu",
	"mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "naver.com", "seznam.cz", "wp.pl", "o2.pl", "interia.pl", "libero.it",
	"orange.fr", "free.fr", "laposte.net", "wanadoo.fr", "sfr.fr", "bluewin.ch", "ziggo.nl", "kpnmail.nl", "btinternet.com", "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "cox.net",
}

// givenOutEverywhere are names that a provider has under many top-level domains.
var givenOutEverywhere = []string{"outlook", "hotmail", "yahoo", "gmail", "googlemail"}

// ownerOf tells who owns the records of an address's domain, when that can't be
// the desk's owner: the name of a provider, or the domain itself.
func ownerOf(domain string) (owner string, theirs bool) {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	for _, c := range carriers {
		if slices.Contains(c.domains, domain) {
			return c.name, true
		}
	}
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil { // "localhost", or "co.uk": nobody's
		return domain, true
	}
	name, _, _ := strings.Cut(org, ".")
	if slices.Contains(givenOut, domain) || org == domain && slices.Contains(givenOutEverywhere, name) {
		return domain, true
	}
	return "", false
}
