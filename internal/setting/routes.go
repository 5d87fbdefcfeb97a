package setting

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/option"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// Page is what the settings page draws: the fields and their values.
type Page struct {
	Fields []desk.Field               `json:"fields"`
	Values map[string]json.RawMessage `json:"values"`
}

// Routes puts the settings page into the table.
func Routes(t *route.Table, app core.App, log *event.Log) {
	route.Add(t, route.Route{
		Method: http.MethodGet, Path: "/api/desk/settings", Permission: "setting.read",
		Summary: "The settings with their fields and values.",
	},
		func(_ *route.Call, _ route.None) (Page, error) { return page(app), nil })
	route.Add(t, route.Route{
		Method: http.MethodPatch, Path: "/api/desk/settings", Permission: "setting.write",
		Summary: "Change settings, all that are given or none; null goes back to the default.",
	},
		func(c *route.Call, values map[string]json.RawMessage) (Page, error) {
			label := reserved(values)
			if label != "" && !slices.Contains(c.Caller.Roles, desk.RoleOwner) {
				return Page{}, desk.Errorf(desk.Forbidden, "Only the owner may change “%s”.", label)
			}
			_, err := Save(app, log, c.Caller.Actor, values)
			return page(app), err
		})
}

func page(app core.App) Page { return Page{Fields: option.Fields(), Values: Values(app)} }
