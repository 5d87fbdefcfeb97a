package command

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/deskbell/deskbell/internal/richtext"
)

// htmlCommand shows what the desk makes of foreign HTML. It uses the code of
// the intake and touches neither network nor database.
func htmlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "html",
		Short: "Work with HTML of mails",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "sanitize",
		Short: "Read HTML from standard input and print it safe to show",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("read HTML from standard input: %w", err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), richtext.Sanitize(string(in)))
			return err
		},
	})
	return cmd
}
