package migrations

import "github.com/pocketbase/pocketbase/core"

// The sign-ins at providers that people began: each with what is to become a
// mailbox, sealed, until it ended one way or the other.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, createMailboxConsents)
	}, func(app core.App) error {
		return run(app, `DROP TABLE mailbox_consents`)
	})
}

const createMailboxConsents = `CREATE TABLE mailbox_consents (
	id TEXT PRIMARY KEY, state_hash BLOB NOT NULL, cookie_hash BLOB NOT NULL, agent TEXT NOT NULL, session TEXT NOT NULL,
	mailbox TEXT NOT NULL, redirect TEXT NOT NULL, draft TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL,
	outcome TEXT NOT NULL, outcome_text TEXT NOT NULL) WITHOUT ROWID`
