package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(func(app core.App) error {
		if err := create(tags, tickets)(app); err != nil {
			return err
		}
		return run(app, createTicketTables)
	}, func(app core.App) error {
		if err := run(app, dropTicketTables); err != nil {
			return err
		}
		return drop("tickets", "tags")(app)
	})
}

func tags() *core.Collection {
	c := base("tags", need("name"), whole("created"))
	agentRule := `@request.auth.collectionName = "agents"`
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = &agentRule, &agentRule, &agentRule, &agentRule, &agentRule
	c.AddIndex("idx_tags_name", true, "name COLLATE NOCASE", "")
	return c
}

func tickets() *core.Collection {
	c := base("tickets", whole("number"), text("subject"),
		choice("status", "new", "open", "pending", "on_hold", "solved", "closed"),
		choice("priority", "low", "normal", "high", "urgent"),
		choice("type", "question", "incident", "request", "complaint", "praise"),
		need("channel"), text("mailbox"), need("team"), text("assignee"), need("customer"),
		data("tags"), data("looks_like"), text("preview"),
		choice("last_from", "customer", "agent", "system"), whole("last_at"), whole("waiting_since"),
		flag("has_files"), whole("rank"), whole("created"), whole("updated"), whole("solved"), whole("event"))
	c.AddIndex("idx_tickets_number", true, "number", "")
	c.AddIndex("idx_tickets_updated", false, "updated, id", "")
	c.AddIndex("idx_tickets_status", false, "status, updated, id", "")
	c.AddIndex("idx_tickets_team", false, "team, updated, id", "")
	c.AddIndex("idx_tickets_team_status", false, "team, status, updated, id", "")
	c.AddIndex("idx_tickets_assignee", false, "assignee, status, updated, id", "")
	c.AddIndex("idx_tickets_unassigned", false, "team, status, updated, id", "assignee = ''")
	c.AddIndex("idx_tickets_customer", false, "customer, updated, id", "")
	return c
}

const createTicketTables = `CREATE TABLE ticket_numbers (number INTEGER PRIMARY KEY, ticket TEXT NOT NULL);
CREATE INDEX idx_ticket_numbers_ticket ON ticket_numbers (ticket);
CREATE TABLE ticket_tags (tag TEXT NOT NULL, ticket TEXT NOT NULL, PRIMARY KEY (tag, ticket)) WITHOUT ROWID;
CREATE INDEX idx_ticket_tags_ticket ON ticket_tags (ticket);
CREATE TABLE ticket_participants (ticket TEXT NOT NULL, address TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (ticket, address)) WITHOUT ROWID;
CREATE TABLE ticket_reads (agent TEXT NOT NULL, ticket TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agent, ticket)) WITHOUT ROWID;
CREATE TABLE drafts (agent TEXT NOT NULL, ticket TEXT NOT NULL, updated INTEGER NOT NULL, preview TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (agent, ticket)) WITHOUT ROWID;
CREATE TABLE requests_done (actor TEXT NOT NULL, key TEXT NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (actor, key)) WITHOUT ROWID`

const dropTicketTables = `DROP TABLE requests_done;
DROP TABLE drafts;
DROP TABLE ticket_reads;
DROP TABLE ticket_participants;
DROP TABLE ticket_tags;
DROP TABLE ticket_numbers`
