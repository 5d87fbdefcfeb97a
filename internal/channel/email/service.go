package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/pocketbase/pocketbase/core"
)

// DefaultMaxSize is the largest mail taken in unless Options say otherwise: 25 MB.
const DefaultMaxSize = 25 << 20

// Options are what a Service needs. App, Mailboxes, Ledger, Guard, Box and
// Clock must be there.
type Options struct {
	App       core.App
	Mailboxes *Mailboxes
	Ledger    Ledger
	Guard     *netguard.Guard
	Box       *secret.Box // signs the mails with which a mailbox is tested
	Clock     desk.Clock
	Logger    *slog.Logger // nil for App's

	SMTPAddr string      // where the built-in listener listens, "" for no listener
	TLS      *tls.Config // STARTTLS at the listener, nil for none
	Hostname string      // how the desk introduces itself; "" for the machine's name
	MaxSize  int64       // largest mail taken in, bytes; 0 = DefaultMaxSize

	Names    []string          // the desk's names in the domain name system, its own first; nil for none
	Resolver mailauth.Resolver // the domain name system, nil = as the machine is set up

	Roots   *x509.CertPool       // who signs mail servers' certificates, nil for the system's
	Threads Threads              // nil leaves sent mail alone
	Changed func(mailbox string) // called after a mailbox's state changed, nil for nobody
	Granted func(mailbox string) // called after the desk was let in anew by OAuth2, nil for nobody
}

// Service receives and sends the mail of all mailboxes. New makes it, Listen
// binds the built-in SMTP listener, Run works until its context ends; Send may
// be called at any time.
type Service struct {
	app       core.App
	mailboxes *Mailboxes
	ledger    Ledger
	clock     desk.Clock
	logger    *slog.Logger
	options   Options
	dialer    dialer
	pool      *pool
	timing    timing
	listener  *listener
	signers   signers
	patience  time.Duration // for the domain name system

	reload chan struct{}

	mu       sync.Mutex
	arrivals map[string]time.Time // mailbox -> last mail by the listener
	outgoing map[string]Outgoing  // mailbox -> how sending goes
	gaps     map[string]Gap       // mailbox -> mail that was missing
}

// New returns a Service that follows the changes of o.Mailboxes.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = o.App.Logger()
	}
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname()
	}
	if !validHost(o.Hostname) {
		o.Hostname = "localhost"
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	d := dialer{dial: o.Guard.DialMail, roots: o.Roots}
	s := &Service{
		app: o.App, mailboxes: o.Mailboxes, ledger: o.Ledger, clock: o.Clock, logger: o.Logger,
		options: o, dialer: d, timing: usualTiming, patience: dnsPatience, reload: make(chan struct{}, 1),
		arrivals: map[string]time.Time{}, outgoing: map[string]Outgoing{}, gaps: map[string]Gap{},
	}
	s.pool = &pool{dialer: d, recovered: s.recovered}
	o.Mailboxes.grants.http, o.Mailboxes.grants.logger = newOAuthClient(o), o.Logger
	o.Mailboxes.setNames(o.Names)
	o.Mailboxes.OnChange(s.Reload)
	o.Mailboxes.OnChange(s.signers.forget)
	return s
}

// Listen binds the built-in SMTP listener, if one is wanted, so that a taken
// port is told before the desk says it is ready. Mail is accepted from Run on.
func (s *Service) Listen() error {
	if s.options.SMTPAddr == "" {
		return nil
	}
	l, err := s.listen(s.options.SMTPAddr, s.options.TLS)
	if err != nil {
		return err
	}
	s.listener = l
	return nil
}

// SMTPAddr is where the listener listens, "" when there is none.
func (s *Service) SMTPAddr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.door.Addr().String()
}

// Run fetches and listens until ctx ends and returns when all of it has
// stopped. It starts, stops and restarts fetchers as mailboxes change.
func (s *Service) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	s.mailboxes.grants.open()
	defer s.mailboxes.grants.settle()
	defer s.pool.close()
	defer wg.Wait()
	if s.listener != nil {
		wg.Go(func() {
			defer s.recovered("listen for mail")
			if err := s.listener.run(ctx); err != nil {
				s.logger.Error("SMTP listener ended", "error", err)
			}
		})
	}
	running := map[string]*job{}
	defer func() {
		for _, j := range running {
			j.stop()
		}
	}()
	for ctx.Err() == nil {
		var retry time.Time
		if err := s.follow(ctx, running); err != nil {
			s.logger.Error("mailboxes not read", "error", err)
			retry = s.clock.Now().Add(time.Second)
		}
		_ = desk.Sleep(ctx, s.clock, retry, s.reload)
	}
	return nil
}

// Reload looks at the mailboxes again soon; it never blocks.
func (s *Service) Reload() {
	select {
	case s.reload <- struct{}{}:
	default:
	}
}

// trustsDates tells whether mail servers' dates and the desk's clock can be
// compared: a clock moved by hand runs apart from theirs.
func (s *Service) trustsDates() bool { return s.clock.Moved() == nil }

// hello is how the desk introduces itself to the server of a mailbox: by a name
// with a dot, which some servers insist on.
func (s *Service) hello(box Mailbox) string {
	if strings.Contains(s.options.Hostname, ".") {
		return s.options.Hostname
	}
	if _, domain, ok := cutAddress(box.Address); ok && isASCII(domain) && validHost(domain) {
		return domain
	}
	return s.options.Hostname
}

// recovered is deferred by every goroutine: a panic is logged and ends only
// what was being done.
func (s *Service) recovered(doing string) {
	if v := recover(); v != nil {
		s.logger.Error("panic", "doing", doing, "error", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
}
