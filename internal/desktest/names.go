package desktest

import (
	"context"
	"net"
	"strings"
)

// Names is a domain name system for tests: TXT records by name, nothing else.
// The empty one knows no name.
type Names map[string]string

// LookupTXT implements mailauth.Resolver.
func (n Names) LookupTXT(_ context.Context, name string) ([]string, error) {
	if text, ok := n[strings.TrimSuffix(name, ".")]; ok {
		return []string{text}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupMX implements mailauth.Resolver.
func (n Names) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupIPAddr implements mailauth.Resolver.
func (n Names) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupAddr implements mailauth.Resolver.
func (n Names) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}
