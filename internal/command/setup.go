package command

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/spf13/cobra"
)

func setupCommand() *cobra.Command {
	c := &cobra.Command{Use: "setup", Short: "Make the first owner and mail channel without a browser", Args: cobra.NoArgs}
	f := c.Flags()
	f.String("company", "", "name of the company")
	f.String("email", "", "address with which the owner signs in")
	f.String("password", "", "the owner's password, at least 10 characters")
	f.String("name", "", "the owner's name")
	f.String("address", "", "address that customers write to")
	f.String("time-zone", "", "IANA time zone, such as Europe/Oslo (UTC)")
	f.String("smtp-url", "", "server that sends, such as smtps://user:pass@mail.example.com")
	f.String("imap-url", "", "server that is read, such as imaps://user:pass@mail.example.com")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := need(c, "company", "email", "password", "name", "address"); err != nil {
			return err
		}
		in, err := setupInput(c)
		if err != nil {
			return err
		}
		err = ask(c, "setup", in, nil, func(d *boot.Desk) (any, error) {
			_, err := d.Setup.Do(c.Context(), in)
			return nil, err
		})
		if err == nil {
			fmt.Fprintf(c.OutOrStdout(), "%s is set up. Sign in as %s.\n", in.Company, in.Owner.Email)
		}
		return err
	}
	return c
}

func setupInput(c *cobra.Command) (in setup.Input, err error) {
	text := func(name string) string { v, _ := c.Flags().GetString(name); return v }
	in = setup.Input{
		Company: text("company"), Address: text("address"), TimeZone: text("time-zone"),
		Owner: setup.Owner{Name: text("name"), Email: text("email"), Password: text("password")},
	}
	if text("smtp-url") == "" && text("imap-url") == "" {
		return in, nil
	}
	in.Mailbox = &email.Input{Address: in.Address, Name: in.Company}
	if in.Mailbox.SMTP, err = serverOf("smtp", text("smtp-url")); err != nil {
		return in, err
	}
	in.Mailbox.IMAP, err = serverOf("imap", text("imap-url"))
	return in, err
}

func serverOf(protocol, url string) (*email.ServerInput, error) {
	if url == "" {
		return nil, nil
	}
	return email.ParseURL(protocol, url)
}
