package certificate

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

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
