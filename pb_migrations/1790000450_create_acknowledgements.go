package migrations

import "github.com/pocketbase/pocketbase/core"

// With what a mailbox answers a new ticket by itself, and the index by which the
// automatic mail to one address is counted.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, `CREATE TABLE acknowledgements (
	mailbox TEXT PRIMARY KEY, active INTEGER NOT NULL, body TEXT NOT NULL, outside_hours INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX idx_delivery_recipients_auto ON delivery_recipients (address COLLATE NOCASE, created) WHERE auto = 1`)
	}, func(app core.App) error {
		return run(app, `DROP INDEX idx_delivery_recipients_auto;
DROP TABLE acknowledgements`)
	})
}
