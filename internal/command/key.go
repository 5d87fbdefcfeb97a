package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/spf13/cobra"
)

func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "API keys", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return usageError{fmt.Errorf("say what to do with keys: deskbell key create")}
	}}
	create := &cobra.Command{Use: "create", Short: "Make an API key; it is printed this once", Args: cobra.NoArgs}
	create.Flags().String("name", "", "who uses the key")
	create.Flags().String("scopes", "", "what it may do: * or permissions with commas between")
	create.Flags().String("expires", "", "when it stops working: RFC 3339, a date, or a duration such as 720h (never)")
	create.RunE = createKey
	c.AddCommand(create)
	return c
}

func createKey(c *cobra.Command, _ []string) error {
	if err := need(c, "name", "scopes"); err != nil {
		return err
	}
	name, _ := c.Flags().GetString("name")
	scopes, _ := c.Flags().GetString("scopes")
	expires, _ := c.Flags().GetString("expires")
	in := boot.KeyInput{Name: name, Scopes: strings.FieldsFunc(scopes, func(r rune) bool { return r == ',' || r == ' ' })}
	if expires != "" {
		at, err := parseExpiry(expires)
		if err != nil {
			return err
		}
		in.Expires = &at
	}
	var out boot.KeyOutput
	err := ask(c, "key", in, &out, func(d *boot.Desk) (any, error) { return d.CreateKey(in) })
	if err == nil {
		fmt.Fprintln(c.OutOrStdout(), out.Key)
	}
	return err
}

func parseExpiry(text string) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--expires must be a time such as 2027-01-31T09:00:00Z, a date or a duration such as 720h, not %q", text)}
}
