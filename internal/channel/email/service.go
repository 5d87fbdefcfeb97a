package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
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

	Roots   *x509.CertPool       // who signs mail servers' certificates, nil for the system's
	Changed func(mailbox string) // called after a mailbox's state changed, nil for nobody
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

	reload chan struct{}

	mu       sync.Mutex
	arrivals map[string]time.Time // mailbox -> last mail by the listener
	outgoing map[string]Outgoing  // mailbox -> how sending goes
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
	d := dialer{dial: o.Guard.DialMail, roots: o.Roots}
	s := &Service{
		app: o.App, mailboxes: o.Mailboxes, ledger: o.Ledger, clock: o.Clock, logger: o.Logger,
		options: o, dialer: d, timing: usualTiming, reload: make(chan struct{}, 1),
		arrivals: map[string]time.Time{}, outgoing: map[string]Outgoing{},
	}
	s.pool = &pool{dialer: d, recovered: s.recovered}
	o.Mailboxes.OnChange(s.Reload)
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

// job is a running fetcher.
type job struct {
	box    Mailbox
	cancel context.CancelFunc
	done   chan struct{}
}

func (j *job) stop() {
	j.cancel()
	<-j.done
}

// follow makes the running fetchers be those of the mailboxes there are now.
func (s *Service) follow(ctx context.Context, running map[string]*job) error {
	all, err := s.mailboxes.All(s.app)
	if err != nil {
		return err
	}
	wanted := map[string]Mailbox{}
	for _, box := range all {
		if box.IMAP != nil {
			wanted[box.ID] = box
		}
	}
	s.showPassive(all)
	for id, j := range running {
		if box, ok := wanted[id]; !ok || !sameFetch(box, j.box) {
			j.stop()
			delete(running, id)
		}
	}
	for id, box := range wanted {
		if running[id] == nil {
			running[id] = s.start(ctx, box)
		}
	}
	return nil
}

func (s *Service) start(ctx context.Context, box Mailbox) *job {
	ctx, cancel := context.WithCancel(ctx)
	j := &job{box: box, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		for ctx.Err() == nil {
			s.fetch(ctx, box)
			if box.locked {
				return
			}
			_ = desk.Sleep(ctx, s.clock, s.clock.Now().Add(s.timing.retry), nil) // only after a panic
		}
	}()
	return j
}

func (s *Service) fetch(ctx context.Context, box Mailbox) {
	defer s.recovered("fetch mail")
	(&fetcher{service: s, box: box}).run(ctx)
}

// sameFetch tells whether a fetcher of a can go on for b.
func sameFetch(a, b Mailbox) bool {
	return *a.IMAP == *b.IMAP && a.Since.Equal(b.Since) && a.Kind == b.Kind && a.locked == b.locked
}

// showPassive shows the state of the mailboxes that are not fetched.
func (s *Service) showPassive(all []Mailbox) {
	real := slices.ContainsFunc(all, func(b Mailbox) bool { return b.Kind != KindSandbox })
	for _, box := range all {
		switch {
		case box.IMAP != nil:
		case s.listener != nil:
			s.setState(box.ID, StateOK, "")
		case box.Kind == KindForward:
			s.setState(box.ID, StateOff, "No mail arrives: the built-in SMTP listener is off. Start the desk with --smtp, or enter the mailbox's IMAP server.")
		case real:
			s.setState(box.ID, StateOff, "The sandbox is off since a mailbox is connected.")
		}
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
