package certificate

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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

func TestTheAuthorityKnowsTheOwnerWhereItCan(t *testing.T) {
	t.Parallel()
	k := newKit(t, 0)
	address := ""
	k.options.Contact = func() string { return address }
	contact := func() string {
		t.Helper()
		client, err := k.client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		account, err := client.GetReg(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(account.Contact, " ")
	}
	for _, c := range []struct{ address, want string }{
		{"no address", ""}, // refused; the account is made without
		{"", ""},
		{"ines@people.test", "mailto:ines@people.test"}, // after the set-up
		{"jo@people.test", "mailto:jo@people.test"},
		{"", "mailto:jo@people.test"},
	} {
		if address = c.address; contact() != c.want {
			t.Errorf("with %q the authority knows %q, want %q", c.address, contact(), c.want)
		}
	}
}
