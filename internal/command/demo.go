package command

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/spf13/cobra"
)

// demoDir is the data folder of the demo, unless --dir says another.
const demoDir = "./demo_data"

func demoCommand() *cobra.Command {
	c := &cobra.Command{Use: "demo", Short: "Serve a sample company in ./demo_data, with the mail sandbox on", Args: cobra.NoArgs}
	serveFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir := demoDir
		if c.Flags().Changed("dir") {
			dir = dirOf(c)
		}
		return serveWith(c, dir, func(d *boot.Desk) error {
			made, err := d.Demo(c.Context())
			if err == nil && made {
				fmt.Fprintf(c.OutOrStdout(), "A sample company was made in %s.\n", dir)
			}
			fmt.Fprintf(c.OutOrStdout(), "Sign in as %s with the password %s\n", boot.DemoEmail, boot.DemoPassword)
			return err
		})
	}
	return c
}
