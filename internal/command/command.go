// Package command is the command line: one file a command. A command that
// fails prints one sentence on stderr and exits 1; wrong usage exits 2.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Version is the version of the executable; the release build sets it.
var Version = "dev"

// usageError is wrong usage of the command line.
type usageError struct{ error }

// errShown is an error whose sentence stands on stderr already.
var errShown = errors.New("shown")

// Main runs the command line and returns the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	return report(root.ExecuteContext(ctx), os.Stderr)
}

func report(err error, w io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errShown):
		return 1
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "unknown flag"),
		strings.HasPrefix(err.Error(), "unknown shorthand"):
		fmt.Fprintf(w, "deskbell: %s\nSee deskbell --help.\n", strings.ReplaceAll(err.Error(), "\n", " "))
		return 2
	}
	fmt.Fprintf(w, "deskbell: %s\n", err)
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "deskbell",
		Short:         "Customer service in one file",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       Version,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().String("dir", "./desk_data", "data folder")
	root.AddCommand(serveCommand(), demoCommand(), setupCommand(), keyCommand(), superuserCommand(), seedCommand(), mailCommand(), htmlCommand())
	wrongUsage(root)
	return root
}

// wrongUsage makes every complaint about flags and arguments exit 2.
func wrongUsage(c *cobra.Command) {
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	if args := c.Args; args != nil {
		c.Args = func(c *cobra.Command, a []string) error {
			if err := args(c, a); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrongUsage(sub)
	}
}

// need refuses flags that were left out, in one sentence.
func need(c *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if f := c.Flags().Lookup(name); f == nil || !f.Changed {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		return usageError{fmt.Errorf("%s needs %s", c.CommandPath(), strings.Join(missing, ", "))}
	}
	return nil
}

func dirOf(c *cobra.Command) string {
	dir, _ := c.Flags().GetString("dir") // always there
	return dir
}
