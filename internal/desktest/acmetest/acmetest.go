// Package acmetest is a certificate authority for tests: Let's Encrypt's own
// test server, Pebble, in this process, with a name server of its own. It asks
// for proofs at ports that the test chooses and reaches loopback only.
package acmetest

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Options say what kind of authority a test needs.
type Options struct {
	HTTPPort int           // where it asks by HTTP
	TLSPort  int           // where it asks by TLS
	Life     time.Duration // of a certificate, 0 = 90 days
}

// Server is an authority that runs until the test ends.
type Server struct {
	Directory string         // URL of its directory
	API       *x509.CertPool // signed the certificate of Directory
	APIPEM    []byte         // the same as PEM
	Issued    *x509.CertPool // signed the certificates it gives

	names  names
	broken atomic.Pointer[http.HandlerFunc]
	orders atomic.Int64
}

// quick lets Pebble ask at once; it reads the environment when it is made.
var quick = sync.OnceValue(func() error { return os.Setenv("PEBBLE_VA_NOSLEEP", "1") })

// New starts an authority.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if err := quick(); err != nil {
		t.Fatal(err)
	}
	s := &Server{names: names{of: map[string]net.IP{}}}
	resolver := s.names.start(t)
	logger := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	profiles := map[string]ca.Profile{"default": {Description: "for tests", ValidityPeriod: uint64(o.Life / time.Second)}}
	authority := ca.New(logger, store, "", "ecdsa", 0, 1, profiles)
	front := wfe.New(logger, store, va.New(logger, o.HTTPPort, o.TLSPort, false, resolver, store), authority, []string{"authority.test"}, false, false, 1, 1)
	handler := front.Handler()
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == wfe.DirectoryPath {
			s.orders.Add(1)
		}
		if broken := s.broken.Load(); broken != nil {
			(*broken)(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	s.Directory = api.URL + wfe.DirectoryPath
	s.API, s.Issued = x509.NewCertPool(), x509.NewCertPool()
	s.API.AddCert(api.Certificate())
	s.APIPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	s.Issued.AppendCertsFromPEM(authority.GetRootCert(0).PEM())
	return s
}

// Resolve lets a name point at an address, and at no other.
func (s *Server) Resolve(name, address string) { s.names.set(name, address) }

// Break has h answer everything instead of the authority; nil mends it.
func (s *Server) Break(h http.HandlerFunc) {
	if h == nil {
		s.broken.Store(nil)
		return
	}
	s.broken.Store(&h)
}

// Asked is how often the authority was turned to.
func (s *Server) Asked() int { return int(s.orders.Load()) }

// FreePort is a port of loopback that is free now.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
