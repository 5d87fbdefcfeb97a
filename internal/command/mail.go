package command

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/deskbell/deskbell/internal/mail"
)

// mailCommand reads mail for people and tests. It uses the code of the intake
// and touches neither network nor database.
func mailCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mail",
		Short: "Read mail files",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(mailParseCommand())
	return cmd
}

func mailParseCommand() *cobra.Command {
	var batch bool
	var dashBatch string
	cmd := &cobra.Command{
		Use:   "parse",
		Short: "Parse a message from standard input and print what intake sees as JSON",
		Long: "Reads one RFC 5322 message from standard input and prints one line of JSON.\n" +
			"With --batch, reads file names, one a line, and prints a line for each.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dashBatch != "" && dashBatch != "atch" {
				return fmt.Errorf("unknown flag -b%s, did you mean --batch?", dashBatch)
			}
			if batch || dashBatch != "" {
				return parseFiles(cmd.InOrStdin(), cmd.OutOrStdout())
			}
			raw, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("read message from standard input: %w", err)
			}
			return printMail(cmd.OutOrStdout(), raw)
		},
	}
	cmd.Flags().BoolVar(&batch, "batch", false, "read file names instead of a message")
	// Single-dash "-batch" is -b with the value "atch" to the flag library.
	cmd.Flags().StringVarP(&dashBatch, "dash-batch", "b", "", "")
	if err := cmd.Flags().MarkHidden("dash-batch"); err != nil {
		panic(err) // the flag was defined a line above
	}
	return cmd
}

// parseFiles answers line by line, so that a caller can wait for each.
func parseFiles(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		raw, err := os.ReadFile(lines.Text())
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if err := printMail(out, raw); err != nil {
			return err
		}
	}
	return lines.Err()
}

func printMail(out io.Writer, raw []byte) error {
	line, err := mail.Parse(raw).JSON()
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", line)
	return err
}
