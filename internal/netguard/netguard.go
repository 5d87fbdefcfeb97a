// Package netguard dials for the desk and refuses addresses of the inside: a
// URL somebody typed must not reach this machine, its network or a cloud's
// metadata service. The address is checked after it was resolved, on the very
// connection that is made, so neither a redirect nor a name that changes its
// address gets past it.
//
// A Guard has two policies. DialContext is for everything a person of the desk
// or a script may name: only public addresses, and those of the allow list.
// DialMail is for mail servers, which an owner or admin types: loopback and
// private addresses are fine there, link-local and metadata never.
package netguard

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// Option names what an owner sets to reach a refused address; refusals quote
// it. It is part of the product's outside and never changes.
const Option = "--allow-net"

const dialTimeout = 30 * time.Second

// Guard dials by its policies. The zero Guard has an empty allow list; it is
// safe for concurrent use.
type Guard struct {
	allow atomic.Pointer[[]rule]
}

// New returns a Guard with the given allow list; see Guard.Allow.
func New(allow ...string) (*Guard, error) {
	g := &Guard{}
	return g, g.Allow(allow...)
}

// Allow replaces the allow list. An entry is a host name, an address or a CIDR,
// each with an optional port ("10.0.0.5", "fd00::/8", "[::1]:8080",
// "intranet.example:443"); one string may hold several, separated by commas.
// On an error, a sentence that names the bad entry, the list stays as it was.
func (g *Guard) Allow(entries ...string) error {
	var rules []rule
	for _, list := range entries {
		for entry := range strings.SplitSeq(list, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			r, err := parseRule(entry)
			if err != nil {
				return err
			}
			rules = append(rules, r)
		}
	}
	g.allow.Store(&rules)
	return nil
}

// DialContext connects to addr ("host:port") over TCP unless its address is of
// the inside and not allowed. A refusal is a desk.Error that names Option. It
// fits http.Transport.
func (g *Guard) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return g.dial(ctx, network, addr, g.checkPublic)
}

// DialMail is DialContext for mail servers typed by an owner or admin: all but
// link-local, metadata and other impossible addresses.
func (g *Guard) DialMail(ctx context.Context, network, addr string) (net.Conn, error) {
	return g.dial(ctx, network, addr, checkMail)
}

func (g *Guard) dial(ctx context.Context, network, addr string, check func(host string, to netip.AddrPort) error) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, desk.Errorf(desk.Refused, "Only TCP connections are allowed, not %q.", network)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, desk.Errorf(desk.Invalid, "%q is not a host with a port.", addr)
	}
	d := net.Dialer{
		Timeout: dialTimeout,
		Control: func(_, dialled string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(dialled)
			if err != nil {
				return desk.Errorf(desk.Refused, "The address %q is not understood.", dialled)
			}
			return check(host, to)
		},
	}
	return d.DialContext(ctx, network, addr)
}

func (g *Guard) checkPublic(host string, to netip.AddrPort) error {
	kind := classify(to.Addr())
	if kind == public || g.allowed(host, to, kind) {
		return nil
	}
	return desk.Errorf(desk.Refused, "The address %s is %s and is not reached from here. If it is meant to be, the owner can allow it with %s.",
		show(host, to.Addr()), kind, Option)
}

func checkMail(host string, to netip.AddrPort) error {
	switch kind := classify(to.Addr()); kind {
	case public, loopback, private, shared:
		return nil
	default:
		return desk.Errorf(desk.Refused, "The address %s is %s, where no mail server is. Check the host name of the server.",
			show(host, to.Addr()), kind)
	}
}

func (g *Guard) allowed(host string, to netip.AddrPort, k kind) bool {
	rules := g.allow.Load()
	if rules == nil {
		return false
	}
	for _, r := range *rules {
		if r.allows(host, to, k) {
			return true
		}
	}
	return false
}

func show(host string, ip netip.Addr) string {
	if host == ip.String() {
		return host
	}
	return host + " (" + ip.Unmap().String() + ")"
}
