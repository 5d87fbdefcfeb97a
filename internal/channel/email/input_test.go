package email

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		protocol, url string
		want          Server
	}{
		{"smtp", "smtp://user:pass@mail.example.com:2525", Server{Host: "mail.example.com", Port: 2525, Security: SecurityOpportunistic, User: "user", Password: "pass"}},
		{"smtp", "smtp://127.0.0.1:2525", Server{Host: "127.0.0.1", Port: 2525, Security: SecurityOpportunistic, User: "", Password: ""}},
		{"smtp", "smtp://[::1]:25?tls=off", Server{Host: "::1", Port: 25, Security: SecurityNone, User: "", Password: ""}},
		{"smtp", "smtps://a%40b.example:p%3A%2F%23%40%20x@mail.example.com", Server{Host: "mail.example.com", Port: 465, Security: SecurityTLS, User: "a@b.example", Password: "p:/#@ x"}},
		{"smtp", "smtp+starttls://u:p@mail.example.com/", Server{Host: "mail.example.com", Port: 587, Security: SecurityStartTLS, User: "u", Password: "p"}},
		{"imap", "imap://u:p@mail.example.com", Server{Host: "mail.example.com", Port: 143, Security: SecurityOpportunistic, User: "u", Password: "p"}},
		{"imap", "imaps://u:p@mail.example.com", Server{Host: "mail.example.com", Port: 993, Security: SecurityTLS, User: "u", Password: "p"}},
		{"imap", "IMAP+STARTTLS://u:p@Mail.Example.com:144", Server{Host: "mail.example.com", Port: 144, Security: SecurityStartTLS, User: "u", Password: "p"}},
		{"imap", "imap://u:p@bücher.example", Server{Host: "xn--bcher-kva.example", Port: 143, Security: SecurityOpportunistic, User: "u", Password: "p"}},
	} {
		in, err := ParseURL(c.protocol, c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		got, err := in.server(c.protocol, nil, false)
		if err != nil || !strings.EqualFold(got.Host, c.want.Host) {
			t.Errorf("%s: %+v, %v", c.url, got, err)
			continue
		}
		got.Host = c.want.Host
		if *got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.url, *got, c.want)
		}
	}
}

