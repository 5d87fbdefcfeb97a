package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
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

func TestCertificateByEitherKindOfProof(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*kit, *testing.T){"http": (*kit).openHTTP, "tls": (*kit).openTLS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, 0)
			k.ca.Resolve(domain, "127.0.0.1")
			open(k, t)
			k.run(t)
			state := k.hear(t)
			if state.Failure != "" || !k.Ready() || time.Until(state.Until) < 80*24*time.Hour {
				t.Fatalf("got %+v", state)
			}
			if left := time.Until(state.Next); left < 55*24*time.Hour || left > 65*24*time.Hour {
				t.Errorf("renewed in %s, want two thirds of 90 days", left)
			}
			if k.web == "" {
				k.openTLS(t)
			}
			client := &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: k.ca.Issued}, ForceAttemptHTTP2: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", k.web)
				},
			}}
			resp, err := client.Get("https://" + domain)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, _ := io.ReadAll(resp.Body); string(text) != "HTTP/2.0" {
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestRenewalNeedsNoRestartAndNoClient(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	k.ca.Resolve(domain, "127.0.0.1")
	k.openTLS(t)
	k.run(t)
	k.hear(t)
	first := k.serial(t, domain)
	k.clock.Advance(59 * 24 * time.Hour)
	select {
	case s := <-k.told:
		t.Fatalf("too early: %+v", s)
	case <-time.After(300 * time.Millisecond):
	}
	k.clock.Advance(2 * 24 * time.Hour)
	if state := k.hear(t); state.Failure != "" {
		t.Fatal(state.Failure)
	}
	if second := k.serial(t, domain); second == first {
		t.Error("the old certificate is still shown")
	}
	select { // by its clock the new one is due at once; the authority is left alone all the same
	case s := <-k.told:
		t.Errorf("asked again at once: %+v", s)
	case <-time.After(300 * time.Millisecond):
	}
}

func TestAFailedRenewalKeepsTheOldCertificate(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	k.ca.Resolve(domain, "127.0.0.1")
	k.openTLS(t)
	k.run(t)
	k.hear(t)
	first := k.serial(t, domain)
	k.ca.Break(rejected)
	k.clock.Advance(61 * 24 * time.Hour)
	state := k.hear(t)
	if state.Failure == "" || state.Until.IsZero() || k.serial(t, domain) != first {
		t.Errorf("got %+v", state)
	}
}

func TestRestartUsesWhatIsKept(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	k.ca.Resolve(domain, "127.0.0.1")
	k.openTLS(t)
	k.run(t)
	k.hear(t)
	asked := k.ca.Asked()
	if second := k.again(t); !second.Ready() || k.ca.Asked() != asked {
		t.Error("the kept certificate is not used")
	}
	k.checkFiles(t)
	old := k.key
	k.key = t.TempDir()
	third := k.again(t)
	if third.Ready() {
		t.Error("a certificate sealed with another key was opened")
	}
	if _, err := third.store.account(); err != nil {
		t.Errorf("the lost account is not made anew: %v", err)
	}
	k.clock.Advance(91 * 24 * time.Hour)
	k.key = old
	if k.again(t).Ready() {
		t.Error("a certificate that ended is used")
	}
}

// checkFiles checks that nobody else reads the kept files, and that a copy of
// them holds no key.
func (k *kit) checkFiles(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(k.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "PRIVATE") || !strings.HasPrefix(string(text), "s1.") {
			t.Errorf("%s is not sealed", path)
		}
		return err
	})
	if err != nil || files != 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestFailuresSayWhatToMendAndAreTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, domain, resolve string
		broken                http.HandlerFunc
		want                  []string
	}{
		{"no address", "nowhere.desk.test", "", nil, []string{"nowhere.desk.test resolves to no address", "203.0.113.5"}},
		{"points elsewhere", domain, "127.0.0.9", nil, []string{"points elsewhere", "198.51.100.7", "203.0.113.5"}},
		{"authority down", domain, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, []string{"127.0.0.1 can't be reached"}},
		{"too many requests", domain, "127.0.0.1", limited, []string{"no more requests", "too many certificates"}},
		{"refused name", domain, "127.0.0.1", rejected, []string{"refuses " + domain, "policy forbids"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, 0, c.domain)
			if c.resolve != "" {
				k.ca.Resolve(c.domain, c.resolve)
			}
			k.ca.Break(c.broken)
			k.openTLS(t)
			k.run(t)
			state := k.hear(t)
			for _, want := range c.want {
				if !strings.Contains(state.Failure, want) {
					t.Errorf("%q does not say %q", state.Failure, want)
				}
			}
			if strings.ContainsAny(state.Failure, "\r\n") || k.Ready() {
				t.Errorf("got %q", state.Failure)
			}
			wait := state.Next.Sub(k.clock.Now())
			if c.name == "too many requests" {
				if wait < 59*time.Minute {
					t.Errorf("tries again in %s although told to wait an hour", wait)
				}
				return
			}
			if wait > 2*time.Minute {
				t.Errorf("tries again in %s", wait)
			}
			k.ca.Break(nil)
			k.ca.Resolve(c.domain, "127.0.0.1")
			k.openHTTP(t)
			k.clock.Advance(2 * time.Minute)
			if state := k.hear(t); state.Failure != "" {
				t.Errorf("mended, but: %s", state.Failure)
			}
		})
	}
}

