package email

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/dnstest"
)

// domainView asks a zone everything about a mailbox's domain and returns what
// the records are judged by.
func domainView(t *testing.T, box Mailbox, zone *dnstest.Zone, names ...string) dnsView {
	t.Helper()
	s := &Service{options: Options{Resolver: zone}, patience: 300 * time.Millisecond, logger: slog.New(slog.DiscardHandler)}
	v := dnsView{box: box, names: names, domain: mailDomain{name: mailDomainOf(box.Address), signing: SigningAuto}}
	v.domain.found = s.askAll(t.Context(), box, v.domain.name, nil)
	return v
}

func recordOf(all []Record, id string) Record {
	if i := slices.IndexFunc(all, func(r Record) bool { return r.ID == id }); i >= 0 {
		return all[i]
	}
	return Record{}
}

// sending is a mailbox that is fetched and sends by a host.
func sending(imap, smtp string) Mailbox {
	return Mailbox{ID: "box", Address: "support@desk.test", Kind: KindIMAP, IMAP: &Server{Host: imap}, SMTP: &Server{Host: smtp}}
}

func TestSPFRecord(t *testing.T) {
	for _, c := range []struct {
		name, smtp string
		zone       func(*dnstest.Zone)
		state      RecordState
		value      string
		says       string
	}{
		{"none, known carrier", "smtp.gmail.com", nil, RecordMissing, "v=spf1 include:_spf.google.com ~all", "Add this TXT record"},
		{"none, own server", "mail.desk.test", nil, RecordMissing, "v=spf1 a:mail.desk.test ~all", "Add this TXT record"},
		{"none, server by its address", "203.0.113.5", nil, RecordMissing, "v=spf1 ip4:203.0.113.5 ~all", "Add"},
		{"there", "smtp.gmail.com", func(z *dnstest.Zone) { z.TXT("desk.test", "x=1", "v=spf1 include:_spf.google.com -all") }, RecordOK, "v=spf1 include:_spf.google.com -all", "may send"},
		{"in capitals", "smtp.gmail.com", func(z *dnstest.Zone) { z.TXT("desk.test", "V=SPF1 +INCLUDE:_spf.google.com -ALL") }, RecordOK, "V=SPF1 +INCLUDE:_spf.google.com -ALL", "may send"},
		{"of another sender", "smtp.gmail.com", func(z *dnstest.Zone) { z.TXT("desk.test", "v=spf1 ip4:192.0.2.1 include:shop.test -all") }, RecordDiffers, "v=spf1 ip4:192.0.2.1 include:shop.test include:_spf.google.com -all", "does not name smtp.gmail.com"},
		{"one behind another", "smtp.gmail.com", func(z *dnstest.Zone) {
			z.TXT("desk.test", "v=spf1 include:all.test ~all")
			z.TXT("all.test", "v=spf1 redirect=more.test")
			z.TXT("more.test", "v=spf1 include:_spf.google.com -all")
		}, RecordOK, "v=spf1 include:all.test ~all", "may send"},
		{"led elsewhere", "smtp.gmail.com", func(z *dnstest.Zone) { z.TXT("desk.test", "v=spf1 redirect=all.test") }, RecordDiffers, "v=spf1 include:_spf.google.com redirect=all.test", "Replace it"},
		{"leads to itself", "smtp.gmail.com", func(z *dnstest.Zone) { z.TXT("desk.test", "v=spf1 include:desk.test ~all") }, RecordDiffers, "v=spf1 include:desk.test include:_spf.google.com ~all", "Replace it"},
		{"two", "smtp.gmail.com", func(z *dnstest.Zone) {
			z.TXT("desk.test", "v=spf1 include:_spf.google.com -all", "v=spf1 ip4:192.0.2.1 include:_spf.google.com ~all")
		}, RecordDiffers, "v=spf1 include:_spf.google.com ip4:192.0.2.1 -all", "more than one"},
		{"too long", "smtp.gmail.com", func(z *dnstest.Zone) {
			z.TXT("desk.test", "v=spf1 a mx a:b.test a:c.test a:d.test a:e.test a:f.test a:g.test a:h.test a:i.test include:_spf.google.com ~all")
		}, RecordDiffers, "v=spf1 a mx a:b.test a:c.test a:d.test a:e.test a:f.test a:g.test a:h.test a:i.test include:_spf.google.com ~all", "more than ten"},
		{"own server, allowed by its address", "mail.desk.test", func(z *dnstest.Zone) {
			z.Host("mail.desk.test", "203.0.113.9", "2001:db8::9")
			z.TXT("desk.test", "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all")
		}, RecordOK, "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all", "may send"},
		{"own server, one address not allowed", "mail.desk.test", func(z *dnstest.Zone) {
			z.Host("mail.desk.test", "203.0.113.9", "2001:db8::9")
			z.TXT("desk.test", "v=spf1 ip4:203.0.113.0/24 -all")
		}, RecordDiffers, "v=spf1 ip4:203.0.113.0/24 a:mail.desk.test -all", "other servers"},
		{"nobody answers", "smtp.gmail.com", func(z *dnstest.Zone) { z.Silence(true) }, RecordUnknown, "", "Check again"},
		{"a server on this machine", "localhost", nil, RecordMissing, "v=spf1 a:help.desk.test ~all", "Add"},
		{"a server of our network", "mail.lan.test", func(z *dnstest.Zone) { z.Host("mail.lan.test", "10.0.0.5") }, RecordMissing, "v=spf1 a:help.desk.test ~all", "Add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := &dnstest.Zone{}
			if c.zone != nil {
				c.zone(zone)
			}
			r := recordOf(domainView(t, sending("imap.x.test", c.smtp), zone, "help.desk.test").records(), "spf")
			if r.State != c.state || r.Value != c.value || !strings.Contains(r.Text, c.says) || r.Name != "desk.test" || r.Type != "TXT" {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestSPFOfAServerThatNobodyKnows(t *testing.T) {
	zone := &dnstest.Zone{}
	zone.TXT("desk.test", "v=spf1 mx -all")
	r := recordOf(domainView(t, sending("imap.x.test", "localhost"), zone).records(), "spf")
	if r.State != RecordUnknown || r.Value != "" || len(r.Found) != 1 || !strings.Contains(r.Text, "public address") {
		t.Errorf("got %+v", r)
	}
}

func TestMXRecord(t *testing.T) {
	for _, c := range []struct {
		name, imap string
		mx         []string
		state      RecordState
		value      string
		says       string
	}{
		{"none", "imap.x.test", nil, RecordMissing, "", "provider where this mailbox is"},
		{"none, at Gmail", "imap.gmail.com", nil, RecordMissing, "10 smtp.google.com", "Gmail names"},
		{"none, at Microsoft", "outlook.office365.com", nil, RecordMissing, "10 desk-test.mail.protection.outlook.com", "Microsoft 365 names"},
		{"somewhere", "imap.x.test", []string{"mx.x.test"}, RecordOK, "", "goes to mx.x.test"},
		{"at Gmail", "imap.gmail.com", []string{"ASPMX.L.GOOGLE.COM."}, RecordOK, "10 smtp.google.com", "goes to aspmx.l.google.com"},
		{"elsewhere", "imap.gmail.com", []string{"mx.notgoogle.com"}, RecordDiffers, "10 smtp.google.com", "not to Gmail"},
		{"refused", "imap.x.test", []string{"."}, RecordMissing, "", "No server takes mail"},
	} {
		zone := &dnstest.Zone{}
		zone.MX("desk.test", c.mx...)
		r := recordOf(domainView(t, sending(c.imap, "smtp.x.test"), zone).records(), "mx")
		if r.State != c.state || r.Value != c.value || !strings.Contains(r.Text, c.says) || r.Type != "MX" {
			t.Errorf("%s: got %+v", c.name, r)
		}
	}
}

func TestForwarding(t *testing.T) {
	box := Mailbox{ID: "0123456789abcde", Address: "support@desk.test", Kind: KindForward}
	zone := &dnstest.Zone{}
	r := recordOf(domainView(t, box, zone).records(), "forward")
	if r.State != RecordMissing || r.Value != "" || !strings.Contains(r.Text, "deskbell serve") {
		t.Errorf("without a name: %+v", r)
	}
	v := domainView(t, box, zone, "help.desk.test")
	r = recordOf(v.records(), "forward")
	if r.State != RecordUnknown || r.Value != "0123456789abcde@help.desk.test" || len(v.records()) != 1 {
		t.Errorf("got %+v", v.records())
	}
	v.arrived = true
	if r = recordOf(v.records(), "forward"); r.State != RecordOK {
		t.Errorf("once mail arrives: %+v", r)
	}
	zone.MX("desk.test", "help.desk.test")
	if r = recordOf(domainView(t, box, zone, "help.desk.test").records(), "forward"); r.State != RecordOK || r.Value != "" {
		t.Errorf("when mail comes straight here: %+v", r)
	}
}

func TestDMARCRecord(t *testing.T) {
	for _, c := range []struct {
		name, address string
		zone          func(*dnstest.Zone)
		state         RecordState
		at, says      string
	}{
		{"none", "a@desk.test", nil, RecordMissing, "_dmarc.desk.test", "Add this record"},
		{"watching", "a@desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "v=DMARC1;p=none") }, RecordOK, "_dmarc.desk.test", "watch"},
		{"refusing", "a@desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "v=DMARC1; p=reject; rua=mailto:x@y.test") }, RecordOK, "_dmarc.desk.test", "refuse"},
		{"two", "a@desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "v=DMARC1; p=none", "v=DMARC1; p=reject") }, RecordDiffers, "_dmarc.desk.test", "more than one"},
		{"without a policy", "a@desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "v=DMARC1; rua=mailto:x@y.test") }, RecordDiffers, "_dmarc.desk.test", "no p="},
		{"of the organization", "a@mail.desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "v=DMARC1; p=none") }, RecordOK, "_dmarc.desk.test", "watch"},
		{"of another kind", "a@desk.test", func(z *dnstest.Zone) { z.TXT("_dmarc.desk.test", "hello") }, RecordMissing, "_dmarc.desk.test", "Add this record"},
		{"nobody answers", "a@mail.desk.test", func(z *dnstest.Zone) { z.Silence(true) }, RecordUnknown, "_dmarc.mail.desk.test", "Check again"},
	} {
		zone := &dnstest.Zone{}
		if c.zone != nil {
			c.zone(zone)
		}
		box := sending("imap.x.test", "smtp.x.test")
		box.Address = c.address
		r := recordOf(domainView(t, box, zone).records(), "dmarc")
		if r.State != c.state || r.Name != c.at || !strings.Contains(r.Text, c.says) || r.Value == "" || r.Found == nil {
			t.Errorf("%s: got %+v", c.name, r)
		}
	}
}

func TestDKIMRecord(t *testing.T) {
	k := newSignKit(t)
	view := func() (Record, shownSigning) {
		t.Helper()
		v, err := k.service.view(k.app, *k.box, "desk.test")
		if err != nil {
			t.Fatal(err)
		}
		return recordOf(v.records(), "dkim"), v.signing()
	}
	if r, s := view(); r.State != RecordUnknown || r.Value != "" || s.State != "waiting" || s.Next != nil {
		t.Errorf("without a key: %+v %+v", r, s)
	}
	key := k.key(t)
	if r, s := view(); r.State != RecordUnknown || r.Name != key.host() || r.Value != key.record() || s.Next == nil || *s.Next != key.selector {
		t.Errorf("unasked: %+v %+v", r, s)
	}
	k.check(t)
	if r, _ := view(); r.State != RecordMissing {
		t.Errorf("asked: %+v", r)
	}
	k.zone.TXT(key.host(), "v=DKIM1; k=rsa; p=")
	k.check(t)
	if r, _ := view(); r.State != RecordDiffers || len(r.Found) != 1 {
		t.Errorf("revoked: %+v", r)
	}
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	if r, s := view(); r.State != RecordOK || s.State != "on" || *s.Selector != key.selector || s.Since == nil || s.Next != nil {
		t.Errorf("seen: %+v %+v", r, s)
	}
	k.zone.TXT(key.host())
	k.check(t)
	if r, s := view(); r.State != RecordMissing || s.State != "lost" || s.Since == nil || !strings.Contains(s.Text, "gone") {
		t.Errorf("lost: %+v %+v", r, s)
	}
	k.box.SMTP.Host = "smtp.gmail.com"
	if r, s := view(); r.Value != "" || !strings.Contains(r.Text, "Gmail signs mail itself") || s.State != "provider" {
		t.Errorf("at Gmail: %+v %+v", r, s)
	}
	if err := saveSigning(k.app, "desk.test", SigningOff); err != nil {
		t.Fatal(err)
	}
	if r, s := view(); r.ID != "" || s.State != "off" {
		t.Errorf("off: %+v %+v", r, s)
	}
}

func TestALookNeverWaitsLong(t *testing.T) {
	zone := &dnstest.Zone{}
	zone.Silence(true)
	start := time.Now()
	v := domainView(t, sending("imap.x.test", "smtp.x.test"), zone)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	for _, r := range v.records() {
		if r.State != RecordUnknown {
			t.Errorf("got %+v", r)
		}
	}
	if dnsPatience > 5*time.Second {
		t.Error("the usual patience is more than a few seconds")
	}
}

func TestOwnerOfADomain(t *testing.T) {
	for domain, want := range map[string]string{
		"gmail.com": "Gmail", "Outlook.com": "Microsoft 365", "hotmail.co.uk": "hotmail.co.uk", "yahoo.de": "yahoo.de", "web.de": "web.de", "icloud.com": "iCloud Mail",
		"co.uk": "co.uk", "localhost": "localhost",
		"desk.test": "", "yahoo.desk.test": "", "mygmail.com": "", "mail.example.com": "", "gmail.example": "gmail.example",
	} {
		if got, theirs := ownerOf(domain); got != want || theirs != (want != "") {
			t.Errorf("%s: %q, %v", domain, got, theirs)
		}
	}
}

func TestCarriersAreComplete(t *testing.T) {
	ids := map[string]bool{}
	for _, c := range carriers {
		if ids[c.id] || c.name == "" || len(c.hosts) == 0 || c.smtp == nil || (c.imap == nil) != c.relay || c.user == "" {
			t.Errorf("%s is not complete", c.id)
		}
		ids[c.id] = true
		for _, s := range []*Server{c.imap, c.smtp} {
			if s != nil && carrierOf(s).id != c.id {
				t.Errorf("%s is taken for %s", s.Host, carrierOf(s).id)
			}
		}
	}
	if carrierOf(&Server{Host: "imap.notgmail.com"}) != nil || carrierOf(nil) != nil {
		t.Error("a stranger is taken for a carrier")
	}
}

func TestMailToTheBuiltInAddressIsTaken(t *testing.T) {
	k := newKit(t, func(o *Options) { o.SMTPAddr, o.Names = "127.0.0.1:0", []string{"help.desk.test"} })
	box := k.add(t, Input{Address: "support@desk.test"})
	for address, want := range map[string]bool{
		box.ID + "@help.desk.test": true, strings.ToUpper(box.ID) + "@HELP.desk.test": true, box.ID + "+tag@help.desk.test": true, "support@desk.test": true,
		box.ID + "@desk.test": false, "support@help.desk.test": false, desk.NewID(time.Now()) + "@help.desk.test": false,
	} {
		if id, ok, err := k.boxes.For(address); ok != want || ok && id != box.ID || err != nil {
			t.Errorf("%s: %q %v %v", address, id, ok, err)
		}
	}
}
