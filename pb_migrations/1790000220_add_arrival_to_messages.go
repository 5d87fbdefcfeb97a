package migrations

import "github.com/pocketbase/pocketbase/core"

// When a message came into the desk, which is later than when it reached its
// server if that could not be read for a while. 0 = as created.
func init() {
	core.AppMigrations.Register(change("messages", func(c *core.Collection) {
		c.Fields.Add(whole("arrived"))
		c.AddIndex("idx_messages_arrival", false, "ticket", "")
	}), change("messages", func(c *core.Collection) {
		c.RemoveIndex("idx_messages_arrival")
		c.Fields.RemoveByName("arrived")
	}))
}
