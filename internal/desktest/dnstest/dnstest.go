// Package dnstest is the domain name system of a test: a Zone answers what the
// test put into it, and asks nobody.
package dnstest

import (
	"context"
	"net"
	"strings"
	"sync"
)

// Zone answers questions. The zero Zone knows no name. It is safe for use by
// several goroutines.
type Zone struct {
	mu     sync.Mutex
	txt    map[string][]string
	mx     map[string][]string
	hosts  map[string][]string
	silent bool
	asked  int
}

// TXT sets the texts of a name; none takes them away.
func (z *Zone) TXT(name string, texts ...string) { z.set(&z.txt, name, texts) }

// MX sets the mail servers of a name, the first preferred.
func (z *Zone) MX(name string, hosts ...string) { z.set(&z.mx, name, hosts) }

// Host sets the addresses of a name.
func (z *Zone) Host(name string, addresses ...string) { z.set(&z.hosts, name, addresses) }

// Silence lets nobody answer, or with false lets everybody answer again.
func (z *Zone) Silence(silent bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.silent = silent
}

// Asked is how many questions were asked.
func (z *Zone) Asked() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}

func (z *Zone) set(table *map[string][]string, name string, values []string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if *table == nil {
		*table = map[string][]string{}
	}
	if (*table)[key(name)] = values; len(values) == 0 {
		delete(*table, key(name))
	}
}

// answer looks a name up. While nobody answers it waits until ctx ends.
func (z *Zone) answer(ctx context.Context, table *map[string][]string, name string) ([]string, error) {
	z.mu.Lock()
	z.asked++
	found, silent := (*table)[key(name)], z.silent
	z.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, &net.DNSError{Err: "i/o timeout", Name: name, IsTimeout: true, IsTemporary: true}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return found, nil
}

// LookupTXT implements mailauth.Resolver.
func (z *Zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return z.answer(ctx, &z.txt, name)
}

// LookupMX implements mailauth.Resolver.
func (z *Zone) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	hosts, err := z.answer(ctx, &z.mx, name)
	var out []*net.MX
	for i, h := range hosts {
		out = append(out, &net.MX{Host: strings.TrimSuffix(h, ".") + ".", Pref: uint16(10 * (i + 1))})
	}
	return out, err
}

// LookupIPAddr implements mailauth.Resolver.
func (z *Zone) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	addresses, err := z.answer(ctx, &z.hosts, host)
	var out []net.IPAddr
	for _, a := range addresses {
		out = append(out, net.IPAddr{IP: net.ParseIP(a)})
	}
	return out, err
}

// LookupAddr implements mailauth.Resolver; no address has a name.
func (z *Zone) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}

func key(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
