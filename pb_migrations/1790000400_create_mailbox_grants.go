package migrations

import "github.com/pocketbase/pocketbase/core"

// What lets the desk into mailboxes by OAuth2: a plain table, so that its sealed
// secrets are in no API at all.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, createMailboxGrants)
	}, func(app core.App) error {
		return run(app, `DROP TABLE mailbox_grants`)
	})
}

const createMailboxGrants = `CREATE TABLE mailbox_grants (
	mailbox TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, client_id TEXT NOT NULL, client_secret TEXT NOT NULL,
	tenant TEXT NOT NULL, authorize_url TEXT NOT NULL, token_url TEXT NOT NULL, scopes TEXT NOT NULL, testing INTEGER NOT NULL,
	account TEXT NOT NULL, refresh_token TEXT NOT NULL, consented INTEGER NOT NULL, consented_by TEXT NOT NULL,
	issued INTEGER NOT NULL, expires INTEGER NOT NULL, renewed INTEGER NOT NULL) WITHOUT ROWID`