func TestParseURLMistakes(t *testing.T) {
	for url, says := range map[string]string{
		"":                                       "is empty",
		"mail.example.com:25":                    "must begin with smtp://",
		"http://mail.example.com":                "must begin with smtp://",
		"imap://u:geheim@mail.example.com":       "must begin with smtp://",
		"smtp://u:geheim@":                       "no host name",
		"smtp://u:ge@heim@x y":                   "can't be read",
		"smtp://mail.example.com:99999":          "port",
		"smtp://mail.example.com:x":              "can't be read",
		"smtp://mail.example.com/inbox":          "nothing behind host",
		"smtp://u:ge#heim@mail.example.com":      "",
		"smtp://mail.example.com?tls=on":         "only option",
		"smtp://mail.example.com?ssl=off":        "only option",
		"smtps://mail.example.com?tls=off":       "contradicts",
		"smtp://u@mail.example.com":              "password",
		"smtp://:geheim@mail.example.com":        "user",
		"smtp://u:ge%0D%0Aheim@mail.example.com": "one line",
	} {
		_, err := ParseURL("smtp", url)
		if err == nil || !strings.HasPrefix(err.Error(), "--smtp-url: ") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "heim") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestMailboxInput(t *testing.T) {
	good := func() Input {
		return Input{Address: " Support@Example.com ", Name: "Help\r\ndesk", IMAP: &ServerInput{Host: "imap.example.com", User: "u", Password: ptr("p")}}
	}
	box, err := good().mailbox(nil)
	if err != nil {
		t.Fatal(err)
	}
	if box.Address != "Support@Example.com" || box.Name != "Help desk" || box.Kind != KindIMAP || box.IMAP.Port != 143 || box.IMAP.Security != SecurityOpportunistic {
		t.Errorf("got %+v, %+v", box, box.IMAP)
	}
	for name, c := range map[string]struct {
		change func(*Input)
		field  string
	}{
		"no address":     {func(in *Input) { in.Address = "" }, "address"},
		"two addresses":  {func(in *Input) { in.Address = "a@b.example, c@d.example" }, "address"},
		"line feed":      {func(in *Input) { in.Address = "a@b.example\nx" }, "address"},
		"url as host":    {func(in *Input) { in.IMAP.Host = "https://imap.example.com/" }, "imap.host"},
		"no host":        {func(in *Input) { in.IMAP.Host = " " }, "imap.host"},
		"port":           {func(in *Input) { in.IMAP.Port = 70000 }, "imap.port"},
		"security":       {func(in *Input) { in.IMAP.Security = "ssl" }, "imap.security"},
		"no password":    {func(in *Input) { in.IMAP.Password = nil }, "imap.password"},
		"no user":        {func(in *Input) { in.IMAP.User = "" }, "imap.user"},
		"line in secret": {func(in *Input) { in.IMAP.Password = ptr("a\r\nb") }, "imap.password"},
	} {
		in := good()
		c.change(&in)
		_, err := in.mailbox(nil)
		if desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e := err.(*desk.Error); e.Data[c.field] == nil { //nolint:errorlint // returned as it is
			t.Errorf("%s: the error is about %v, want %s", name, e.Data, c.field)
		}
	}
}

func TestKey(t *testing.T) {
	for address, want := range map[string]string{
		"Support@Example.COM": "support@example.com", "support+t12.abc@example.com": "support@example.com", "support@example.com.": "support@example.com",
		"+x@example.com": "+x@example.com", "a+b+c@example.com": "a@example.com", "nobody": "", "@x": "", "x@": "",
	} {
		if got := key(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestMailboxesKeepTheirSecrets(t *testing.T) {
	k := newKit(t)
	box := k.add(t, Input{Address: "support@desk.invalid", IMAP: &ServerInput{Host: "imap.example.com", User: "u", Password: ptr("geheim")}, SMTP: &ServerInput{Host: "smtp.example.com", User: "u", Password: ptr("geheim")}})
	var imap, smtp string
	if err := k.app.DB().NewQuery("SELECT imap_password, smtp_password FROM mailboxes").Row(&imap, &smtp); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(imap, "s1.") || imap == smtp || strings.Contains(imap+smtp, "geheim") {
		t.Errorf("stored as %q and %q", imap, smtp)
	}
	by := desk.System("test")

	// The stored password goes on to no other server or user.
	for _, in := range []*ServerInput{{Host: "evil.example.com", User: "u"}, {Host: "imap.example.com", User: "other"}} {
		if _, err := k.boxes.Change(by, box.ID, Patch{IMAP: in}, Look{}); desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%+v: %v", in, err)
		}
	}
	changed, err := k.boxes.Change(by, box.ID, Patch{Name: ptr("Help"), IMAP: &ServerInput{Host: "IMAP.example.com", Port: 993, Security: SecurityTLS, User: "u"}}, Look{})
	if err != nil || changed.IMAP.Password != "geheim" || changed.Name != "Help" || changed.IMAP.Port != 993 || !changed.Since.Equal(desk.Time(desk.Millis(box.Since))) {
		t.Errorf("got %+v, %v", changed, err)
	}
	if changed, err = k.boxes.Change(by, box.ID, Patch{DropIMAP: true}, Look{}); err != nil || changed.Kind != KindForward || changed.IMAP != nil {
		t.Errorf("got %+v, %v", changed, err)
	}
	if err := k.boxes.Remove(by, box.ID); err != nil {
		t.Fatal(err)
	}
	if err := k.boxes.Remove(by, box.ID); desk.CodeOf(err) != desk.NotFound {
		t.Errorf("removed twice: %v", err)
	}
	var kinds string
	if err := k.app.DB().NewQuery("SELECT group_concat(kind, ' ') FROM (SELECT kind FROM events WHERE kind LIKE 'mailbox%' ORDER BY seq)").Row(&kinds); err != nil {
		t.Fatal(err)
	}
	if kinds != "mailbox.connected mailbox.changed mailbox.changed mailbox.removed" {
		t.Errorf("the log says %q", kinds)
	}
}

func TestMailboxesRefuse(t *testing.T) {
	k := newKit(t)
	k.add(t, Input{Address: "support@desk.invalid"})
	for name, in := range map[string]Input{
		"same address": {Address: "Support@DESK.invalid"},
		"its tag":      {Address: "support+x@desk.invalid"},
		"no such team": {Address: "sales@desk.invalid", Team: "nope"},
	} {
		err := k.app.RunInTransaction(func(tx core.App) error {
			_, err := k.boxes.Add(tx, desk.System("test"), in, Look{})
			return err
		})
		if desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	all, err := k.boxes.All(k.app)
	if err != nil || len(all) != 1 {
		t.Errorf("%d mailboxes, %v", len(all), err)
	}
}

func TestDirectoryFollowsForeignChanges(t *testing.T) {
	k := newKit(t)
	box := k.add(t, Input{Address: "support@desk.invalid"})
	if id, ok, err := k.boxes.For("SUPPORT+t1@desk.invalid"); id != box.ID || !ok || err != nil {
		t.Errorf("got %q, %v, %v", id, ok, err)
	}
	record, err := k.app.FindRecordById("mailboxes", box.ID) // as PocketBase's admin UI does
	if err != nil {
		t.Fatal(err)
	}
	record.Set("address", "help@desk.invalid")
	if err := k.app.Save(record); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := k.boxes.For("support@desk.invalid"); ok {
		t.Error("the old address is still ours")
	}
	if ours, _ := k.boxes.Ours(k.app, "help@desk.invalid"); !ours {
		t.Error("the new address is not ours")
	}
}

func TestSenderOf(t *testing.T) {
	k := newKit(t)
	if _, _, _, err := k.boxes.SenderOf(k.app, "gone"); desk.CodeOf(err) != desk.Refused {
		t.Errorf("without any mailbox: %v", err)
	}
	var sandbox *Mailbox
	err := k.app.RunInTransaction(func(tx core.App) (err error) {
		sandbox, err = k.boxes.AddSandbox(tx, desk.System("test"), "support@desk.invalid", "Support", "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := k.boxes.SenderOf(k.app, sandbox.ID); desk.CodeOf(err) != desk.Refused {
		t.Errorf("a sandbox that is off: %v", err)
	}
	k.boxes.SetSandbox(&Sandbox{})
	if id, _, plus, err := k.boxes.SenderOf(k.app, sandbox.ID); id != sandbox.ID || !plus || err != nil {
		t.Errorf("a sandbox that is on: %q, %v, %v", id, plus, err)
	}
	k.boxes.SetSandbox(nil)
	real := k.add(t, Input{Address: "support@desk.invalid", Name: "Support", SMTP: &ServerInput{Host: "smtp.example.com"}})
	id, from, plus, err := k.boxes.SenderOf(k.app, "gone")
	if id != real.ID || from != (desk.Address{Name: "Support", Address: "support@desk.invalid"}) || plus || err != nil {
		t.Errorf("got %q, %v, %v, %v", id, from, plus, err)
	}
}
