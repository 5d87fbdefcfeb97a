package migrations

import "github.com/pocketbase/pocketbase/core"

// Of what an agent wants to hear by mail.
func init() {
	core.AppMigrations.Register(change("agents", func(c *core.Collection) {
		c.Fields.Add(flag("notify_new"), flag("notify_answer"))
	}), change("agents", func(c *core.Collection) {
		c.Fields.RemoveByName("notify_new")
		c.Fields.RemoveByName("notify_answer")
	}))
}
