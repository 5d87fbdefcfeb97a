package boot

import (
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/schedule"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/team"
)

// hooks binds the parts to what comes past them through PocketBase's own REST,
// SDK and admin UI.
func (d *Desk) hooks() {
	d.Access.BindSignIn()
	d.Access.BindForeign(map[string]string{"tags": "tag.write"})
	d.Tickets.BindForeign(d.App)
	customer.BindForeign(d.App, d.Log, d.Clock)
	team.BindForeign(d.App)
	event.RefuseDelete(d.App, "Tickets are not deleted here: the log and their messages would lose them.", "tickets")
	event.Refuse(d.App, "Mailboxes are changed on their page, where passwords are sealed and the change is logged.", "mailboxes")
	event.KeepCollections(d.App)
	event.Refuse(d.App, "Messages, files and mail on its way are written by the desk alone: answer, note or retry there.",
		"messages", "files", "deliveries", "delivery_recipients")
	setting.Bind(d.App)
	schedule.Bind(d.App)
}
