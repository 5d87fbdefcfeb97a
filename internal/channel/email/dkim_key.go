package email

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/pocketbase/pocketbase/core"
)

const (
	keyBits     = 2048               // RSA: not every receiver verifies Ed25519 (RFC 8463), and DNS takes no longer ones well
	retireAfter = 7 * 24 * time.Hour // mail signed with an old key is on its way no longer
)

// signingKey is the pair with which mail from a domain is signed. Its public
// half stands in the DNS, under the selector.
type signingKey struct {
	domain   string
	selector string
	private  string // sealed
	public   string // base64, as in the record
	created  time.Time
	seen     time.Time // since when its record is in the DNS, zero while it is not
	lost     time.Time // when its record vanished, zero when it never did
}

// host is where the record of the key belongs.
func (k signingKey) host() string { return k.selector + "._domainkey." + k.domain }

// record is the text of the record (RFC 6376 section 3.6.1).
func (k signingKey) record() string { return "v=DKIM1; k=rsa; p=" + k.public }

// keyPurpose is what a private key is sealed for. It is part of the seal and
// never renamed.
func keyPurpose(domain, selector string) string { return "dkim/" + domain + "/" + selector }

// makeKey makes a pair for a domain. A date in the selector keeps it from ones
// that were there before.
func makeKey(box *secret.Box, domain string, now time.Time, taken func(selector string) bool) (signingKey, error) {
	k := signingKey{domain: domain, created: now, selector: "deskbell" + now.Format("20060102")}
	for letter := 'b'; taken(k.selector); letter++ {
		if letter > 'z' {
			return k, desk.Errorf(desk.Refused, "So many keys were made today; wait until tomorrow.")
		}
		k.selector = "deskbell" + now.Format("20060102") + string(letter)
	}
	pair, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return k, err
	}
	public, err := x509.MarshalPKIXPublicKey(pair.Public())
	if err != nil {
		return k, err
	}
	k.public = base64.StdEncoding.EncodeToString(public)
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return k, err
	}
	k.private, err = box.Seal(keyPurpose(domain, k.selector), base64.StdEncoding.EncodeToString(private))
	return k, err
}

// open unseals the private key; it errs with secret.ErrOtherKey when it was
// sealed with another key.
func (k signingKey) open(box *secret.Box) (*rsa.PrivateKey, error) {
	text, err := box.Open(keyPurpose(k.domain, k.selector), k.private)
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	pair, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T signs no mail", key)
	}
	return pair, nil
}

// addKey makes another key for a domain. The one before signs until the record
// of the new one is seen.
func (s *Service) addKey(app core.App, by desk.Actor, mailbox, domain string) error {
	all, err := loadKeys(app, domain)
	if err != nil {
		return err
	}
	k, err := makeKey(s.options.Box, domain, s.clock.Now().UTC(), func(selector string) bool { return hasSelector(all, selector) })
	if err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		if err := saveKey(tx, k); err != nil {
			return err
		}
		return s.mailboxes.changed(tx, desk.Event{Kind: "mailbox.dkim_key_made", Subject: mailbox, Actor: by, New: k.selector})
	})
}

func hasSelector(all []signingKey, selector string) bool {
	for _, k := range all {
		if k.selector == selector {
			return true
		}
	}
	return false
}

// usable drops the keys that can't be opened any more: the desk's own key is
// another one since a backup was restored.
func usable(all []signingKey, box *secret.Box) []signingKey {
	var out []signingKey
	for _, k := range all {
		if _, err := k.open(box); !errors.Is(err, secret.ErrOtherKey) {
			out = append(out, k)
		}
	}
	return out
}

// holds tells whether one of the texts of a name is the record of the key.
func (k signingKey) holds(texts []string) bool {
	for _, t := range texts {
		if tagOf(t, "p") == k.public {
			return true
		}
	}
	return false
}

// tagOf reads one tag of a record such as "v=DKIM1; p=...", without the spaces
// that some panels put in; "" when it has none.
func tagOf(record, name string) string {
	for part := range strings.SplitSeq(record, ";") {
		tag, value, ok := strings.Cut(part, "=")
		if ok && strings.EqualFold(strings.TrimSpace(tag), name) {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}
