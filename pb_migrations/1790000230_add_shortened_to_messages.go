package migrations

import "github.com/pocketbase/pocketbase/core"

// Whether a message was too long to be kept whole in its row.
func init() {
	core.AppMigrations.Register(
		change("messages", func(c *core.Collection) { c.Fields.Add(flag("shortened")) }),
		change("messages", func(c *core.Collection) { c.Fields.RemoveByName("shortened") }))
}
