package mailauth

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// toASCII is a domain as the domain name system spells it.
func toASCII(domain string) (string, error) {
	return idna.Lookup.ToASCII(strings.ToLower(domain))
}

// Organization is the domain that somebody registered: "b.example" for
// "a.b.example"; the domain itself where that can't be told.
func Organization(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return domain
	}
	return org
}

// aligned reports whether a domain vouches for the one in From: the same
// domain when strict, else one of the same organization.
func aligned(domain, from string, strict bool) bool {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if domain == "" || domain == from {
		return domain == from
	}
	return !strict && Organization(domain) == Organization(from)
}
