package migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	core.AppMigrations.Register(create(files), drop("files"))
}

func files() *core.Collection {
	c := base("files",
		&core.FileField{Name: "file", Protected: true, MaxSelect: 1, MaxSize: 1 << 30},
		text("name"), text("content_type"), whole("size"), text("sha256"), text("ticket"), text("message"),
		text("content_id"), flag("inline"), text("uploaded_by"), whole("created"))
	c.AddIndex("idx_files_message", false, "message", "message <> ''")
	c.AddIndex("idx_files_loose", false, "created", "message = ''")
	return c
}
