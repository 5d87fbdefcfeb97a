package setting

import (
	"encoding/json"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/option"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Changed is the event of a setting with another value. Its subject is the key;
// numbers, switches and words of a list stand in old and new, free text in the
// detail.
const Changed = "setting.changed"

// Save is Patch with an event for each change, in one transaction.
func Save(app core.App, log *event.Log, actor desk.Actor, values map[string]json.RawMessage) ([]Change, error) {
	var changes []Change
	err := app.RunInTransaction(func(tx core.App) (err error) {
		if changes, err = Patch(tx, values); err != nil || len(changes) == 0 {
			return err
		}
		events := make([]desk.Event, len(changes))
		for i, c := range changes {
			events[i] = c.Event(actor)
		}
		_, err = log.Append(tx, events...)
		return err
	})
	return changes, err
}

// Event is the row of the log about c.
func (c Change) Event(actor desk.Actor) desk.Event {
	e := desk.Event{Kind: Changed, Subject: c.Key, Actor: actor}
	switch mustFind(c.Key).Kind {
	case desk.FieldNumber, desk.FieldBool:
		e.Old, e.New = string(c.Old), string(c.New)
	case desk.FieldChoice, desk.FieldTimeZone:
		_ = json.Unmarshal(c.Old, &e.Old) // checked values: strings
		_ = json.Unmarshal(c.New, &e.New)
	default:
		e.Detail = map[string]any{"old": c.Old, "new": c.New}
	}
	return e
}

// Bind refuses changes that come past Save, through PocketBase's admin UI or
// its REST: they would be neither checked nor logged.
func Bind(app core.App) {
	refuse := func(e *core.RecordEvent) error {
		return router.NewForbiddenError("Settings are changed on the settings page, where they are checked and logged.", nil)
	}
	app.OnRecordCreate(Collection).BindFunc(refuse)
	app.OnRecordUpdate(Collection).BindFunc(refuse)
	app.OnRecordDelete(Collection).BindFunc(refuse)
}

// reserved answers the label of a changed setting that only the owner may
// change, "" when there is none.
func reserved(values map[string]json.RawMessage) string {
	for _, key := range sorted(values) {
		if o := option.Find(key); o != nil && o.OwnerOnly {
			return o.Label
		}
	}
	return ""
}
