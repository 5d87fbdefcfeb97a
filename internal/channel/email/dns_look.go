package email

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/deskbell/deskbell/internal/mailauth"
)

const (
	dnsPatience = 4 * time.Second // for all questions about a domain
	maxIncludes = 10              // records that one SPF record may lead to, RFC 7208 section 4.6.4
)

// found is what the domain name system answered, by question: "MX example.com",
// "TXT _dmarc.example.com", or "SPF mail.example.com" for whether the domain
// lets that server send. An answer of none is an empty list; without an answer
// there is nil.
type found map[string][]string

func (f found) txt(name string) (texts []string, answered bool) { return f.answer("TXT " + name) }

func (f found) answer(question string) (texts []string, answered bool) {
	texts = f[question]
	return texts, texts != nil
}

// look asks several questions at once.
type look struct {
	ctx      context.Context
	cancel   context.CancelFunc
	resolver mailauth.Resolver
	wg       sync.WaitGroup
	guard    func() // deferred by every goroutine

	mu    sync.Mutex
	found found
}

// newLook returns a look that is over once the service's patience is.
func (s *Service) newLook(ctx context.Context) *look {
	l := &look{resolver: s.options.Resolver, found: found{}, guard: func() { s.recovered("ask the domain name system") }}
	l.ctx, l.cancel = context.WithTimeout(ctx, s.patience)
	return l
}

func (l *look) ask(f func()) {
	l.wg.Go(func() {
		defer l.guard()
		f()
	})
}

// wait returns the answers once all are there or the patience is over.
func (l *look) wait() found {
	defer l.cancel()
	l.wg.Wait()
	return l.found
}

// note stores an answer.
func (l *look) note(question string, answer []string, err error) []string {
	var dns *net.DNSError
	switch {
	case err == nil || errors.As(err, &dns) && dns.IsNotFound:
		answer = append([]string{}, answer...)
	default:
		answer = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found[question] = answer
	return answer
}

func (l *look) txt(name string) []string {
	texts, err := l.resolver.LookupTXT(l.ctx, name)
	return l.note("TXT "+name, texts, err)
}

func (l *look) mx(domain string) {
	all, err := l.resolver.LookupMX(l.ctx, domain)
	var hosts []string
	for _, m := range all {
		if host := strings.ToLower(strings.TrimSuffix(m.Host, ".")); host != "" { // a lone dot says: no mail here
			hosts = append(hosts, host)
		}
	}
	l.note("MX "+domain, hosts, err)
}

// spf reads the SPF record of a domain and those it leads to.
func (l *look) spf(domain string) {
	names := []string{domain}
	for i := 0; i < len(names) && i <= maxIncludes; i++ {
		for _, record := range spfOf(l.txt(names[i])) {
			for _, next := range spfNames(record) {
				if !slices.Contains(names, next) {
					names = append(names, next)
				}
			}
		}
	}
}

// mayServe asks whether a domain lets a server send for it, as a receiver would.
func (l *look) mayServe(domain, host string) {
	question := "SPF " + host
	addresses, err := l.addresses(host)
	if err != nil || len(addresses) == 0 {
		l.note(question, nil, err)
		return
	}
	for _, ip := range addresses {
		if ip.IsLoopback() || ip.IsPrivate() {
			l.note(question, []string{"local"}, nil)
			return
		}
		result, _ := spf.CheckHostWithSender(net.IP(ip.AsSlice()), host, "postmaster@"+domain, spf.WithContext(l.ctx), spf.WithResolver(l.resolver))
		switch result {
		case spf.Pass:
		case spf.TempError:
			l.note(question, nil, context.DeadlineExceeded)
			return
		default:
			l.note(question, []string{"no"}, nil)
			return
		}
	}
	l.note(question, []string{"pass"}, nil)
}

func (l *look) addresses(host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	all, err := l.resolver.LookupIPAddr(l.ctx, host)
	var out []netip.Addr
	for _, a := range all {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			out = append(out, ip.Unmap())
		}
	}
	return out, err
}

// askAll asks everything that the records of a mailbox's domain are judged by.
func (s *Service) askAll(ctx context.Context, box Mailbox, domain string, keys []signingKey) found {
	l := s.newLook(ctx)
	l.ask(func() { l.mx(domain) })
	l.ask(func() { l.spf(domain) })
	l.ask(func() { l.txt("_dmarc." + domain) })
	if org := mailauth.Organization(domain); org != domain {
		l.ask(func() { l.txt("_dmarc." + org) })
	}
	for _, k := range keys {
		l.ask(func() { l.txt(k.host()) })
	}
	if box.SMTP != nil && carrierOf(box.SMTP) == nil {
		l.ask(func() { l.mayServe(domain, box.SMTP.Host) })
	}
	return l.wait()
}
