package boot

import (
	"github.com/deskbell/deskbell/internal/schedule"
	"github.com/deskbell/deskbell/internal/setting"
)

// hooks binds the parts to what comes past them through PocketBase's own REST,
// SDK and admin UI.
func (d *Desk) hooks() {
	d.Access.BindSignIn()
	setting.Bind(d.App)
	schedule.Bind(d.App)
}
