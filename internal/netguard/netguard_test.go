package netguard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
)

func TestClassify(t *testing.T) {
	for address, want := range map[string]kind{
		"8.8.8.8": public, "1.1.1.1": public, "2606:4700::1111": public, "100.63.255.255": public, "100.128.0.1": public,
		"127.0.0.1": loopback, "127.255.0.9": loopback, "::1": loopback,
		"::ffff:127.0.0.1": loopback, "::ffff:7f00:1": loopback,
		"64:ff9b::7f00:1": loopback, "64:ff9b::10.1.2.3": private, "2002:7f00:1::": loopback, "2002:a9fe:a9fe::1": metadata,
		"::127.0.0.1": loopback, "2001:0:1:2:3:4:80ff:fffe": loopback,
		"10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private, "fd00::1": private, "fec0::1": private,
		"172.32.0.1": public, "100.64.0.1": shared, "100.127.255.255": shared,
		"169.254.0.1": linkLocal, "fe80::1": linkLocal, "fe80::1%lo": linkLocal, "ff02::1": linkLocal, "224.0.0.1": linkLocal,
		"169.254.169.254": metadata, "::ffff:169.254.169.254": metadata, "fd00:ec2::254": metadata, "100.100.100.200": metadata, "168.63.129.16": metadata,
		"239.1.2.3": multicast, "ff0e::1": multicast,
		"0.0.0.0": reserved, "::": reserved, "0.1.2.3": reserved, "255.255.255.255": reserved, "240.0.0.1": reserved, "198.18.0.1": reserved,
	} {
		if got := classify(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
}

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		allow, host, ip string
		public, mail    bool
	}{
		{"", "example.org", "93.184.216.34:443", true, true},
		{"", "localhost", "127.0.0.1:80", false, true},
		{"", "inside", "10.0.0.5:25", false, true},
		{"", "shared", "100.64.0.5:25", false, true},
		{"", "meta", "169.254.169.254:80", false, false},
		{"", "fe80::1%lo", "[fe80::1%lo]:80", false, false},
		{"", "0.0.0.0", "0.0.0.0:80", false, false},
		{"", "rebound.example", "[::ffff:127.0.0.1]:80", false, true},
		{"127.0.0.1", "localhost", "127.0.0.1:80", true, true},
		{"127.0.0.1:80", "localhost", "127.0.0.1:80", true, true},
		{"127.0.0.1:80", "localhost", "127.0.0.1:81", false, true},
		{"::1", "localhost", "127.0.0.1:80", false, true},
		{"[::1]:80", "localhost", "[::1]:80", true, true},
		{"10.0.0.0/8, 192.168.0.0/16:443", "x", "10.9.9.9:1", true, true},
		{"10.0.0.0/8, 192.168.0.0/16:443", "x", "192.168.1.1:443", true, true},
		{"10.0.0.0/8, 192.168.0.0/16:443", "x", "192.168.1.1:80", false, true},
		{"10.0.0.0/8", "x", "[::ffff:10.1.1.1]:80", true, true},
		{"intranet.example", "Intranet.Example.", "10.0.0.5:80", true, true},
		{"intranet.example:80", "intranet.example", "10.0.0.5:443", false, true},
		{"intranet.example", "intranet.example", "169.254.169.254:80", false, false},
		{"intranet.example", "other.example", "10.0.0.5:80", false, true},
		{"0.0.0.0/0", "x", "169.254.169.254:80", false, false},
		{"169.254.169.254", "x", "169.254.169.254:80", true, false},
	} {
		g, err := New(c.allow)
		if err != nil {
			t.Fatalf("%q: %v", c.allow, err)
		}
		to := netip.MustParseAddrPort(c.ip)
		err = g.checkPublic(c.host, to)
		if (err == nil) != c.public {
			t.Errorf("allow %q, %s at %s: %v", c.allow, c.host, c.ip, err)
		}
		if err != nil && (desk.CodeOf(err) != desk.Refused || !strings.Contains(err.Error(), Option)) {
			t.Errorf("the refusal does not name the setting: %v", err)
		}
		if err := checkMail(c.host, to); (err == nil) != c.mail {
			t.Errorf("mail, %s at %s: %v", c.host, c.ip, err)
		}
	}
}

func TestBadAllowListIsRefusedAndKeepsTheOldOne(t *testing.T) {
	g, err := New("10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"10.0.0.1:0", "10.0.0.1:99999", "10.0.0.1:x", "http://10.0.0.1/", "a b", "[::1", "[::1]80", "10.0.0.0/33"} {
		if err := g.Allow("10.0.0.2", bad); err == nil || !strings.Contains(err.Error(), Option) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := g.checkPublic("x", netip.MustParseAddrPort("10.0.0.1:80")); err != nil {
		t.Errorf("the list of before is gone: %v", err)
	}
}

func TestDialReachesNoLoopback(t *testing.T) {
	hits := 0
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer canary.Close()
	_, port, _ := net.SplitHostPort(canary.Listener.Addr().String())

	g := &Guard{}
	client := &http.Client{Transport: &http.Transport{DialContext: g.DialContext}}
	redirect := httptest.NewServer(http.RedirectHandler(canary.URL, http.StatusFound))
	defer redirect.Close()
	if err := g.Allow(redirect.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}

	for _, url := range []string{
		"http://127.0.0.1:" + port, "http://localhost:" + port, "http://[::ffff:7f00:1]:" + port,
		"http://0.0.0.0:" + port, "http://[::]:" + port, "http://user@127.0.0.1:" + port, redirect.URL,
	} {
		res, err := client.Get(url)
		if err == nil {
			_ = res.Body.Close()
		}
		if err == nil || desk.CodeOf(err) != desk.Refused {
			t.Errorf("%s: %v", url, err)
		}
	}
	if hits != 0 {
		t.Errorf("the canary was reached %d times", hits)
	}

	if err := g.Allow("127.0.0.1:" + port); err != nil {
		t.Fatal(err)
	}
	res, err := client.Get("http://127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestDialMailReachesLoopbackOnly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	g := &Guard{}
	c, err := g.DialMail(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()

	_, err = g.DialMail(t.Context(), "tcp", "169.254.169.254:25")
	if desk.CodeOf(err) != desk.Refused {
		t.Errorf("metadata: %v", err)
	}
	_, err = g.DialMail(t.Context(), "unix", "/var/run/x:1")
	if desk.CodeOf(err) != desk.Refused {
		t.Errorf("unix: %v", err)
	}
	var nerr net.Error
	_, err = g.DialMail(t.Context(), "tcp", "nowhere.invalid:25")
	if err == nil || !errors.As(err, &nerr) {
		t.Errorf("an unknown host: %v", err)
	}
}
