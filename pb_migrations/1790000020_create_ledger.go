package migrations

import "github.com/pocketbase/pocketbase/core"

// The raw mail as it came, written and durable before anything reads it.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, createLedger)
	}, func(app core.App) error {
		return run(app, `DROP TABLE ledger`)
	})
}

const createLedger = `CREATE TABLE ledger (
	seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, mailbox TEXT NOT NULL, source_id TEXT NOT NULL,
	received INTEGER NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, mail_from TEXT NOT NULL, rcpt_to TEXT NOT NULL,
	old INTEGER NOT NULL, too_large INTEGER NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, reason TEXT NOT NULL,
	tries INTEGER NOT NULL, content_key TEXT NOT NULL, path TEXT NOT NULL, raw BLOB);
CREATE UNIQUE INDEX idx_ledger_source ON ledger (channel, mailbox, source_id);
CREATE INDEX idx_ledger_waiting ON ledger (seq) WHERE state = 'stored';
CREATE INDEX idx_ledger_quarantine ON ledger (seq) WHERE state = 'quarantined';
CREATE INDEX idx_ledger_message ON ledger (message) WHERE message <> ''`
