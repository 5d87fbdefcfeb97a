package netguard

import (
	"encoding/binary"
	"net/netip"
)

// kind sorts addresses by where they lead; its text goes into sentences.
type kind string

const (
	public    kind = "a public address"
	loopback  kind = "this machine itself"
	private   kind = "a private address"
	shared    kind = "a shared address of a provider (100.64.0.0/10)"
	linkLocal kind = "a link-local address"
	metadata  kind = "a cloud's metadata service"
	multicast kind = "a multicast address"
	reserved  kind = "a reserved address"
)

// metadataServices are the addresses at which clouds hand out credentials and
// that are not link-local anyway: AWS (IPv6), Alibaba, Oracle, Azure.
var metadataServices = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"),
	netip.MustParseAddr("169.254.170.2"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("168.63.129.16"),
}

// special are the ranges that netip has no question for, from IANA's special
// purpose registries.
var special = []struct {
	prefix netip.Prefix
	kind   kind
}{
	{netip.MustParsePrefix("100.64.0.0/10"), shared},
	{netip.MustParsePrefix("0.0.0.0/8"), reserved},
	{netip.MustParsePrefix("192.0.0.0/24"), reserved},
	{netip.MustParsePrefix("192.0.2.0/24"), reserved},
	{netip.MustParsePrefix("198.18.0.0/15"), reserved},
	{netip.MustParsePrefix("198.51.100.0/24"), reserved},
	{netip.MustParsePrefix("203.0.113.0/24"), reserved},
	{netip.MustParsePrefix("240.0.0.0/4"), reserved},
	{netip.MustParsePrefix("100::/64"), reserved},
	{netip.MustParsePrefix("64:ff9b:1::/48"), reserved},
	{netip.MustParsePrefix("2001:db8::/32"), reserved},
	{netip.MustParsePrefix("fec0::/10"), private},
}

func classify(ip netip.Addr) kind {
	ip = embedded(ip.WithZone("").Unmap())
	for _, m := range metadataServices {
		if ip == m {
			return metadata
		}
	}
	switch {
	case !ip.IsValid(), ip.IsUnspecified():
		return reserved
	case ip.IsLoopback():
		return loopback
	case ip.IsPrivate():
		return private
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast(), ip.IsInterfaceLocalMulticast():
		return linkLocal
	case ip.IsMulticast():
		return multicast
	}
	for _, s := range special {
		if s.prefix.Contains(ip) {
			return s.kind
		}
	}
	return public
}

// embedded returns the IPv4 address that an IPv6 address of a translation
// scheme leads to, else ip itself.
func embedded(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case translated.Contains(ip), compatible.Contains(ip) && binary.BigEndian.Uint32(b[12:]) > 1:
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case teredo.Contains(ip):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	return ip
}

var (
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64, RFC 6052
	compatible = netip.MustParsePrefix("::/96")        // IPv4-compatible, RFC 4291; :: and ::1 are none
	sixToFour  = netip.MustParsePrefix("2002::/16")    // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")    // RFC 4380
)
