package mailauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/emersion/go-msgauth/dkim"
)

// zone answers from a list of TXT records, and counts the questions.
type zone struct {
	txt   map[string]string
	err   error // answer to everything
	asked int
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.asked++
	if z.err != nil {
		return nil, z.err
	}
	if t, ok := z.txt[strings.TrimSuffix(name, ".")]; ok {
		return []string{t}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupMX(context.Context, string) ([]*net.MX, error)        { return nil, nil }
func (z *zone) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) { return nil, nil }
func (z *zone) LookupAddr(context.Context, string) ([]string, error)       { return nil, nil }

var signingKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// records of the domains that the tests use: signed.test signs and asks to
// refuse the rest, watch.test only wants to know, open.test asks for nothing.
func records() map[string]string {
	key := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(signingKey.Public().(ed25519.PublicKey))
	return map[string]string{
		"k1._domainkey.signed.test": key, "k1._domainkey.mail.signed.test": key, "k1._domainkey.evil.test": key, "k1._domainkey.open.test": key,
		"k1._domainkey.strict.test": key, "k1._domainkey.mail.strict.test": key,
		"_dmarc.signed.test": "v=DMARC1; p=reject", "_dmarc.watch.test": "v=DMARC1; p=none",
		"_dmarc.strict.test": "v=DMARC1; p=quarantine; adkim=s",
		"signed.test":        "v=spf1 ip4:203.0.113.0/24 -all", "evil.test": "v=spf1 ip4:198.51.100.0/24 -all",
	}
}

func letter(from string, head ...string) string {
	return strings.Join(append(head, "From: "+from, "To: support@desk.test", "Subject: Hello", "Date: Tue, 24 Nov 2026 10:00:00 +0000", "Message-ID: <1@x.test>"), "\r\n") + "\r\n\r\nText\r\n"
}

func signed(t *testing.T, raw, domain string) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "k1", Signer: crypto.Signer(signingKey), HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	theirs = netip.MustParseAddr("203.0.113.5")  // of signed.test
	evils  = netip.MustParseAddr("198.51.100.5") // of evil.test
)

func question(t *testing.T, raw string) mailauth.Mail {
	t.Helper()
	m := mail.Parse([]byte(raw))
	return mailauth.Mail{Raw: []byte(raw), Header: &m.Header, From: m.From.Address, Authors: 1}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name string
		raw  string
		set  func(*mailauth.Mail)
		want desk.Authentication
		why  string
	}{
		{"signed by the sender's domain", signed(t, letter("a@signed.test"), "signed.test"), nil, "pass", mailauth.WhyDKIM},
		{"signed by a host of the domain", signed(t, letter("a@signed.test"), "mail.signed.test"), nil, "pass", mailauth.WhyDKIM},
		{"signed by a host, where only the domain itself counts", signed(t, letter("a@strict.test"), "mail.strict.test"), from(evils, "x@evil.test"), "fail", mailauth.WhyDMARC},
		{"signed without a policy", signed(t, letter("a@open.test"), "open.test"), nil, "pass", mailauth.WhyDKIM},
		{"changed after signing", signed(t, letter("a@signed.test"), "signed.test") + "More\r\n", from(evils, "x@evil.test"), "fail", mailauth.WhyDMARC},
		{"signed by somebody else", signed(t, letter("a@signed.test"), "evil.test"), from(evils, "x@evil.test"), "fail", mailauth.WhyDMARC},
		{"sent by a server of the domain", letter("a@signed.test"), from(theirs, "bounce@signed.test"), "pass", mailauth.WhySPF},
		{"sent by another server", letter("a@signed.test"), from(evils, "a@signed.test"), "fail", mailauth.WhyDMARC},
		{"envelope of somebody else", letter("a@signed.test"), from(evils, "x@evil.test"), "fail", mailauth.WhyDMARC},
		{"a subdomain under the domain's policy", letter("a@host.signed.test"), from(evils, "x@evil.test"), "fail", mailauth.WhyDMARC},
		{"the domain only watches", letter("a@watch.test"), from(evils, "x@evil.test"), "none", mailauth.WhyNoPolicy},
		{"no policy", letter("a@open.test"), from(evils, "x@evil.test"), "none", mailauth.WhyNoPolicy},
		{"fetched: nobody knows who brought it", letter("a@signed.test"), nil, "none", mailauth.WhyUnknown},
		{"brought by a server of our own network", letter("a@signed.test"), from(netip.MustParseAddr("127.0.0.1"), "a@signed.test"), "none", mailauth.WhyUnknown},
		{"our own domain, unsigned", letter("boss@open.test"), both(from(evils, "x@evil.test"), own), "fail", mailauth.WhyOwnDomain},
		{"our own domain, fetched", letter("boss@open.test"), own, "none", mailauth.WhyNoPolicy},
		{"our own domain, signed", signed(t, letter("boss@open.test"), "open.test"), both(from(evils, "x@evil.test"), own), "pass", mailauth.WhyDKIM},
		{"two senders", letter("a@signed.test"), func(m *mailauth.Mail) { m.Authors = 2 }, "fail", mailauth.WhyAuthors},
		{"no sender", letter(""), func(m *mailauth.Mail) { m.From = "" }, "none", mailauth.WhyNoAuthor},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := question(t, c.raw)
			if c.set != nil {
				c.set(&m)
			}
			v := judge(&zone{txt: records()}).Judge(t.Context(), m)
			if v.Result != c.want || v.Why != c.why {
				t.Errorf("%s (%s), want %s (%s)", v.Result, v.Why, c.want, c.why)
			}
			if (v.Domain != "") != (v.Result == desk.AuthPass) {
				t.Errorf("%s, vouched by %q", v.Result, v.Domain)
			}
		})
	}
}

