package migrations

import "github.com/pocketbase/pocketbase/core"

// What is known of the domains that the desk sends for, and the keys with which
// their mail is signed, private halves sealed.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := run(app, createMailDomains); err != nil {
			return err
		}
		return run(app, createDKIMKeys)
	}, func(app core.App) error {
		if err := run(app, `DROP TABLE dkim_keys`); err != nil {
			return err
		}
		return run(app, `DROP TABLE mail_domains`)
	})
}

const createMailDomains = `CREATE TABLE mail_domains (
	domain TEXT PRIMARY KEY, signing TEXT NOT NULL, checked INTEGER NOT NULL DEFAULT 0, found TEXT NOT NULL DEFAULT '') WITHOUT ROWID`

const createDKIMKeys = `CREATE TABLE dkim_keys (
	domain TEXT NOT NULL, selector TEXT NOT NULL, private_key TEXT NOT NULL, public_key TEXT NOT NULL,
	created INTEGER NOT NULL, seen INTEGER NOT NULL, lost INTEGER NOT NULL,
	PRIMARY KEY (domain, selector)) WITHOUT ROWID`
