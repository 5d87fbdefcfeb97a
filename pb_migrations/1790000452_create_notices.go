package migrations

import "github.com/pocketbase/pocketbase/core"

// The mails by which agents heard of tickets: what their Message-IDs allow, of
// which only the hash is known; and the index by which is found what happened to
// an agent since.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		return run(app, createNotices)
	}, func(app core.App) error {
		return run(app, `DROP INDEX idx_events_agents;
DROP TABLE notices`)
	})
}

const createNotices = `CREATE TABLE notices (
	hash TEXT PRIMARY KEY, event INTEGER NOT NULL, agent TEXT NOT NULL, ticket TEXT NOT NULL, message TEXT NOT NULL, team TEXT NOT NULL,
	delivery TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0,
	ledger TEXT NOT NULL DEFAULT '', content_key TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE UNIQUE INDEX idx_notices_event ON notices (event, agent);
CREATE INDEX idx_notices_delivery ON notices (delivery);
CREATE INDEX idx_notices_agent ON notices (agent, created);
CREATE INDEX idx_events_agents ON events (subject, seq) WHERE kind IN ('agent.left','agent.password_changed','agent.email_changed')`
