// Package migrations holds the database changes of the desk, one change a
// file, each with its way back. Importing the package registers them with
// PocketBase; they run at start in the order of their file names and are never
// edited once released.
package migrations

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own come first
)

// base returns a collection without API rules: only superusers reach it
// through PocketBase's own REST, everybody else through the desk's routes.
func base(name string, fields ...core.Field) *core.Collection {
	c := core.NewBaseCollection(name)
	c.Fields.Add(fields...)
	return c
}

func text(name string) core.Field { return &core.TextField{Name: name, Max: 2_000_000} }

func need(name string) core.Field { return &core.TextField{Name: name, Required: true} }

func whole(name string) core.Field { return &core.NumberField{Name: name, OnlyInt: true} }

func flag(name string) core.Field { return &core.BoolField{Name: name} }

func data(name string) core.Field { return &core.JSONField{Name: name, MaxSize: 20_000_000} }

func hidden(f core.Field) core.Field {
	f.SetHidden(true)
	return f
}

// choice is a field with one of the given words; an empty one is allowed.
func choice(name string, words ...string) core.Field {
	return &core.SelectField{Name: name, Values: words, MaxSelect: 1}
}

// run executes the statements of a script one after another.
func run(app core.App, script string) error {
	for _, statement := range strings.Split(script, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return err
		}
	}
	return nil
}

// create saves collections in order and undo deletes them in reverse.
func create(collections ...func() *core.Collection) func(core.App) error {
	return func(app core.App) error {
		for _, c := range collections {
			if err := app.Save(c()); err != nil {
				return err
			}
		}
		return nil
	}
}

func drop(names ...string) func(core.App) error {
	return func(app core.App) error {
		for _, name := range names {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			if err := app.Delete(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// change edits a collection that is there already.
func change(name string, edit func(*core.Collection)) func(core.App) error {
	return func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			return err
		}
		edit(c)
		return app.Save(c)
	}
}
