package migrations

import "github.com/pocketbase/pocketbase/core"

// What the desk said when it refused a mail: a sentence for people.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, `ALTER TABLE ledger ADD COLUMN reason_text TEXT NOT NULL DEFAULT ''`)
	}, func(app core.App) error {
		return run(app, `ALTER TABLE ledger DROP COLUMN reason_text`)
	})
}
