package boot

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/certificate"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/health"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/publicsuffix"
)

// renewalWarning is how long before its end a certificate that could not be
// renewed is spoken of; the authority is asked from a third of its life on.
const renewalWarning = 21 * 24 * time.Hour

// certificates loads the certificate of files, or opens what ACME got for the
// desk's domains.
func (d *Desk) certificates() error {
	if len(d.Domains) == 0 {
		return d.certificateOfFiles()
	}
	roots, err := readRoots(d.ACMERoots)
	if err != nil {
		return err
	}
	d.Certificates = certificate.New(certificate.Options{
		Domains: d.Domains, Sealer: d.Secrets, Clock: d.Wall, Logger: d.App.Logger(),
		// PocketBase leaves this folder out of its backups, and so do we.
		Dir:       filepath.Join(d.Dir, core.LocalAutocertCacheDirName),
		Directory: d.ACMEDirectory, Roots: roots, Contact: d.ownerEmail, Lookup: d.resolver().LookupIPAddr, Tell: d.tellCertificate,
	})
	d.tls = d.Certificates.MailConfig()
	return nil
}

func (d *Desk) certificateOfFiles() error {
	if d.TLSCert == "" && d.TLSKey == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(d.TLSCert, d.TLSKey)
	if err != nil {
		return fmt.Errorf("the certificate can't be used; name its PEM files by --tls-cert and --tls-key: %w", err)
	}
	d.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return nil
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("can't read --acme-roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s (--acme-roots) holds no certificate in PEM", path)
	}
	return pool, nil
}

// name is the desk's own name in the domain name system, "" for none.
func (d *Desk) name() string {
	if len(d.Domains) == 0 {
		return ""
	}
	return d.Domains[0]
}

// names are the desk's names in the domain name system: its domains, else that of
// the machine, if it can be one that others know.
func (d *Desk) names() []string {
	if len(d.Domains) > 0 {
		return d.Domains
	}
	host, err := os.Hostname()
	if err != nil {
		return nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, listed := publicsuffix.PublicSuffix(host); !listed || !strings.Contains(host, ".") {
		return nil
	}
	return []string{host}
}

// ownerEmail is the address of the longest-serving owner, "" before the set-up.
func (d *Desk) ownerEmail() string {
	all, err := access.Agents(d.App)
	if err != nil {
		return ""
	}
	slices.SortFunc(all, func(a, b access.Agent) int { return strings.Compare(a.ID, b.ID) }) // ids begin with the time
	for _, a := range all {
		if a.Active && slices.Contains(a.Roles, desk.RoleOwner) {
			return a.Email
		}
	}
	return ""
}

// tellCertificate says how a try to get a certificate ended.
func (d *Desk) tellCertificate(s certificate.State) {
	if s.Failure == "" {
		if d.Certificates.Ready() {
			d.announcer.gotCertificate()
		}
		return
	}
	d.announcer.say("No certificate for %s: %s Deskbell tries again at %s.\n", s.Domain, s.Failure, s.Next.UTC().Format("15:04 UTC"))
}

// certificateBanners tells who may mend it that a domain has no certificate, or
// soon none.
func (d *Desk) certificateBanners(_ core.App, who *route.Caller) ([]health.Banner, error) {
	if d.Certificates == nil || !who.Has("setting.write") {
		return nil, nil
	}
	var out []health.Banner
	for _, s := range d.Certificates.States() {
		if s.Failure == "" {
			continue
		}
		switch left := s.Until.Sub(d.Wall.Now()); {
		case s.Until.IsZero():
			out = append(out, health.Banner{ID: "certificate:" + s.Domain, Level: "warn", Text: s.Domain + " has no certificate. " + s.Failure})
		case left < 0:
			out = append(out, health.Banner{ID: "certificate:" + s.Domain, Level: "danger", Text: "The certificate of " + s.Domain + " has ended. " + s.Failure})
		case left < renewalWarning:
			out = append(out, health.Banner{
				ID: "certificate:" + s.Domain, Level: "warn",
				Text: fmt.Sprintf("The certificate of %s ends on %s and could not be renewed. %s", s.Domain, s.Until.UTC().Format("2 January"), s.Failure),
			})
		}
	}
	return out, nil
}

// shownCertificate is a domain's certificate as the API shows it.
type shownCertificate struct {
	Domain  string  `json:"domain"`
	Until   *string `json:"until"`   // null without a certificate
	Failure string  `json:"failure"` // a sentence, "" when the last try worked
	Next    *string `json:"next"`    // when the authority is asked again
}

// certificateRoutes shows the certificates, an empty list without a domain.
func (d *Desk) certificateRoutes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/certificates", Permission: "setting.read", Summary: "The certificates of the desk's domains"},
		func(*route.Call, route.None) (route.List[shownCertificate], error) {
			shown := []shownCertificate{}
			if d.Certificates != nil {
				for _, s := range d.Certificates.States() {
					shown = append(shown, shownCertificate{s.Domain, desk.Stamp(desk.Millis(s.Until)), s.Failure, desk.Stamp(desk.Millis(s.Next))})
				}
			}
			return route.ListOf(shown, ""), nil
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/certificates/retry", Permission: "setting.write", Summary: "Ask again now for the certificates that could not be had"},
		func(*route.Call, route.None) (route.None, error) {
			if d.Certificates == nil {
				return route.None{}, desk.Errorf(desk.Refused, "This desk serves no domain; start it with one: deskbell serve help.example.com.")
			}
			d.Certificates.Retry()
			return route.None{}, nil
		})
}
