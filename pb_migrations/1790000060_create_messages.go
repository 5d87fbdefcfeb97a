package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := create(messages)(app); err != nil {
			return err
		}
		return run(app, createMessageIDs)
	}, func(app core.App) error {
		if err := run(app, `DROP TABLE message_ids`); err != nil {
			return err
		}
		return drop("messages")(app)
	})
}

func messages() *core.Collection {
	c := base("messages", need("ticket"), text("thread"),
		choice("kind", "customer", "reply", "forward", "note", "auto", "bot", "system"),
		choice("author_kind", "agent", "customer", "system", "api_key", "superuser"), text("author"),
		data("from"), data("reply_to"), data("to"), data("cc"), data("bcc"), text("subject"),
		text("text"), text("visible_text"), text("html"), text("html_quoted"),
		text("message_id"), text("in_reply_to"), data("references"),
		choice("authentication", "pass", "none", "fail"), data("reason"),
		flag("auto_reply"), flag("may_auto_respond"), data("bounce"),
		text("ledger"), text("content_key"), whole("sent"), whole("created"))
	c.AddIndex("idx_messages_ticket", false, "ticket, created, id", "")
	c.AddIndex("idx_messages_content", true, "content_key", "content_key <> ''")
	return c
}

const createMessageIDs = `CREATE TABLE message_ids (message_id TEXT NOT NULL, message TEXT NOT NULL, ticket TEXT NOT NULL, PRIMARY KEY (message_id, message)) WITHOUT ROWID`
