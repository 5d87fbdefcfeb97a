// Package setting stores what the owner of a desk decided: one row for each
// setting that is not at its default. What settings there are, and what a
// value of them looks like, stands in option.
//
// Reading is by kind and never fails:
//
//	seconds := setting.Int(app, "mail.undo_s")
//
// Values are kept in memory until a change commits; inside a transaction they
// are read through it, so a value just set is seen there and nowhere else.
// A value that can't be read is logged and answered with the default. An
// unregistered key, or a key of another kind, panics: both are slips of ours.
package setting

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/option"
	"github.com/pocketbase/pocketbase/core"
)

// Text is the value of a text, choice, time zone or HTML setting.
func Text(app core.App, key string) string { return JSON[string](app, key) }

// Int is the value of a whole number.
func Int(app core.App, key string) int { return JSON[int](app, key) }

// Number is the value of a number with decimals.
func Number(app core.App, key string) float64 { return JSON[float64](app, key) }

// Bool is the value of a switch.
func Bool(app core.App, key string) bool { return JSON[bool](app, key) }

// List is the value of a list; the caller may change it.
func List(app core.App, key string) []string { return JSON[[]string](app, key) }

// Zone is the time zone that a setting names.
func Zone(app core.App, key string) *time.Location {
	zone, err := time.LoadLocation(Text(app, key))
	if err != nil {
		app.Logger().Error("time zone setting can't be loaded", "key", key, "error", err)
		return time.UTC
	}
	return zone
}

// JSON is the value of a setting read into a T, which must fit its kind.
func JSON[T any](app core.App, key string) T {
	o := mustFind(key)
	var v T
	if err := json.Unmarshal(value(app, o), &v); err == nil {
		return v
	} else if o.Check(value(app, o)) != nil {
		app.Logger().Error("stored setting does not fit its field, the default counts", "key", key)
	}
	var d T
	if err := json.Unmarshal(o.Fallback(), &d); err != nil {
		panic(fmt.Sprintf("setting: %s is a %s, not a %T", key, o.Kind, d))
	}
	return d
}

// Values are the values of all settings, by key.
func Values(app core.App) map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	for _, f := range option.Fields() {
		values[f.Key] = value(app, option.Find(f.Key))
	}
	return values
}

// value is the stored value of o, or its default.
func value(app core.App, o *option.Option) json.RawMessage {
	if v, ok := stored(app)[o.Key]; ok {
		return v
	}
	return o.Fallback()
}

func mustFind(key string) *option.Option {
	o := option.Find(key)
	if o == nil {
		panic("setting: nobody registered " + key)
	}
	return o
}
