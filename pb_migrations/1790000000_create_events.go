package migrations

import "github.com/pocketbase/pocketbase/core"

// The log is a plain table, so that nothing but an INSERT can reach it; the
// admin UI sees it through a view.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := run(app, createEvents); err != nil {
			return err
		}
		view := core.NewViewCollection("event_log")
		view.ViewQuery = `SELECT seq AS id, seq, at, kind, ticket, message, subject, actor_kind, actor, reason, old, new FROM events`
		return app.Save(view)
	}, func(app core.App) error {
		if err := drop("event_log")(app); err != nil {
			return err
		}
		return run(app, `DROP TABLE event_cursors;
DROP TABLE event_details;
DROP TABLE events`)
	})
}

const createEvents = `CREATE TABLE events (
	seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
	ticket TEXT NOT NULL, message TEXT NOT NULL, subject TEXT NOT NULL,
	actor_kind TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
	old TEXT NOT NULL, new TEXT NOT NULL, digest BLOB, hash BLOB NOT NULL);
CREATE INDEX idx_events_ticket ON events (ticket, seq) WHERE ticket <> '';
CREATE INDEX idx_events_kind_at ON events (kind, at);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TABLE event_details (seq INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE event_cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL)`
