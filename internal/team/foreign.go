package team

import (
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// BindForeign refuses changes that come past Add and Change.
func BindForeign(app core.App) {
	event.Refuse(app, "Change teams on the people page or through /api/desk/teams, so that their members' rights follow.", teamsCollection)
}
