package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(create(customers, identities), drop("identities", "customers"))
}

func customers() *core.Collection {
	c := base("customers", text("name"), text("email"), whole("created"), whole("updated"))
	c.AddIndex("idx_customers_name", false, "name COLLATE NOCASE", "")
	return c
}

func identities() *core.Collection {
	c := base("identities", choice("kind", "email", "phone"), need("value"), need("customer"),
		whole("verified_at"), whole("created"))
	c.AddIndex("idx_identities_value", true, "kind, value", "")
	c.AddIndex("idx_identities_customer", false, "customer", "")
	return c
}