func limited(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "3600")
	say(w, http.StatusTooManyRequests, "rateLimited", "too many certificates already issued")
}

func rejected(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusBadRequest, "rejectedIdentifier", "policy forbids issuing for the name")
}

func say(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"urn:ietf:params:acme:error:%s","detail":%q,"status":%d}`, kind, detail, status)
}

func TestPausesGrowAndRetryCutsThemShort(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	k.ca.Break(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	k.run(t)
	for _, want := range []time.Duration{2 * time.Minute, 10 * time.Minute, 20 * time.Minute} {
		state := k.hear(t)
		if wait := state.Next.Sub(k.clock.Now()).Round(time.Second); wait > want || wait < want-5*time.Second {
			t.Errorf("waits %s, want %s", wait, want)
		}
		k.clock.Advance(want)
	}
	k.hear(t)
	k.Retry()
	k.hear(t)
}

func TestOneDomainHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0, "nowhere.desk.test", domain)
	k.ca.Resolve(domain, "127.0.0.1")
	k.openTLS(t)
	k.run(t)
	if first, second := k.hear(t), k.hear(t); first.Failure == "" || second.Failure != "" {
		t.Fatalf("got %+v and %+v", first, second)
	}
	k.serial(t, domain)
	states := k.States()
	if len(states) != 2 || states[0].Domain != "nowhere.desk.test" || states[1].Until.IsZero() {
		t.Errorf("got %+v", states)
	}
}

func TestAHandshakeAsksNoAuthority(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	k.openTLS(t)
	for _, name := range []string{domain, "stranger.test", ""} {
		c, err := tls.Dial("tcp", k.web, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err == nil {
			c.Close()
			t.Errorf("a handshake for %q works without a certificate", name)
		}
	}
	if k.ca.Asked() != 0 {
		t.Error("a stranger's handshake asked the authority")
	}
}

func TestMailServersGetACertificateInAnyCase(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	hello := func(name string) *tls.Certificate {
		t.Helper()
		cert, err := k.MailConfig().GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	before := hello("")
	if before != hello("mx.other.test") || before.Leaf.VerifyHostname(domain) != nil {
		t.Error("there is no spare certificate")
	}
	k.clock.Advance(40 * 24 * time.Hour)
	if hello("") == before {
		t.Error("the spare certificate ended and is still used")
	}
	k.ca.Resolve(domain, "127.0.0.1")
	k.clock.Set(time.Now())
	k.openHTTP(t)
	k.run(t)
	k.hear(t)
	for _, name := range []string{"", domain, strings.ToUpper(domain), "mx.other.test"} {
		if cert := hello(name); len(cert.Leaf.Issuer.CommonName) == 0 || !strings.Contains(cert.Leaf.Issuer.CommonName, "Pebble") {
			t.Errorf("%q gets %q", name, cert.Leaf.Issuer)
		}
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"help.example.com": "help.example.com", "Help.Example.COM.": "help.example.com", "hilfe.bücher.example": "hilfe.xn--bcher-kva.example",
		"https://help.example.com": "", "help.example.com:443": "", "203.0.113.5": "", "2001:db8::1": "", "*.example.com": "", "localhost": "", "": "", "a b.example": "", "a@b.example": "",
	} {
		got, err := Domain(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
		if err != nil && desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestExplainNamesTheAddresses(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	local := func(all ...string) func() []netip.Addr {
		return func() (out []netip.Addr) {
			for _, a := range all {
				out = append(out, netip.MustParseAddr(a))
			}
			return out
		}
	}
	for _, c := range []struct {
		local []string
		kind  string
		want  []string
	}{
		{[]string{"10.0.0.5", "192.168.1.9"}, "connection", []string{"10.0.0.5 and 192.168.1.9", "forwarded"}},
		{[]string{"10.0.0.5", "198.51.100.7"}, "connection", []string{"can't reach port 80", "this machine has 198.51.100.7", "firewall"}},
		{[]string{"198.51.100.7"}, "unauthorized", []string{"another answer"}},
		{nil, "connection", []string{"no address of its own"}},
	} {
		k.options.Local = local(c.local...)
		got := k.unproved(t.Context(), domain, c.kind, "Timeout during connect")
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%v %s: %q does not say %q", c.local, c.kind, got, want)
			}
		}
	}
	if got := k.explain(t.Context(), domain, errors.New("dial tcp: no route to host")); !strings.Contains(got, "no route to host") {
		t.Error(got)
	}
}

func TestKindsAlternate(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(kindsFor(0), kindsFor(1), kindsFor(2), kindsFor(3)); got != "[http-01 tls-alpn-01] [http-01] [tls-alpn-01] [http-01]" {
		t.Error(got)
	}
}
