package email

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Signing is what the owner wants of a domain's signature. The values reach the
// database and the API.
type Signing string

// The wishes; a domain nobody decided about is SigningAuto.
const (
	SigningAuto Signing = "auto" // sign, unless the server for sending does it itself
	SigningOn   Signing = "on"   // sign in any case
	SigningOff  Signing = "off"  // never sign
)

// mailDomain is what is known of a domain that the desk sends for.
type mailDomain struct {
	name    string
	signing Signing
	checked time.Time // when its records were last asked for, zero = never
	found   found     // what was found then
}

func loadDomain(app core.App, name string) (mailDomain, error) {
	d := mailDomain{name: name, signing: SigningAuto}
	var checked int64
	var text string
	ok, err := sqlite.One(app, []any{&d.signing, &checked, &text}, `SELECT signing, checked, found FROM mail_domains WHERE domain = ?`, name)
	if err != nil || !ok {
		return d, err
	}
	d.checked = desk.Time(checked)
	if text == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(text), &d.found); err != nil {
		return d, fmt.Errorf("read what was found of %s: %w", name, err)
	}
	return d, nil
}

func saveSigning(tx core.App, name string, wish Signing) error {
	return sqlite.Exec(tx, `INSERT INTO mail_domains (domain, signing) VALUES (?, ?)
		ON CONFLICT (domain) DO UPDATE SET signing = excluded.signing`, name, string(wish))
}

func saveFound(tx core.App, name string, f found, at time.Time) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, `INSERT INTO mail_domains (domain, signing, checked, found) VALUES (?, 'auto', ?, ?)
		ON CONFLICT (domain) DO UPDATE SET checked = excluded.checked, found = excluded.found`, name, desk.Millis(at), string(text))
}

// loadKeys lists the keys of a domain, the newest first.
func loadKeys(app core.App, domain string) ([]signingKey, error) {
	return keysWhere(app, "domain = ?", domain)
}

// allKeys lists the keys of all domains, those of a domain together.
func allKeys(app core.App) ([]signingKey, error) { return keysWhere(app, "1 = 1") }

func keysWhere(app core.App, cond string, args ...any) ([]signingKey, error) {
	var all []signingKey
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var k signingKey
		var created, seen, lost int64
		err := r.Scan(&k.domain, &k.selector, &k.private, &k.public, &created, &seen, &lost)
		k.created, k.seen, k.lost = desk.Time(created), desk.Time(seen), desk.Time(lost)
		all = append(all, k)
		return err
	}, `SELECT domain, selector, private_key, public_key, created, seen, lost FROM dkim_keys
		WHERE `+cond+` ORDER BY domain, created DESC, selector DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the keys that sign mail: %w", err)
	}
	return all, nil
}

func saveKey(tx core.App, k signingKey) error {
	return sqlite.Exec(tx, `INSERT INTO dkim_keys (domain, selector, private_key, public_key, created, seen, lost) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.domain, k.selector, k.private, k.public, desk.Millis(k.created), desk.Millis(k.seen), desk.Millis(k.lost))
}

// saveSeen stores whether the record of a key is in the DNS.
func saveSeen(tx core.App, k signingKey) error {
	return sqlite.Exec(tx, `UPDATE dkim_keys SET seen = ?, lost = ? WHERE domain = ? AND selector = ?`,
		desk.Millis(k.seen), desk.Millis(k.lost), k.domain, k.selector)
}

func removeKey(tx core.App, k signingKey) error {
	return sqlite.Exec(tx, `DELETE FROM dkim_keys WHERE domain = ? AND selector = ?`, k.domain, k.selector)
}
