package certificate

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/acmetest"
	"github.com/deskbell/deskbell/internal/secret"
)

const domain = "help.desk.test"

// kit is a Keeper with its two doors open, and the authority it asks.
type kit struct {
	*Keeper
	ca           *acmetest.Server
	web          string // address of the web server
	clock        *desk.TestClock
	told         chan State
	dir, key     string // the folder, and the one beside which its key is kept
	http, secure int
}

func newKit(t *testing.T, life time.Duration, domains ...string) *kit {
	t.Helper()
	k := &kit{key: t.TempDir(), clock: desk.NewTestClock(time.Now()), told: make(chan State, 10), dir: filepath.Join(t.TempDir(), "certificates")}
	k.http, k.secure = acmetest.FreePort(t), acmetest.FreePort(t)
	k.ca = acmetest.New(t, acmetest.Options{HTTPPort: k.http, TLSPort: k.secure, Life: life})
	k.Keeper = k.again(t, domains...)
	return k
}

// again is a Keeper on the same folder, as after a restart.
func (k *kit) again(t *testing.T, domains ...string) *Keeper {
	t.Helper()
	box, err := secret.Open(filepath.Join(k.key, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if domains == nil {
		domains = []string{domain}
	}
	return New(Options{
		Domains: domains, Dir: k.dir, Sealer: box, Clock: k.clock, Logger: slog.New(slog.DiscardHandler),
		Directory: k.ca.Directory, Roots: k.ca.API, Contact: func() string { return "ines@people.test" },
		Lookup: func(_ context.Context, host string) ([]net.IPAddr, error) {
			if strings.HasPrefix(host, "nowhere") {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return []net.IPAddr{{IP: net.IPv4(198, 51, 100, 7)}}, nil
		},
		Local: func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("203.0.113.5")} },
		Tell:  func(s State) { k.told <- s },
	})
}

// openHTTP lets the authority ask by HTTP.
func (k *kit) openHTTP(t *testing.T) {
	t.Helper()
	serve(t, k.http, nil, k.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "elsewhere") })))
}

// openTLS starts the web server.
func (k *kit) openTLS(t *testing.T) {
	t.Helper()
	k.web = serve(t, k.secure, k.Config(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
}

func serve(t *testing.T, port int, config *tls.Config, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, TLSConfig: config, ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		if config != nil {
			_ = server.ServeTLS(l, "", "")
		} else {
			_ = server.Serve(l)
		}
	}()
	return l.Addr().String()
}

func (k *kit) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func (k *kit) hear(t *testing.T) State {
	t.Helper()
	select {
	case s := <-k.told:
		return s
	case <-time.After(40 * time.Second):
		t.Fatal("nothing was told")
		return State{}
	}
}

// serial is the number of the certificate that a client is shown.
func (k *kit) serial(t *testing.T, name string) string {
	t.Helper()
	c, err := tls.Dial("tcp", k.web, &tls.Config{ServerName: name, RootCAs: k.ca.Issued})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}
