package workspace

import (
	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/health"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// Deps are what the first question of every page needs.
type Deps struct {
	Health    *health.Health
	Version   string
	TestClock bool
	Sandbox   func() bool // whether the sandbox runs now
}

type me struct {
	Agent       meAgent         `json:"agent"`
	Permissions []string        `json:"permissions"`
	Desk        meDesk          `json:"desk"`
	Teams       []meTeam        `json:"teams"` // whose tickets the caller sees
	Banners     []health.Banner `json:"banners"`
	LastEvent   int64           `json:"last_event"`
}

type meAgent struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Roles     []desk.Role `json:"roles"`
	Signature string      `json:"signature"`

	NotifyNew    bool `json:"notify_new"`
	NotifyAnswer bool `json:"notify_answer"`
}

type meDesk struct {
	Name      string `json:"name"`
	TimeZone  string `json:"time_zone"`
	UndoS     int    `json:"undo_s"`
	Solo      bool   `json:"solo"`
	Sandbox   bool   `json:"sandbox"`
	TestClock bool   `json:"test_clock"`
	Version   string `json:"version"`
	Locale    string `json:"locale"`
}

type meTeam struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Routes adds the first question of every page.
func (d Deps) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/me", Permission: route.SignedIn, Summary: "Who is signed in, and what the pages need to know"},
		func(c *route.Call, _ route.None) (*me, error) { return d.me(c.App, c.Caller) })
}

func (d Deps) me(app core.App, who *route.Caller) (*me, error) {
	solo, err := access.Solo(app)
	if err != nil {
		return nil, err
	}
	out := &me{
		Agent: meAgent{ID: who.Actor.ID, Name: who.Name, Email: who.Email, Roles: who.Roles}, Permissions: []string{}, Teams: []meTeam{},
		Desk: meDesk{
			Name: setting.Text(app, setting.DeskName), TimeZone: setting.Text(app, setting.DeskTimeZone), UndoS: setting.Int(app, setting.MailUndoSeconds),
			Solo: solo, Sandbox: d.Sandbox(), TestClock: d.TestClock, Version: d.Version, Locale: "en",
		},
	}
	if who.Actor.Kind == desk.ActorAgent {
		agent, err := access.FindAgent(app, who.Actor.ID)
		if err != nil {
			return nil, err
		}
		if agent != nil {
			out.Agent.Signature, out.Agent.NotifyNew, out.Agent.NotifyAnswer = agent.Signature, agent.NotifyNew, agent.NotifyAnswer
		}
	}
	for _, p := range access.Permissions() {
		if who.Has(p) {
			out.Permissions = append(out.Permissions, p)
		}
	}
	teams, err := team.All(app)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		if access.CanTeam(who, "ticket.read", t.ID) {
			out.Teams = append(out.Teams, meTeam{t.ID, t.Name})
		}
	}
	out.Banners = d.Health.Banners(app, who)
	out.LastEvent, err = event.Last(app)
	return out, err
}
