package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(create(schedules, jobs), drop("jobs", "schedules"))
}

// schedules holds a row for every timed job: when it ran and when it will.
func schedules() *core.Collection {
	c := base("schedules", need("name"), text("plan"), whole("next"), whole("slot"),
		whole("started"), whole("finished"), whole("ms"), text("outcome"), text("error"),
		whole("runs"), whole("cut"), whole("paused"), text("paused_by"))
	c.AddIndex("idx_schedules_name", true, "name", "")
	return c
}

// jobs is the queue of durable work; a finished job has no row.
func jobs() *core.Collection {
	c := base("jobs", need("kind"), text("key"), data("payload"),
		choice("state", "due", "running", "dead"), whole("due"), whole("again"), whole("attempts"),
		text("lease_by"), whole("lease_until"), whole("done"), whole("total"), text("error"),
		whole("created"), whole("updated"))
	c.AddIndex("idx_jobs_key", true, "kind, key", "key <> ''")
	c.AddIndex("idx_jobs_due", false, "due, id", "state = 'due'")
	c.AddIndex("idx_jobs_running", false, "lease_until", "state = 'running'")
	c.AddIndex("idx_jobs_dead", false, "due, id", "state = 'dead'")
	return c
}
