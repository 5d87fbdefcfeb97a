// Package certificate gets the certificates of the desk's domains by ACME (RFC
// 8555), answers the authority's questions that prove them, and renews them
// long before they end.
//
// A Keeper has one certificate a domain, so that one domain that points
// elsewhere holds up no other. Only its Run asks the authority: a handshake
// never does, however many strangers knock. Config and MailConfig always hand
// out the newest certificate, so a renewal needs no restart. What it got is
// kept in a folder of its own, private keys sealed; a copy of the folder is of
// no use without the key of the desk.
package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// LetsEncrypt is the authority that is asked unless Options name another.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// Sealer makes private keys unreadable at rest.
type Sealer interface {
	Seal(purpose, plain string) (string, error)
	Open(purpose, sealed string) (string, error)
}

// Options are what a Keeper needs. Domains, Dir, Sealer, Clock and Logger must
// be there.
type Options struct {
	Domains []string // as Domain returns them; the first is the desk's own name
	Dir     string   // where account and certificates are kept; made with 0700
	Sealer  Sealer
	Clock   desk.Clock // the machine's: a certificate keeps real time
	Logger  *slog.Logger

	Directory string         // URL of the authority's directory, "" = LetsEncrypt
	Roots     *x509.CertPool // who signed the authority's own certificate, nil for the system's
	Contact   func() string  // mail address for the authority, "" for none; nil = none
	Lookup    func(ctx context.Context, host string) ([]net.IPAddr, error)
	Local     func() []netip.Addr // addresses of this machine, nil = asks the system
	Tell      func(State)         // called after each try, nil for nobody
}

// State is how a domain is doing.
type State struct {
	Domain  string
	Until   time.Time // when its certificate ends, zero without one
	Failure string    // a sentence saying why the last try failed, "" when it did not
	Next    time.Time // when the authority is asked again
}

// Keeper has the certificates of a desk. New makes it, Run gets and renews them.
type Keeper struct {
	options Options
	store   store
	sites   []*site
	wake    chan struct{}
	pauses  []time.Duration // after the first, second, ... failure in a row

	mu     sync.RWMutex
	tokens map[string]string           // path of a question by HTTP -> answer
	proofs map[string]*tls.Certificate // domain -> answer to a question by TLS

	spare spare
}

// site is one domain.
type site struct {
	domain string
	cert   atomic.Pointer[tls.Certificate] // with its leaf; nil before the first

	mu      sync.Mutex
	failure string
	tries   int       // failures in a row
	next    time.Time // nothing is asked before
}

// pauses are how long the authority is left alone after failures in a row. Let's
// Encrypt counts five failed proofs of a name in an hour, and the first try asks
// for two.
var pauses = []time.Duration{2 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour}

// New returns a Keeper with the certificates that are kept already; it asks
// nobody.
func New(o Options) *Keeper {
	if o.Directory == "" {
		o.Directory = LetsEncrypt
	}
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupIPAddr
	}
	if o.Local == nil {
		o.Local = localAddresses
	}
	k := &Keeper{
		options: o, store: newStore(o.Dir, o.Directory, o.Sealer), wake: make(chan struct{}, 1), pauses: pauses,
		tokens: map[string]string{}, proofs: map[string]*tls.Certificate{},
	}
	for _, d := range o.Domains {
		s := &site{domain: d}
		cert, err := k.store.certificate(d)
		if err != nil {
			o.Logger.Warn("a kept certificate can't be used and is asked for anew", "domain", d, "error", err)
		}
		if cert != nil && o.Clock.Now().Before(cert.Leaf.NotAfter) {
			s.cert.Store(cert)
		}
		k.sites = append(k.sites, s)
	}
	return k
}

// Ready tells whether the desk's own name has a certificate.
func (k *Keeper) Ready() bool { return k.sites[0].cert.Load() != nil }

// States tells how the domains are doing, in their order.
func (k *Keeper) States() []State {
	states := make([]State, len(k.sites))
	for i, s := range k.sites {
		states[i] = s.state()
	}
	return states
}

// Retry asks the authority again now for what failed, unless it said when.
func (k *Keeper) Retry() {
	for _, s := range k.sites {
		s.mu.Lock()
		if s.failure != "" {
			s.next = time.Time{}
		}
		s.mu.Unlock()
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run gets and renews certificates until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var next time.Time
		for _, s := range k.sites {
			if !s.due().After(k.options.Clock.Now()) && ctx.Err() == nil {
				k.try(ctx, s)
			}
			if at := s.due(); next.IsZero() || at.Before(next) {
				next = at
			}
		}
		_ = desk.Sleep(ctx, k.options.Clock, next, k.wake)
	}
	return nil
}

// try asks the authority once for the certificate of a domain.
func (k *Keeper) try(ctx context.Context, s *site) {
	s.mu.Lock()
	kinds := kindsFor(s.tries)
	s.mu.Unlock()
	cert, err := k.obtain(ctx, s.domain, kinds)
	if ctx.Err() != nil {
		return // the desk stops; nobody refused anything
	}
	now := k.options.Clock.Now()
	if err != nil {
		text := k.explain(ctx, s.domain, err)
		s.failed(text, now, max(k.pause(s), told(err)))
		k.options.Logger.Warn("no certificate", "domain", s.domain, "error", err)
	} else {
		s.got(cert, now)
		k.options.Logger.Info("certificate obtained", "domain", s.domain, "until", cert.Leaf.NotAfter)
	}
	if k.options.Tell != nil {
		k.options.Tell(s.state())
	}
}

func (k *Keeper) pause(s *site) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.pauses[min(s.tries, len(k.pauses)-1)]
}

func (s *site) failed(text string, now time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure, s.next = text, now.Add(pause)
	s.tries++
}

// got stores a new certificate. One that wants to be renewed at once again, as
// with a clock that is wrong, waits a thirtieth of its life.
func (s *site) got(cert *tls.Certificate, now time.Time) {
	s.cert.Store(cert)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure, s.tries, s.next = "", 0, now.Add(life(cert.Leaf)/30)
}

// due is when the authority is to be asked for the domain.
func (s *site) due() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.next
	if cert := s.cert.Load(); cert != nil {
		if renewal := cert.Leaf.NotAfter.Add(-life(cert.Leaf) / 3); renewal.After(at) {
			at = renewal
		}
	}
	return at
}

func (s *site) state() State {
	due := s.due()
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{Domain: s.domain, Failure: s.failure, Next: due}
	if cert := s.cert.Load(); cert != nil {
		state.Until = cert.Leaf.NotAfter
	}
	return state
}

func life(leaf *x509.Certificate) time.Duration { return leaf.NotAfter.Sub(leaf.NotBefore) }

// find is the site of a name, nil for a name that is none of ours.
func (k *Keeper) find(name string) *site {
	i := slices.IndexFunc(k.sites, func(s *site) bool { return s.domain == name })
	if i < 0 {
		return nil
	}
	return k.sites[i]
}
