package email

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/dnstest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/emersion/go-msgauth/dkim"
)

// signKit is a desk with a mailbox that sends by a server of its own.
type signKit struct {
	*kit
	zone  *dnstest.Zone
	clock *desk.TestClock
	box   *Mailbox
	out   *smtptest.Server
}

func newSignKit(t *testing.T) *signKit {
	t.Helper()
	k := &signKit{zone: &dnstest.Zone{}, clock: desk.NewTestClock(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)), out: smtptest.New(t, smtptest.Options{})}
	k.kit = newKit(t, func(o *Options) { o.Resolver, o.Clock = k.zone, k.clock })
	k.service.patience = time.Second
	k.box = k.add(t, Input{Address: "support@desk.test", SMTP: smtpInput(k.out)})
	return k
}

// key makes a key and returns it.
func (k *signKit) key(t *testing.T) signingKey {
	t.Helper()
	if err := k.service.addKey(k.app, desk.System("test"), k.box.ID, "desk.test"); err != nil {
		t.Fatal(err)
	}
	return k.keys(t)[0]
}

func (k *signKit) keys(t *testing.T) []signingKey {
	t.Helper()
	all, err := loadKeys(k.app, "desk.test")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (k *signKit) check(t *testing.T) {
	t.Helper()
	if err := k.service.CheckSigning(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// send sends a mail and returns what the server got.
func (k *signKit) send(t *testing.T) string {
	t.Helper()
	before := len(k.out.Mails())
	o := rich()
	o.Mailbox = k.box.ID
	result := k.service.Send(t.Context(), o, o.To[0], func(desk.SendState) error { return nil })
	if result.State != desk.SendSent {
		t.Fatalf("not sent: %+v", result)
	}
	return string(k.out.Wait(t, before+1)[before].Data)
}

// signer is the selector whose signature holds, "" when there is none.
func (k *signKit) verified(t *testing.T, raw string) string {
	t.Helper()
	found, err := dkim.VerifyWithOptions(strings.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		return k.zone.LookupTXT(t.Context(), name)
	}})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(found) == 0:
		return ""
	case found[0].Err != nil:
		return "broken: " + found[0].Err.Error()
	case found[0].Domain != "desk.test":
		return "signed for " + found[0].Domain
	}
	return regexp.MustCompile(` s=(\w+);`).FindStringSubmatch(raw)[1]
}

func (k *signKit) lost(t *testing.T) string {
	t.Helper()
	all, err := k.service.SigningLost(k.app)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, l := range all {
		texts = append(texts, l.Text)
	}
	return strings.Join(texts, "\n")
}

func TestMailIsSignedOnceTheRecordIsSeen(t *testing.T) {
	k := newSignKit(t)
	if strings.Contains(k.send(t), "DKIM-Signature") {
		t.Fatal("signed without a key")
	}
	key := k.key(t)
	k.check(t)
	if strings.Contains(k.send(t), "DKIM-Signature") {
		t.Fatal("signed before the record is there")
	}
	k.zone.TXT(key.host(), "v=DKIM1; k=rsa; p=somebodyElses")
	k.check(t)
	if strings.Contains(k.send(t), "DKIM-Signature") {
		t.Fatal("signed though another key is there")
	}
	half := len(key.record()) / 2
	k.zone.TXT(key.host(), key.record()[:half]+"  "+key.record()[half:]) // as some panels break it
	k.check(t)
	if got := k.verified(t, k.send(t)); got != key.selector || key.selector != "deskbell20261124" {
		t.Errorf("signed by %q, want %q", got, key.selector)
	}
	if k.lost(t) != "" {
		t.Error("a warning without a reason")
	}
}

