package migrations

import "github.com/pocketbase/pocketbase/core"

// When a mail that could not be entered is tried again, ms; 0 = at once.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, `ALTER TABLE ledger ADD COLUMN next_try INTEGER NOT NULL DEFAULT 0;
DROP INDEX idx_ledger_waiting;
CREATE INDEX idx_ledger_waiting ON ledger (seq, next_try) WHERE state = 'stored'`)
	}, func(app core.App) error {
		return run(app, `DROP INDEX idx_ledger_waiting;
CREATE INDEX idx_ledger_waiting ON ledger (seq) WHERE state = 'stored';
ALTER TABLE ledger DROP COLUMN next_try`)
	})
}
