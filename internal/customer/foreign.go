package customer

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// BindForeign logs a rename that comes through PocketBase's REST, SDK or admin
// UI, and refuses everything else: identities are how mail finds its customer.
func BindForeign(app core.App, log *event.Log, clock desk.Clock) {
	app.OnRecordUpdateRequest(customersCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return event.Within(e, func(tx core.App) error {
			before := e.Record.Original()
			for _, name := range []string{"email", "created", "updated"} {
				if e.Record.GetString(name) != before.GetString(name) {
					return desk.Errorf(desk.Refused, "%s follows from the customer's mail and can't be set here; the name can.", name)
				}
			}
			now := desk.Millis(clock.Now())
			if err := Rename(tx, log, event.Foreign(e.RequestEvent), e.Record.Id, e.Record.GetString("name"), now); err != nil {
				return err
			}
			e.Record.Set("name", cleanName(e.Record.GetString("name")))
			e.Record.Set("updated", now)
			return nil
		})
	})
	no := func(*core.RecordRequestEvent) error {
		return router.NewForbiddenError("Customers come with their first mail or ticket; they are not made or deleted here.", nil)
	}
	app.OnRecordCreateRequest(customersCollection).BindFunc(no)
	app.OnRecordDeleteRequest(customersCollection).BindFunc(no)
	event.RefuseDelete(app, "Customers are not deleted here: the log and their messages would lose them.", customersCollection)
	event.Refuse(app, "Identities come with a customer's mail; they are not changed here.", identitiesCollection)
}
