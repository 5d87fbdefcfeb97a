package story_test

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/desktest/dnstest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/emersion/go-msgauth/dkim"
)

// dnsPage is what tests look at of the page about a mailbox's domain.
type dnsPage struct {
	Domain  string
	Owner   *string
	Text    string
	Checked *string
	Signing *struct{ Wish, State string }
	Items   []email.Record
}

func (p dnsPage) record(id string) email.Record {
	for _, r := range p.Items {
		if r.ID == id {
			return r
		}
	}
	return email.Record{}
}

// TestRecordsAreCheckedAndMailIsSigned sets up the records of a domain as an
// owner does: look, copy, check; then mail is signed, until a record vanishes.
func TestRecordsAreCheckedAndMailIsSigned(t *testing.T) {
	t.Parallel()
	sink, zone := smtptest.New(t, smtptest.Options{}), &dnstest.Zone{}
	d := desktest.Start(t, desktest.Options{SMTP: &desktest.Server{Port: sink.Port()}, Names: zone})
	var boxes struct{ Items []struct{ ID string } }
	d.Get("/api/desk/mailboxes", &boxes)
	path := "/api/desk/mailboxes/" + boxes.Items[0].ID + "/dns"
	var page dnsPage
	d.Get(path, &page)
	if page.Domain != "desk.test" || page.Checked != nil || page.record("dkim").Value != "" || zone.Asked() != 0 {
		t.Errorf("at first: %+v", page)
	}
	d.Call("POST", path+"/check", d.Token, nil, 200, &page)
	key := page.record("dkim")
	if page.Checked == nil || key.State != email.RecordMissing || !strings.HasPrefix(key.Name, "deskbell") || page.Signing.State != "waiting" {
		t.Errorf("after a check: %+v", page)
	}
	zone.TXT(key.Name, key.Value)
	zone.TXT("desk.test", "v=spf1 ip4:203.0.113.1 -all")
	zone.TXT("_dmarc.desk.test", page.record("dmarc").Value)
	d.Call("POST", path+"/check", d.Token, nil, 200, &page)
	if page.record("dkim").State != email.RecordOK || page.record("dmarc").State != email.RecordOK || page.record("spf").State != email.RecordUnknown || page.Signing.State != "on" {
		t.Errorf("with records: %+v", page)
	}

	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "Broken pole", "It snapped."))
	number := d.WaitTickets(1)[0].Number
	reply(d, number, map[string]any{"body": "<p>On its way.</p>", "undo_s": 0}, 201)
	raw := string(sink.Wait(t, 1)[0].Data)
	found, err := dkim.VerifyWithOptions(strings.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return zone.LookupTXT(t.Context(), name) }})
	if err != nil || len(found) != 1 || found[0].Err != nil || found[0].Domain != "desk.test" {
		t.Errorf("the reply is not signed: %+v, %v\n%s", found, err, raw)
	}

	zone.TXT(key.Name)
	d.Call("POST", "/api/desk/jobs/mail.signing/run", d.Token, nil, 202, nil)
	var me struct{ Banners []struct{ ID, Text string } }
	d.Eventually("a banner about the vanished record", func() bool {
		d.Get("/api/desk/me", &me)
		for _, b := range me.Banners {
			if b.ID == "signing:desk.test" && strings.Contains(b.Text, key.Name) {
				return true
			}
		}
		return false
	})
	reply(d, number, map[string]any{"body": "<p>One more thing.</p>", "undo_s": 0}, 201)
	if raw := string(sink.Wait(t, 2)[1].Data); strings.Contains(raw, "DKIM-Signature") {
		t.Error("signed though nobody can verify it")
	}
	d.Call("PATCH", path, d.Token, map[string]string{"signing": "off"}, 200, &page)
	d.Get("/api/desk/me", &me)
	if page.Signing.State != "off" || len(me.Banners) != 0 {
		t.Errorf("switched off: %+v %+v", page.Signing, me.Banners)
	}
}

func TestRecordsThatAreNotOursAndBadInput(t *testing.T) {
	t.Parallel()
	zone := &dnstest.Zone{}
	d := desktest.Start(t, desktest.Options{Names: zone})
	var box struct{ ID string }
	d.Call("POST", "/api/desk/mailboxes", d.Token, map[string]any{"address": "my.desk@gmail.com"}, 201, &box)
	theirs := "/api/desk/mailboxes/" + box.ID + "/dns"
	for _, path := range []string{theirs, theirs + "/check"} {
		var page dnsPage
		method := "GET"
		if strings.HasSuffix(path, "/check") {
			method = "POST"
		}
		d.Call(method, path, d.Token, nil, 200, &page)
		if page.Owner == nil || *page.Owner != "Gmail" || !strings.Contains(page.Text, "nothing to do") || page.Items == nil || len(page.Items) != 0 || page.Signing != nil {
			t.Errorf("%s: %+v", path, page)
		}
	}
	if zone.Asked() != 0 {
		t.Error("the records of a provider were asked for")
	}
	var boxes struct {
		Items []struct{ ID, Address string }
	}
	d.Get("/api/desk/mailboxes", &boxes)
	ours := "/api/desk/mailboxes/" + boxes.Items[0].ID + "/dns"
	_, associate := hire(d, "Jo", []desk.Role{desk.RoleAssociate})
	for _, c := range []struct {
		method, path, token string
		in                  any
		status              int
		says                string
	}{
		{"GET", ours, associate, nil, 403, ""},
		{"GET", "/api/desk/mailboxes/nosuchmailbox00/dns", d.Token, nil, 404, "no such mailbox"},
		{"POST", "/api/desk/mailboxes/nosuchmailbox00/dns/check", d.Token, nil, 404, "no such mailbox"},
		{"PATCH", ours, d.Token, map[string]string{"signing": "maybe"}, 400, "auto, on or off"},
		{"PATCH", theirs, d.Token, map[string]string{"signing": "on"}, 422, "nothing to do"},
		{"POST", theirs + "/key", d.Token, nil, 422, "nothing to do"},
		{"POST", "/api/desk/mail/ports", d.Token, map[string]string{"host": "http://x"}, 400, "no host name"},
		{"POST", "/api/desk/certificates/retry", d.Token, nil, 422, "no domain"},
	} {
		if status, body := d.Call(c.method, c.path, c.token, c.in, 0, nil); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
	var list struct{ Items []any }
	if d.Get("/api/desk/certificates", &list); list.Items == nil || len(list.Items) != 0 {
		t.Errorf("certificates: %+v", list)
	}
	var ways struct {
		Items    []struct{ ID string }
		Listener *string
	}
	if d.Get("/api/desk/mail/ways", &ways); len(ways.Items) != 4 || ways.Listener == nil {
		t.Errorf("ways: %+v", ways)
	}
}
