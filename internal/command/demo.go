package command

import (
	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	c := &cobra.Command{Use: "demo", Short: "Serve a sample company in ./demo_data, with the mail sandbox on", Args: cobra.NoArgs}
	serveFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return demo(c) }
	return c
}
