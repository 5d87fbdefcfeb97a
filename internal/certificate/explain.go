package certificate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
)

// lookupTimeout bounds the look at where a name points.
const lookupTimeout = 3 * time.Second

// problem is the kind of problem that an authority named, "" when it did not.
func problem(err error) string {
	if p := problemOf(err); p != nil {
		return p.ProblemType
	}
	return ""
}

// problemOf finds the authority's own words in an error, nil for none.
func problemOf(err error) *acme.Error {
	var refused *acme.AuthorizationError
	if errors.As(err, &refused) {
		for _, e := range refused.Errors {
			if p := problemOf(e); p != nil {
				return p
			}
		}
	}
	var order *acme.OrderError
	if errors.As(err, &order) {
		return order.Problem
	}
	var p *acme.Error
	errors.As(err, &p)
	return p
}

// told is how long the authority wants to be left alone, 0 when it did not say.
func told(err error) time.Duration {
	var p *acme.Error
	if !errors.As(err, &p) {
		return 0
	}
	wait, _ := acme.RateLimit(p)
	return wait
}

// explain says in one sentence why there is no certificate for a domain and how
// to mend it.
func (k *Keeper) explain(ctx context.Context, domain string, err error) string {
	_, answered := errors.AsType[*acme.AuthorizationError](err)
	p := problemOf(err)
	if (p == nil || p.ProblemType == "") && !answered {
		return fmt.Sprintf("The certificate authority %s can't be reached from this machine (%s). Check its network.", k.authority(), oneLine(err.Error()))
	}
	if p == nil {
		return fmt.Sprintf("%s gave no certificate for %s: %s.", k.authority(), domain, oneLine(err.Error()))
	}
	kind := p.ProblemType[strings.LastIndexByte(p.ProblemType, ':')+1:]
	switch {
	case kind == "rateLimited":
		return fmt.Sprintf("The certificate authority takes no more requests for %s for now: %s.", domain, oneLine(p.Detail))
	case kind == "caa":
		return fmt.Sprintf("A CAA record of %s forbids this authority to give a certificate. Take it out of the DNS, or add the authority to it.", domain)
	case answered, kind == "dns", kind == "connection", kind == "unauthorized":
		return k.unproved(ctx, domain, kind, p.Detail)
	default:
		return fmt.Sprintf("The certificate authority refuses %s: %s.", domain, oneLine(p.Detail))
	}
}

// authority is the host of the certificate authority.
func (k *Keeper) authority() string {
	u, err := url.Parse(k.options.Directory)
	if err != nil {
		return k.options.Directory
	}
	return u.Hostname()
}

// unproved is the sentence for an authority that asked for a proof and did not
// get it: it found nobody, or somebody else.
func (k *Keeper) unproved(ctx context.Context, domain, kind, detail string) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, _ := k.options.Lookup(ctx, domain)
	var there []netip.Addr
	for _, f := range found {
		if ip, ok := netip.AddrFromSlice(f.IP); ok {
			there = append(there, ip.Unmap())
		}
	}
	here := k.options.Local()
	reachable := slices.DeleteFunc(slices.Clone(here), netip.Addr.IsPrivate)
	public := len(reachable) > 0
	if public {
		here = reachable
	}
	have := "this machine has " + list(here)
	switch {
	case len(there) == 0:
		return fmt.Sprintf("The name %s resolves to no address. Add an A or AAAA record for it; %s.", domain, have)
	case !public:
		return fmt.Sprintf("The certificate authority did not reach this desk at %s: the name resolves to %s, and %s, which is reached only if ports 80 and 443 are forwarded to it (%s).", domain, list(there), have, oneLine(detail))
	case !slices.ContainsFunc(there, func(a netip.Addr) bool { return slices.Contains(here, a) }):
		return fmt.Sprintf("The name %s points elsewhere: it resolves to %s, and %s. Change its A or AAAA record.", domain, list(there), have)
	case kind == "connection":
		return fmt.Sprintf("The certificate authority can't reach port 80 of %s: the name resolves to %s, and %s. Open ports 80 and 443 in the firewall (%s).", domain, list(there), have, oneLine(detail))
	}
	return fmt.Sprintf("The certificate authority got another answer at %s than this desk's: the name resolves to %s, and %s. See that every address of it leads to ports 80 and 443 of this machine (%s).", domain, list(there), have, oneLine(detail))
}

func list(addresses []netip.Addr) string {
	if len(addresses) == 0 {
		return "no address of its own"
	}
	var all []string
	for _, a := range addresses[:min(len(addresses), 4)] {
		all = append(all, a.String())
	}
	if len(addresses) > len(all) {
		all = append(all, "others")
	}
	if n := len(all); n > 1 {
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
	return all[0]
}

// oneLine makes the authority's words fit into a sentence.
func oneLine(text string) string {
	text = strings.TrimRight(strings.Join(strings.Fields(text), " "), ".")
	if r := []rune(text); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return text
}
