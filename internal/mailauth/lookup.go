package mailauth

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Resolver asks the domain name system; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

const (
	keepAnswer  = 10 * time.Minute // how long an answer is believed, whatever its own time to live
	keepSilence = 30 * time.Second // how long nobody asks after no server answered
	maxKept     = 4096             // answers kept at once
)

// errSilent is the answer while no name server answers.
var errSilent = &net.DNSError{Err: "no name server answers", IsTemporary: true, IsTimeout: true}

// cache keeps the TXT answers, which a burst of mails from one sender asks for
// again and again, and notes when no server answers at all.
type cache struct {
	mu     sync.Mutex
	kept   map[string]answer
	silent time.Time // until when nobody asks
}

type answer struct {
	texts []string
	err   error
	until time.Time
}

func (c *cache) get(name string, now time.Time) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.silent) {
		return answer{err: errSilent}, true
	}
	a, ok := c.kept[name]
	return a, ok && now.Before(a.until)
}

func (c *cache) put(name string, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxKept {
		c.kept = map[string]answer{}
	}
	c.kept[name] = a
}

func (c *cache) hush(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = until
}

// lookups are the questions about one mail. It is the resolver SPF asks.
type lookups struct {
	Resolver
	judge  *Judge
	ctx    context.Context
	failed bool // no answer to at least one of them
}

func (j *Judge) lookups(ctx context.Context) *lookups {
	return &lookups{Resolver: j.resolver, judge: j, ctx: ctx}
}

func (l *lookups) now() time.Time { return l.judge.clock.Now() }

func (l *lookups) txt(name string) ([]string, error) { return l.LookupTXT(l.ctx, name) }

// LookupTXT implements Resolver.
func (l *lookups) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if a, ok := l.judge.cache.get(name, l.now()); ok {
		l.note(a.err)
		return a.texts, a.err
	}
	texts, err := l.Resolver.LookupTXT(ctx, name)
	l.note(err)
	switch {
	case err == nil || notFound(err):
		l.judge.cache.put(name, answer{texts, err, l.now().Add(keepAnswer)})
	case ctx.Err() != nil || unreachable(err):
		l.judge.cache.hush(l.now().Add(keepSilence))
		err = errSilent
	}
	return texts, err
}

func (l *lookups) note(err error) {
	if err != nil && !notFound(err) {
		l.failed = true
	}
}

func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// unreachable reports whether there is no name server to ask.
func unreachable(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && (dns.IsTimeout || dns.UnwrapErr != nil && isConnection(dns.UnwrapErr))
}

func isConnection(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}
