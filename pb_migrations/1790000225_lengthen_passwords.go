package migrations

import "github.com/pocketbase/pocketbase/core"

// PocketBase's own ways to a new password (its admin pages, a reset by mail)
// ask for as long a one as ours.
func init() {
	core.AppMigrations.Register(passwords(10, 70), passwords(8, 0))
}

func passwords(least, most int) func(core.App) error {
	return func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("agents")
		if err != nil {
			return err
		}
		f := c.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField)
		f.Min, f.Max = least, most
		return app.Save(c)
	}
}
