package migrations

import "github.com/pocketbase/pocketbase/core"

// When a person put a mail away that failed or may have been sent, ms; 0 = not.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := change("deliveries", func(c *core.Collection) { c.Fields.Add(whole("put_away")) })(app); err != nil {
			return err
		}
		return run(app, `CREATE INDEX idx_deliveries_attention ON deliveries (state, updated) WHERE state IN ('failed','uncertain') AND put_away = 0;
CREATE INDEX idx_deliveries_put_away ON deliveries (updated) WHERE put_away > 0`)
	}, func(app core.App) error {
		err := run(app, `DROP INDEX idx_deliveries_put_away;
DROP INDEX idx_deliveries_attention`)
		if err != nil {
			return err
		}
		return change("deliveries", func(c *core.Collection) { c.Fields.RemoveByName("put_away") })(app)
	})
}