func TestASignatureHolds(t *testing.T) {
	k := newSignKit(t)
	key := k.key(t)
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	raw := k.send(t)
	field := raw[:strings.Index(raw, "\r\nDate:")]
	for _, want := range []string{"a=rsa-sha256", "c=relaxed/relaxed", "d=desk.test", "h=From:From:"} {
		if !strings.Contains(field, want) {
			t.Errorf("%q does not say %q", field, want)
		}
	}
	if len(key.public) < 390 {
		t.Errorf("the key is too short: %d", len(key.public))
	}
	for name, c := range map[string]struct {
		change func(string) string
		holds  bool
	}{
		"spaces at the ends of lines": {func(s string) string { return strings.Replace(s, "Hello\r\n", "Hello  \r\n", 1) + "\r\n\r\n" }, true},
		"a relay's own trace":         {func(s string) string { return "Received: from a by b\r\n" + s }, true},
		"a relay's own Message-ID":    {func(s string) string { return strings.ReplaceAll(s, "<1@desk.test>", "<9@relay.test>") }, true},
		"another From":                {func(s string) string { return "From: Eve <eve@evil.test>\r\n" + s }, false},
		"another Subject":             {func(s string) string { return "Subject: Pay\r\n" + s }, false},
		"another Reply-To":            {func(s string) string { return "Reply-To: eve@evil.test\r\n" + s }, false},
		"a changed body":              {func(s string) string { return strings.Replace(s, "Hello", "Hallo", 1) }, false},
	} {
		if c.change(raw) == raw {
			t.Errorf("%s: nothing was changed", name)
		}
		if got := k.verified(t, c.change(raw)); (got == key.selector) != c.holds {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestARetriedDeliveryDiffersInItsTimeAlone(t *testing.T) {
	k := newSignKit(t)
	key := k.key(t)
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	clean := func(raw string) string {
		raw = regexp.MustCompile(` t=\d+;`).ReplaceAllString(raw, "")
		return regexp.MustCompile(`(?s) b=[^:]*?\r\n(\w)`).ReplaceAllString(raw, "$1")
	}
	first := k.send(t)
	if second := k.send(t); clean(first) != clean(second) || !strings.Contains(clean(first), "bh=") {
		t.Errorf("tried again it is another mail:\n%s\n%s", first, second)
	}
}

func TestSigningStopsWhenTheRecordVanishes(t *testing.T) {
	k := newSignKit(t)
	key := k.key(t)
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	k.zone.Silence(true)
	k.check(t)
	k.zone.Silence(false)
	if k.verified(t, k.send(t)) != key.selector {
		t.Error("not signed any more, because no name server answered")
	}
	k.zone.TXT(key.host())
	k.check(t)
	if raw := k.send(t); strings.Contains(raw, "DKIM-Signature") {
		t.Error("still signed, though nobody can verify it")
	}
	if text := k.lost(t); !strings.Contains(text, key.host()) || !strings.Contains(text, "not signed any more") {
		t.Errorf("the warning says %q", text)
	}
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	if k.verified(t, k.send(t)) != key.selector || k.lost(t) != "" {
		t.Error("not signed again")
	}
}

func TestTheOldKeySignsUntilTheNewOneIsSeen(t *testing.T) {
	k := newSignKit(t)
	old := k.key(t)
	k.zone.TXT(old.host(), old.record())
	k.check(t)
	k.clock.Advance(24 * time.Hour)
	next := k.key(t)
	if next.selector == old.selector || next.public == old.public {
		t.Fatal("the new key is the old one")
	}
	k.check(t)
	if k.verified(t, k.send(t)) != old.selector {
		t.Error("the new key signs before its record is seen")
	}
	k.zone.TXT(next.host(), next.record())
	k.check(t)
	if k.verified(t, k.send(t)) != next.selector {
		t.Error("the new key does not sign")
	}
	k.zone.TXT(next.host())
	k.check(t)
	if k.verified(t, k.send(t)) != old.selector || k.lost(t) != "" {
		t.Error("the old key does not take over")
	}
	k.zone.TXT(next.host(), next.record())
	k.check(t)
	k.clock.Advance(6 * 24 * time.Hour)
	k.check(t)
	if len(k.keys(t)) != 2 {
		t.Error("the old key is gone while its mails are on their way")
	}
	k.clock.Advance(25 * time.Hour)
	k.check(t)
	if all := k.keys(t); len(all) != 1 || all[0].selector != next.selector {
		t.Errorf("after a week: %+v", all)
	}
}

func TestTwoKeysOnOneDayHaveTwoSelectors(t *testing.T) {
	k := newSignKit(t)
	first := k.key(t)
	k.clock.Advance(time.Minute)
	if second := k.key(t); second.selector != first.selector+"b" {
		t.Errorf("got %s after %s", second.selector, first.selector)
	}
}

func TestWhoSignsIsTheOwnersWish(t *testing.T) {
	k := newSignKit(t)
	key := k.key(t)
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	sandbox := *k.box
	sandbox.Kind = KindSandbox
	gmail, none := *k.box, *k.box
	gmail.SMTP, none.SMTP = &Server{Host: "SMTP.gmail.com"}, nil
	for _, c := range []struct {
		name    string
		wish    Signing
		box     Mailbox
		address string
		want    bool
	}{
		{"own server", SigningAuto, *k.box, "support@desk.test", true},
		{"case of the domain", SigningAuto, *k.box, "Support@DESK.test", true},
		{"a server that signs itself", SigningAuto, gmail, "support@desk.test", false},
		{"a server that signs itself, but wished", SigningOn, gmail, "support@desk.test", true},
		{"not wished", SigningOff, *k.box, "support@desk.test", false},
		{"another domain", SigningOn, *k.box, "support@other.test", false},
		{"a host of the domain", SigningOn, *k.box, "support@mail.desk.test", false},
		{"the sandbox", SigningOn, sandbox, "support@desk.test", false},
		{"no server", SigningOn, none, "support@desk.test", false},
	} {
		if err := saveSigning(k.app, "desk.test", c.wish); err != nil {
			t.Fatal(err)
		}
		k.service.signers.forget()
		if by, _, err := k.service.signerFor(c.box, c.address); (by != nil) != c.want || err != nil {
			t.Errorf("%s: %v, %v", c.name, by, err)
		}
	}
}

func TestKeysAreSealedAndALostOneIsNoObstacle(t *testing.T) {
	k := newSignKit(t)
	key := k.key(t)
	k.zone.TXT(key.host(), key.record())
	k.check(t)
	if !strings.HasPrefix(key.private, "s1.") {
		t.Errorf("the private key is not sealed: %.20s", key.private)
	}
	pair, err := key.open(k.service.options.Box)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(k.app.DataDir(), "data.db"))
	if err != nil || bytes.Contains(data, pair.D.Bytes()) {
		t.Errorf("the private key stands in the database: %v", err)
	}
	other := key
	other.private = strings.Replace(key.private, "s1.", "s1.AAAA", 1) // as after a restore with another key of the desk
	if err := removeKey(k.app, key); err != nil {
		t.Fatal(err)
	}
	if err := saveKey(k.app, other); err != nil {
		t.Fatal(err)
	}
	k.service.signers.forget()
	if raw := k.send(t); strings.Contains(raw, "DKIM-Signature") {
		t.Error("signed by a key that can't be opened")
	}
	if len(usable(k.keys(t), k.service.options.Box)) != 0 {
		t.Error("a key that can't be opened is offered")
	}
}

func TestCheckSigningEndsWithItsContext(t *testing.T) {
	k := newSignKit(t)
	k.key(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.service.CheckSigning(ctx); err == nil {
		t.Error("a cut check counts as done")
	}
}
