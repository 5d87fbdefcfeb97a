package team

import (
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

type teamInput struct {
	Name    *string   `json:"name"`
	Members *[]string `json:"members"` // agent ids
}

// Routes adds the routes of the teams.
func (t *Teams) Routes(table *route.Table) {
	route.Add(table, route.Route{Method: "GET", Path: "/api/desk/teams", Permission: route.SignedIn, Summary: "The teams with their members"},
		func(c *route.Call, _ route.None) (route.List[Team], error) {
			all, err := All(c.App)
			return route.ListOf(all, ""), err
		})
	route.Add(table, route.Route{Method: "POST", Path: "/api/desk/teams", Permission: "team.write", Status: 201, Summary: "Make a team"},
		func(c *route.Call, in teamInput) (out *Team, err error) {
			var name string
			var members []string
			if in.Name != nil {
				name = *in.Name
			}
			if in.Members != nil {
				members = *in.Members
			}
			err = c.App.RunInTransaction(func(tx core.App) error {
				out, err = t.Add(tx, c.Caller.Actor, name, members...)
				return err
			})
			return out, err
		})
	route.Add(table, route.Route{Method: "PATCH", Path: "/api/desk/teams/{id}", Permission: "team.write", Summary: "Rename a team or change its members"},
		func(c *route.Call, in teamInput) (*Team, error) {
			return t.Change(c.Caller.Actor, c.Param("id"), in.Name, in.Members)
		})
}
