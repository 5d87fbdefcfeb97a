package migrations

import "github.com/pocketbase/pocketbase/core"

// Who a mail in quarantine says it is from and what about; NULL = not looked at yet.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, `ALTER TABLE ledger ADD COLUMN sender TEXT;
ALTER TABLE ledger ADD COLUMN subject TEXT`)
	}, func(app core.App) error {
		return run(app, `ALTER TABLE ledger DROP COLUMN subject;
ALTER TABLE ledger DROP COLUMN sender`)
	})
}
