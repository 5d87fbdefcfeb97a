package migrations

import "github.com/pocketbase/pocketbase/core"

// What a mailbox adds below its replies, which servers' checks of senders it
// believes, which folders it reads beside the inbox, and how far back it was
// asked to read.
func init() {
	names := []string{"signature", "auth_servers", "folders", "sent_folder"}
	core.AppMigrations.Register(func(app core.App) error {
		err := change("mailboxes", func(c *core.Collection) {
			for _, n := range names {
				c.Fields.Add(text(n))
			}
			c.Fields.Add(whole("backfill_from"), whole("backfill_asked"))
		})(app)
		if err != nil {
			return err
		}
		return run(app, `ALTER TABLE imap_folders ADD COLUMN backfilled INTEGER NOT NULL DEFAULT 0`)
	}, func(app core.App) error {
		if err := run(app, `ALTER TABLE imap_folders DROP COLUMN backfilled`); err != nil {
			return err
		}
		return change("mailboxes", func(c *core.Collection) {
			for _, n := range append(names, "backfill_from", "backfill_asked") {
				c.Fields.RemoveByName(n)
			}
		})(app)
	})
}
