package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
)

// The kinds of proof: the authority asks on port 80, or on port 443.
const (
	byHTTP = "http-01"
	byTLS  = "tls-alpn-01"
)

const (
	tryTimeout     = 3 * time.Minute  // for one kind of proof, from the order to the certificate
	requestTimeout = 30 * time.Second // for one request to the authority
)

// kindsFor are the kinds of proof to offer after so many failures in a row: both
// at first, then in turn, because the authority counts what fails.
func kindsFor(failures int) []string {
	switch {
	case failures == 0:
		return []string{byHTTP, byTLS}
	case failures%2 == 1:
		return []string{byHTTP}
	default:
		return []string{byTLS}
	}
}

// obtain gets a certificate for a domain by the first kind of proof that works.
// The error is that of the first kind.
func (k *Keeper) obtain(ctx context.Context, domain string, kinds []string) (*tls.Certificate, error) {
	var first error
	for _, kind := range kinds {
		cert, err := k.order(ctx, domain, kind)
		if err == nil {
			if err := k.store.save(domain, cert); err != nil { // it serves all the same, until the next start
				k.options.Logger.Error("a certificate could not be kept", "domain", domain, "error", err)
			}
			return cert, nil
		}
		if first == nil {
			first = err
		}
		var refused *acme.AuthorizationError
		if ctx.Err() != nil || !errors.As(err, &refused) {
			break // not the proof failed, but the authority or we
		}
	}
	return nil, first
}

func (k *Keeper) order(ctx context.Context, domain, kind string) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	client, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(domain))
	if err != nil {
		return nil, fmt.Errorf("order a certificate: %w", err)
	}
	for _, url := range order.AuthzURLs {
		if err := k.authorize(ctx, client, url, domain, kind); err != nil {
			return nil, err
		}
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("wait for the order: %w", err)
	}
	return finish(ctx, client, order, domain)
}

// authorize proves by one kind that the domain is ours.
func (k *Keeper) authorize(ctx context.Context, client *acme.Client, url, domain, kind string) error {
	z, err := client.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("read what to prove: %w", err)
	}
	if z.Status != acme.StatusPending {
		return nil // proved not long ago
	}
	i := slices.IndexFunc(z.Challenges, func(c *acme.Challenge) bool { return c.Type == kind })
	if i < 0 {
		return &acme.AuthorizationError{URI: url, Identifier: domain, Errors: []error{fmt.Errorf("the authority does not ask by %s", kind)}}
	}
	retract, err := k.answer(client, z.Challenges[i], domain)
	if err != nil {
		return err
	}
	defer retract()
	if _, err := client.Accept(ctx, z.Challenges[i]); err != nil {
		return fmt.Errorf("let the authority ask: %w", err)
	}
	_, err = client.WaitAuthorization(ctx, url)
	return err
}

// answer puts the answer to a question where the authority looks for it, until
// retract is called.
func (k *Keeper) answer(client *acme.Client, c *acme.Challenge, domain string) (retract func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Type == byTLS {
		cert, err := client.TLSALPN01ChallengeCert(c.Token, domain)
		if err != nil {
			return nil, err
		}
		k.proofs[domain] = &cert
		return func() { k.mu.Lock(); delete(k.proofs, domain); k.mu.Unlock() }, nil
	}
	text, err := client.HTTP01ChallengeResponse(c.Token)
	if err != nil {
		return nil, err
	}
	path := client.HTTP01ChallengePath(c.Token)
	k.tokens[path] = text
	return func() { k.mu.Lock(); delete(k.tokens, path); k.mu.Unlock() }, nil
}

// finish makes a new key and has it certified.
func finish(ctx context.Context, client *acme.Client, order *acme.Order, domain string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain}}, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return nil, fmt.Errorf("fetch the certificate: %w", err)
	}
	return checked(&tls.Certificate{Certificate: chain, PrivateKey: key}, domain)
}

// client returns a client with the desk's account at the authority, which is
// made the first time.
func (k *Keeper) client(ctx context.Context) (*acme.Client, error) {
	key, err := k.store.account()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: k.options.Roots, MinVersion: tls.VersionTLS12}}
	client := &acme.Client{
		Key: key, DirectoryURL: k.options.Directory, UserAgent: "Deskbell", RetryBackoff: backoff,
		HTTPClient: &http.Client{Transport: transport, Timeout: requestTimeout},
	}
	contact := k.contact()
	account, err := client.Register(ctx, &acme.Account{Contact: contact}, acme.AcceptTOS)
	if badContact(err) {
		contact = nil
		account, err = client.Register(ctx, &acme.Account{}, acme.AcceptTOS)
	}
	if errors.Is(err, acme.ErrAccountAlreadyExists) {
		account, err = client.GetReg(ctx, "")
	}
	if err != nil {
		return nil, fmt.Errorf("sign in at the certificate authority: %w", err)
	}
	if len(contact) > 0 && !slices.Equal(account.Contact, contact) {
		account.Contact = contact
		if _, err := client.UpdateReg(ctx, account); err != nil {
			k.options.Logger.Debug("the authority does not take the owner's address", "error", err)
		}
	}
	return client, nil
}

func (k *Keeper) contact() []string {
	if k.options.Contact == nil {
		return nil
	}
	if address := k.options.Contact(); address != "" {
		return []string{"mailto:" + address}
	}
	return nil
}

func badContact(err error) bool {
	kind := problem(err)
	return strings.HasSuffix(kind, ":invalidContact") || strings.HasSuffix(kind, ":unsupportedContact")
}

// backoff paces the requests of one try: an authority that has enough of us is
// left alone at once.
func backoff(n int, _ *http.Request, res *http.Response) time.Duration {
	if n > 4 || res != nil && res.StatusCode == http.StatusTooManyRequests {
		return 0
	}
	return time.Duration(n) * time.Second
}
