package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(create(deliveries, deliveryRecipients), drop("delivery_recipients", "deliveries"))
}

func deliveries() *core.Collection {
	c := base("deliveries", need("kind"), flag("auto"), text("ticket"), text("message"), need("mailbox"),
		data("sender"), data("reply_to"), data("to"), data("cc"), data("bcc"), text("subject"), text("text"), text("html"),
		need("message_id"), text("in_reply_to"), data("references"), data("files"),
		need("state"), text("held_by"), whole("not_before"), whole("attempts"), whole("next_try"), text("answer"),
		text("author"), data("before"), whole("created"), whole("updated"))
	c.AddIndex("idx_deliveries_message", false, "message", "message <> ''")
	c.AddIndex("idx_deliveries_state", false, "state, updated", "")
	c.AddIndex("idx_deliveries_updated", false, "updated", "")
	c.AddIndex("idx_deliveries_message_id", true, "message_id", "")
	return c
}

func deliveryRecipients() *core.Collection {
	c := base("delivery_recipients", need("delivery"), choice("role", "to", "cc", "bcc"), need("address"), text("name"),
		need("state"), whole("attempts"), whole("next_try"), text("answer"), whole("created"), whole("updated"))
	c.AddIndex("idx_delivery_recipients", true, "delivery, address", "")
	c.AddIndex("idx_delivery_recipients_due", false, "state, next_try", "")
	return c
}
