package migrations

import "github.com/pocketbase/pocketbase/core"

// A setting that was never changed has no row: its default stands in its field.
func init() {
	core.AppMigrations.Register(create(settings), drop("settings"))
}

func settings() *core.Collection {
	c := base("settings", need("key"), data("value"))
	c.AddIndex("idx_settings_key", true, "key", "")
	return c
}
