package boot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/sample"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// seedStep is how many tickets one call of Seed makes: a running desk answers
// others in between.
const seedStep = 2 * sample.Batch

// seedOpen is how many tickets are left open at most: no small desk has more.
const seedOpen = 10_000

// seedTeams are the teams that synthetic agents work in, beside the first.
var seedTeams = []string{"Orders", "Returns", "Repairs", "Wholesale"}

// SeedInput is what `deskbell seed` asks for. The same input makes the same data.
type SeedInput struct {
	Tickets  int    `json:"tickets"`
	Messages int    `json:"messages"` // in each ticket; 0 = 3
	Agents   int    `json:"agents"`   // to add; they share one password
	Seed     uint64 `json:"seed"`
	Password string `json:"password"` // of agents who are added
}

// SeedOutput is how far the work is.
type SeedOutput struct {
	Done   int      `json:"done"`   // tickets there are
	Owner  string   `json:"owner"`  // address of the owner, when the desk was set up for it
	Agents []string `json:"agents"` // addresses of the agents who were added now
}

// Seed makes the next part of the data of in and goes on where an earlier call,
// or an earlier run, stopped. An empty folder becomes the desk of the demo's
// company first.
func (d *Desk) Seed(ctx context.Context, in SeedInput) (out SeedOutput, err error) {
	if in.Tickets < 1 || in.Messages < 0 || in.Agents < 0 {
		return out, desk.Errorf(desk.Invalid, "Say how many tickets to make, at least one.")
	}
	if out.Owner, err = d.seedDesk(ctx); err != nil {
		return out, err
	}
	o := sample.Options{Tickets: in.Tickets, Messages: in.Messages, Seed: in.Seed, Days: 365, Open: min(0.1, float64(seedOpen)/float64(in.Tickets))}
	if out.Agents, err = d.seedPeople(&o, in); err != nil {
		return out, err
	}
	box, err := d.Mailboxes.Default(d.App)
	if err != nil {
		return out, err
	}
	if box != nil {
		o.Mailbox, o.Address = box.ID, box.From()
	}
	f := sample.New(d.App, d.Log, d.Clock, d.Tickets, o)
	if out.Done, err = f.Made(); err != nil {
		return out, err
	}
	for end := min(in.Tickets, out.Done+seedStep); out.Done < end && ctx.Err() == nil; {
		n, err := f.Step(out.Done)
		if err != nil {
			return out, err
		}
		out.Done += n
	}
	return out, ctx.Err()
}

// seedDesk sets an empty folder up and returns its owner's address, else "".
func (d *Desk) seedDesk(ctx context.Context) (owner string, err error) {
	if done, err := setup.Done(d.App); err != nil || done {
		return "", err
	}
	_, err = d.Setup.Do(ctx, setup.Input{
		Company: demoCompany, Address: demoAddress, TimeZone: demoZone,
		Owner: setup.Owner{Name: "Ines Moreau", Email: DemoEmail, Password: DemoPassword},
	})
	return DemoEmail, err
}

// seedPeople adds the agents and teams that are missing and names them all in o.
// Every fifth agent works in all teams, the others in one.
func (d *Desk) seedPeople(o *sample.Options, in SeedInput) (added []string, err error) {
	teams, err := team.All(d.App)
	if err != nil {
		return nil, err
	}
	err = d.App.RunInTransaction(func(tx core.App) error {
		for _, name := range seedTeams[:min(len(seedTeams), max(0, in.Agents-1))] {
			if slices.ContainsFunc(teams, func(t team.Team) bool { return strings.EqualFold(t.Name, name) }) {
				continue
			}
			t, err := d.Teams.Add(tx, desk.System("seed"), name)
			if err != nil {
				return err
			}
			teams = append(teams, *t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		o.Teams = append(o.Teams, t.ID)
	}
	here, err := access.Agents(d.App)
	if err != nil {
		return nil, err
	}
	for i := range in.Agents {
		a := d.seedAgent(i, o.Teams, in.Password)
		if j := slices.IndexFunc(here, func(x access.Agent) bool { return strings.EqualFold(x.Email, a.Email) }); j >= 0 {
			o.Agents = append(o.Agents, here[j].ID)
			continue
		}
		r, err := d.addAgent(a)
		if err != nil {
			return added, err
		}
		o.Agents, added = append(o.Agents, r.Id), append(added, a.Email)
	}
	if len(o.Agents) == 0 {
		for _, a := range here {
			o.Agents = append(o.Agents, a.ID)
		}
	}
	return added, nil
}

func (d *Desk) seedAgent(i int, teams []string, password string) access.NewAgent {
	member := teams[i%len(teams) : i%len(teams)+1]
	if i%5 == 1 {
		member = teams
	}
	return access.NewAgent{
		Name: sample.AgentName(i), Email: fmt.Sprintf("agent%d@seed.example", i+1),
		Password: password, Roles: []desk.Role{desk.RoleAssociate}, Teams: member,
	}
}

func (d *Desk) addAgent(a access.NewAgent) (r *core.Record, err error) {
	n, err := d.Access.Prepare(a)
	if err != nil {
		return nil, err
	}
	err = d.App.RunInTransaction(func(tx core.App) error {
		r, err = d.Access.AddAgent(tx, desk.System("seed"), n)
		return err
	})
	return r, err
}

// seedRoute lets the command ask the running desk.
func (d *Desk) seedRoute(t *route.Table) {
	route.Add(t, route.Route{Method: "POST", Path: "/api/control/seed", Permission: route.Public, Summary: "Make synthetic data from the command line"},
		func(c *route.Call, in SeedInput) (SeedOutput, error) {
			if err := d.control(c); err != nil {
				return SeedOutput{}, err
			}
			return d.Seed(c.Request.Context(), in)
		})
}
