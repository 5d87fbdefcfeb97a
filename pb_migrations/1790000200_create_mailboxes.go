package migrations

import "github.com/pocketbase/pocketbase/core"

// The mailboxes, and how far each of their IMAP folders was read: a plain
// table, written once per batch of mails.
func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := create(mailboxes)(app); err != nil {
			return err
		}
		return run(app, createIMAPFolders)
	}, func(app core.App) error {
		if err := run(app, `DROP TABLE imap_folders`); err != nil {
			return err
		}
		return drop("mailboxes")(app)
	})
}

func mailboxes() *core.Collection {
	security := []string{"tls", "starttls", "opportunistic", "none"}
	c := base("mailboxes", need("address"), text("name"), need("team"), choice("kind", "imap", "forward", "sandbox"),
		text("imap_host"), whole("imap_port"), choice("imap_security", security...), text("imap_user"), hidden(text("imap_password")),
		text("smtp_host"), whole("smtp_port"), choice("smtp_security", security...), text("smtp_user"), hidden(text("smtp_password")),
		whole("since"), choice("state", "ok", "connecting", "failing", "off"), text("state_text"), whole("state_since"),
		whole("created"), whole("updated"))
	c.AddIndex("idx_mailboxes_address", true, "address COLLATE NOCASE", "kind <> 'sandbox'")
	return c
}

const createIMAPFolders = `CREATE TABLE imap_folders (
	mailbox TEXT NOT NULL, folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL, generation INTEGER NOT NULL,
	next_uid INTEGER NOT NULL, until_uid INTEGER NOT NULL, cutoff INTEGER NOT NULL,
	first_date INTEGER NOT NULL, last_date INTEGER NOT NULL, last_mail INTEGER NOT NULL,
	PRIMARY KEY (mailbox, folder)) WITHOUT ROWID`
