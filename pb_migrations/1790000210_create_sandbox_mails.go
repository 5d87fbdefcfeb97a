package migrations

import "github.com/pocketbase/pocketbase/core"

// The mails that arrived at the sandbox's pretend customers.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, createSandboxMails)
	}, func(app core.App) error {
		return run(app, `DROP TABLE sandbox_mails`)
	})
}

const createSandboxMails = `CREATE TABLE sandbox_mails (
	seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received INTEGER NOT NULL, rcpt_to TEXT NOT NULL, raw BLOB NOT NULL)`
