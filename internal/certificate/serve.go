package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// questionPath is where the authority asks by HTTP (RFC 8555 section 8.3).
const questionPath = "/.well-known/acme-challenge/"

// Config is the configuration of the web server. Until a domain has its first
// certificate, handshakes for it fail.
func (k *Keeper) Config() *tls.Config {
	return &tls.Config{
		GetCertificate: k.forWeb, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1", acme.ALPNProto},
	}
}

// MailConfig is the configuration of a mail server's STARTTLS. Mail servers
// rarely name the host they want and hardly ever check its certificate, so
// they get the desk's own, and before there is one a certificate that the desk
// signed itself: mail is taken, protected against listeners, either way.
func (k *Keeper) MailConfig() *tls.Config {
	return &tls.Config{GetCertificate: k.forMail, MinVersion: tls.VersionTLS12}
}

func (k *Keeper) forWeb(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return k.proof(name)
	}
	s := k.find(name)
	if name == "" {
		s = k.sites[0]
	}
	if s == nil {
		return nil, fmt.Errorf("%q is no name of this desk", name)
	}
	if cert := s.cert.Load(); cert != nil {
		return cert, nil
	}
	return nil, fmt.Errorf("%s has no certificate yet", s.domain)
}

func (k *Keeper) forMail(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, s := range []*site{k.find(strings.ToLower(hello.ServerName)), k.sites[0]} {
		if s == nil {
			continue
		}
		if cert := s.cert.Load(); cert != nil {
			return cert, nil
		}
	}
	return k.spare.certificate(k.sites[0].domain, k.options.Clock.Now())
}

// Handler answers what the authority asks by HTTP, which it does on port 80, and
// passes every other request on.
func (k *Keeper) Handler(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, questionPath) {
			rest.ServeHTTP(w, r)
			return
		}
		k.mu.RLock()
		answer, ok := k.tokens[r.URL.Path]
		k.mu.RUnlock()
		if !ok {
			http.Error(w, "Nobody asked this desk for that.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, answer)
	})
}

// proof is the answer to a question by TLS (RFC 8737).
func (k *Keeper) proof(name string) (*tls.Certificate, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if cert := k.proofs[name]; cert != nil {
		return cert, nil
	}
	return nil, fmt.Errorf("nobody asked for a proof of %q", name)
}

// spare is a certificate that the desk signs itself, made when it is needed.
type spare struct {
	mu   sync.Mutex
	made *tls.Certificate
}

func (s *spare) certificate(domain string, now time.Time) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made != nil && now.Before(s.made.Leaf.NotAfter) {
		return s.made, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	s.made = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return s.made, nil
}
