package netguard

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

// rule is one entry of the allow list: a name or a range, at one port or all.
type rule struct {
	host   string       // lower case without trailing dot, "" when it is a range
	prefix netip.Prefix // valid when host is ""
	port   uint16       // 0 for every port
}

func parseRule(entry string) (rule, error) {
	host, port, err := splitPort(entry)
	if err != nil {
		return rule{}, err
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		return rule{prefix: p.Masked(), port: port}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.WithZone("").Unmap()
		return rule{prefix: netip.PrefixFrom(a, a.BitLen()), port: port}, nil
	}
	name := canonical(host)
	if !validName(name) {
		return rule{}, desk.Errorf(desk.Invalid, "%q in %s is no host, address or CIDR with an optional port.", entry, Option)
	}
	return rule{host: name, port: port}, nil
}

// splitPort takes the optional port off an entry; an IPv6 address with a port
// stands in brackets.
func splitPort(entry string) (host string, port uint16, err error) {
	bad := desk.Errorf(desk.Invalid, "%q in %s has no valid port.", entry, Option)
	if inner, ok := strings.CutPrefix(entry, "["); ok {
		host, rest, ok := strings.Cut(inner, "]")
		if !ok {
			return "", 0, bad
		}
		if rest == "" {
			return host, 0, nil
		}
		digits, ok := strings.CutPrefix(rest, ":")
		if !ok {
			return "", 0, bad
		}
		return withPort(host, digits, bad)
	}
	if strings.Count(entry, ":") != 1 {
		return entry, 0, nil
	}
	host, digits, _ := strings.Cut(entry, ":")
	return withPort(host, digits, bad)
}

func withPort(host, digits string, bad error) (string, uint16, error) {
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, bad
	}
	return host, uint16(n), nil
}

// allows tells whether the rule opens the connection. A name opens the inside
// only, and a metadata service opens by its very address alone: neither a name
// that turns to it nor a wide range reaches it.
func (r rule) allows(host string, to netip.AddrPort, k kind) bool {
	if r.port != 0 && r.port != to.Port() {
		return false
	}
	if r.host != "" {
		return r.host == canonical(host) && (k == loopback || k == private || k == shared)
	}
	ip := to.Addr().WithZone("").Unmap()
	if k == metadata && r.prefix.Bits() != ip.BitLen() {
		return false
	}
	return r.prefix.Contains(ip)
}

func canonical(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

func validName(name string) bool {
	if name == "" || len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
