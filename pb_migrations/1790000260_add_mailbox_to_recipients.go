package migrations

import "github.com/pocketbase/pocketbase/core"

// A recipient carries the mailbox it is sent through, so that those who wait
// behind one mailbox are not read to find those of another. The index is no part
// of the collection: PocketBase can't read a condition with a list in it.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		err := change("delivery_recipients", func(c *core.Collection) { c.Fields.Add(text("mailbox"), flag("auto")) })(app)
		if err != nil {
			return err
		}
		return run(app, `UPDATE delivery_recipients SET (mailbox, auto) = (SELECT d.mailbox, d.auto FROM deliveries d WHERE d.id = delivery)
	WHERE state NOT IN ('sent','cancelled');
CREATE INDEX idx_delivery_recipients_waiting ON delivery_recipients (mailbox, auto, next_try)
	WHERE state IN ('queued','deferred','held','scheduled')`)
	}, func(app core.App) error {
		if err := run(app, `DROP INDEX idx_delivery_recipients_waiting`); err != nil {
			return err
		}
		return change("delivery_recipients", func(c *core.Collection) {
			c.Fields.RemoveByName("auto")
			c.Fields.RemoveByName("mailbox")
		})(app)
	})
}
