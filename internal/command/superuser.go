package command

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/spf13/cobra"
)

// superuserCommand is about the accounts of PocketBase's admin pages at /_/.
func superuserCommand() *cobra.Command {
	c := &cobra.Command{Use: "superuser", Short: "Accounts of PocketBase's admin pages (/_/)", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return usageError{fmt.Errorf("say what to do: deskbell superuser upsert EMAIL PASSWORD")}
	}}
	c.AddCommand(&cobra.Command{
		Use: "upsert EMAIL PASSWORD", Short: "Make a superuser or change its password", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			in := boot.SuperuserInput{Email: args[0], Password: args[1]}
			err := ask(c, "superuser", in, nil, func(d *boot.Desk) (any, error) { return nil, d.UpsertSuperuser(in) })
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s may sign in at /_/.\n", in.Email)
			}
			return err
		},
	})
	return c
}