func judge(z *zone) *mailauth.Judge {
	return mailauth.New(z, desk.NewTestClock(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)))
}

func from(peer netip.Addr, sender string) func(*mailauth.Mail) {
	return func(m *mailauth.Mail) { m.Peer, m.MailFrom, m.Helo = peer, sender, "mx.evil.test" }
}

func own(m *mailauth.Mail) { m.Own = true }

func both(a, b func(*mailauth.Mail)) func(*mailauth.Mail) {
	return func(m *mailauth.Mail) { a(m); b(m) }
}

func TestReported(t *testing.T) {
	const top = "Received: from x by mx.google.com; Tue, 24 Nov 2026 10:00:00 +0000"
	const below = "Received: from evil by relay.test; Tue, 24 Nov 2026 09:59:00 +0000"
	for _, c := range []struct {
		name string
		head []string
		want desk.Authentication
	}{
		{"pass", []string{top, "Authentication-Results: mx.google.com; dkim=pass header.i=@a.test header.s=x; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=a.test"}, "pass"},
		{"fail", []string{top, "Authentication-Results: mx.google.com; spf=pass smtp.mailfrom=evil.test; dmarc=fail (p=REJECT dis=NONE) header.from=a.test"}, "fail"},
		{"fail without consequence", []string{top, "Authentication-Results: mx.google.com; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=a.test"}, "none"},
		{"the verdict is on another domain", []string{top, "Authentication-Results: mx.google.com; dmarc=pass header.from=evil.test"}, "none"},
		{"signed by the domain, without a policy", []string{top, "Authentication-Results: mx.google.com; dkim=pass header.d=mail.a.test; dmarc=none header.from=a.test"}, "pass"},
		{"signed by somebody else", []string{top, "Authentication-Results: mx.google.com; dkim=pass header.d=evil.test; spf=pass smtp.mailfrom=x@evil.test"}, "none"},
		{"sent by the domain", []string{top, "Authentication-Results: mx.google.com; spf=pass (sender ok) smtp.mailfrom=bounce@a.test"}, "pass"},
		{"forged right below the server's own", []string{top, "Authentication-Results: mx.google.com; spf=none", "Authentication-Results: mx.google.com; dmarc=pass header.from=a.test"}, "none"},
		{"forged below the server's own", []string{top, "Authentication-Results: mx.google.com; dmarc=fail header.from=a.test", below, "Authentication-Results: mx.google.com; dmarc=pass header.from=a.test"}, "fail"},
		{"of a server nobody named", []string{top, "Authentication-Results: mx.evil.test; dmarc=pass header.from=a.test"}, "none"},
		{"forged below another's", []string{top, "Authentication-Results: mx.other.test; dmarc=none", "Authentication-Results: mx.google.com; dmarc=pass header.from=a.test"}, "none"},
		{"Exchange Online", []string{top, "Authentication-Results: spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=a.test; dkim=none (message not signed) header.d=none;dmarc=bestguesspass action=none header.from=a.test;compauth=pass reason=109"}, "pass"},
		{"Exchange Online, fail", []string{top, "Authentication-Results: spf=fail (sender IP is 1.2.3.4) smtp.mailfrom=a.test; dkim=none header.d=none;dmarc=fail action=oreject header.from=a.test;compauth=fail reason=000"}, "fail"},
		{"one of a pool of servers", []string{top, "Authentication-Results: MX-07.pool.test; dmarc=pass header.from=a.test"}, "pass"},
		{"only its ending is that of the pool", []string{top, "Authentication-Results: evilpool.test; dmarc=pass header.from=a.test"}, "none"},
		{"the pool's bare domain", []string{top, "Authentication-Results: pool.test; dmarc=pass header.from=a.test"}, "none"},
		{"a forged result in a comment", []string{top, "Authentication-Results: mx.google.com; spf=fail (x; dmarc=pass header.from=a.test) smtp.mailfrom=a.test"}, "none"},
		{"a forged result in quotes", []string{top, `Authentication-Results: mx.google.com; dkim=fail reason="; dmarc=pass header.from=a.test"`}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := question(t, letter("me@a.test", c.head...))
			m.Trusted = []string{"mx.google.com", mailauth.Microsoft, ".pool.test"}
			if v := judge(&zone{}).Judge(t.Context(), m); v.Result != c.want {
				t.Errorf("%s (%s), want %s", v.Result, v.Why, c.want)
			}
		})
	}
}

