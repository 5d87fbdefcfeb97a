package command

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// superuserCommand is PocketBase's own, for its admin pages at /_/.
func superuserCommand() *cobra.Command {
	c := &cobra.Command{Use: "superuser", Short: "Accounts of PocketBase's admin pages (/_/)", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return usageError{fmt.Errorf("say what to do: deskbell superuser upsert EMAIL PASSWORD")}
	}}
	c.AddCommand(&cobra.Command{
		Use: "upsert EMAIL PASSWORD", Short: "Make a superuser or change its password", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			app, err := boot.Bootstrap(dirOf(c))
			if err != nil {
				return err
			}
			defer func() { _ = app.ResetBootstrapState() }()
			if err := upsertSuperuser(app, args[0], args[1]); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s may sign in at /_/.\n", args[0])
			return nil
		},
	})
	return c
}

func upsertSuperuser(app core.App, email, password string) error {
	collection, err := app.FindCachedCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	r, err := app.FindAuthRecordByEmail(collection, email)
	if err != nil {
		r = core.NewRecord(collection)
	}
	r.SetEmail(email)
	r.SetPassword(password)
	if err := app.Save(r); err != nil {
		return fmt.Errorf("the superuser could not be saved: %w", err)
	}
	return nil
}
