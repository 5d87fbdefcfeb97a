package certificate

import (
	"net"
	"net/netip"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"golang.org/x/net/idna"
)

// Domain is a domain as somebody typed it, in lower case and ASCII. It errs with
// a sentence for what no authority gives a certificate for.
func Domain(text string) (string, error) {
	name := strings.TrimSuffix(strings.TrimSpace(text), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return "", desk.Errorf(desk.Invalid, "%s is an address; a certificate is for a name, such as help.example.com.", name)
	}
	if strings.Contains(name, "*") {
		return "", desk.Errorf(desk.Invalid, "%s stands for many names; write each one out, such as help.example.com.", name)
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || strings.ContainsAny(name, ":/@ ") || !strings.Contains(ascii, ".") {
		return "", desk.Errorf(desk.Invalid, "%q is no domain: write it alone, without https:// and port, such as help.example.com.", text)
	}
	return ascii, nil
}

// localAddresses are the addresses of this machine's network cards that others
// may reach it by.
func localAddresses() []netip.Addr {
	cards, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, c := range cards {
		n, ok := c.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if ip = ip.Unmap(); ok && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			out = append(out, ip)
		}
	}
	return out
}
