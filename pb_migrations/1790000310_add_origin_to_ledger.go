package migrations

import "github.com/pocketbase/pocketbase/core"

// How a mail came: older than the connection and asked for, or sent by our own
// people with another program; and which server brought it to the listener,
// which is asked when its sender is checked.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, `ALTER TABLE ledger ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN peer TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN helo TEXT NOT NULL DEFAULT ''`)
	}, func(app core.App) error {
		return run(app, `ALTER TABLE ledger DROP COLUMN helo;
ALTER TABLE ledger DROP COLUMN peer;
ALTER TABLE ledger DROP COLUMN origin`)
	})
}