// TestNoNameServer holds that a desk without a name server neither waits for
// each mail nor holds anything against its sender.
func TestNoNameServer(t *testing.T) {
	z := &zone{err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}
	j := judge(z)
	for range 20 {
		m := question(t, signed(t, letter("a@signed.test"), "signed.test"))
		from(evils, "x@evil.test")(&m)
		if v := j.Judge(t.Context(), m); v.Result != desk.AuthNone || v.Why != mailauth.WhyUnknown {
			t.Fatalf("%+v", v)
		}
	}
	if z.asked > 2 {
		t.Errorf("asked %d times", z.asked)
	}
}

// TestABurstAsksOnce holds that the records of a domain are asked for once.
func TestABurstAsksOnce(t *testing.T) {
	z := &zone{txt: records()}
	j := judge(z)
	for range 20 {
		j.Judge(t.Context(), question(t, signed(t, letter("a@signed.test"), "signed.test")))
	}
	if z.asked > 2 {
		t.Errorf("asked %d times", z.asked)
	}
}

func TestOrganization(t *testing.T) {
	for domain, want := range map[string]string{"a.b.co.uk": "b.co.uk", "mail.shop.example": "shop.example", "shop.example": "shop.example", "localhost": "localhost"} {
		if got := mailauth.Organization(domain); got != want {
			t.Errorf("%s: %s", domain, got)
		}
	}
}

func TestReporterIsTheTopmost(t *testing.T) {
	for want, head := range map[string][]string{
		"":                 {"Received: from a by b"},
		"mx.a.test":        {"Received: from a by b", "Authentication-Results: MX.a.test.; dkim=pass", "Authentication-Results: mx.b.test; none"},
		mailauth.Microsoft: {"Authentication-Results: spf=pass smtp.mailfrom=a.test; dkim=none"},
	} {
		m := question(t, letter("me@a.test", head...))
		if got := mailauth.Reporter(m.Header); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
