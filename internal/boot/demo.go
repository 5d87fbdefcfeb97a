package boot

import (
	"context"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sample"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// The demo's owner. The demo is a toy on one's own machine: it has no secrets.
const (
	DemoEmail    = "demo@deskbell.example"
	DemoPassword = "deskbell-demo"
)

const (
	demoTickets = 900
	demoCompany = "Birk & Tern Outdoor"
	demoAddress = "support@birkandtern.example"
	demoZone    = "Europe/Oslo"
)

// Demo fills an empty folder with a sample company and answers whether it did.
func (d *Desk) Demo(ctx context.Context) (made bool, err error) {
	if done, err := setup.Done(d.App); err != nil || done {
		return false, err
	}
	owner, err := d.Setup.Do(ctx, setup.Input{
		Company: demoCompany, Address: demoAddress, TimeZone: demoZone,
		Owner: setup.Owner{Name: "Ines Moreau", Email: DemoEmail, Password: DemoPassword},
	})
	if err != nil {
		return false, err
	}
	people := []string{owner.Id}
	teams, err := d.demoPeople(&people)
	if err != nil {
		return false, err
	}
	box, err := d.Mailboxes.Default(d.App)
	if err != nil {
		return false, err
	}
	return true, sample.New(d.App, d.Log, d.Clock, d.Tickets, sample.Options{
		Tickets: demoTickets, Seed: 7, Teams: teams, Agents: people,
		Mailbox: box.ID, Address: box.From(), Open: 0.04,
	}).Fill()
}

// demoPeople adds colleagues and a second team.
func (d *Desk) demoPeople(people *[]string) (teams []string, err error) {
	first, err := team.First(d.App)
	if err != nil {
		return nil, err
	}
	var colleagues []*access.Newcomer
	for _, p := range []struct{ name, email string }{{"Tomasz Kowal", "tomasz@deskbell.example"}, {"Aiko Sato", "aiko@deskbell.example"}} {
		n, err := d.Access.Prepare(access.NewAgent{Name: p.name, Email: p.email, Password: DemoPassword, Roles: []desk.Role{desk.RoleAssociate}, Teams: []string{first}})
		if err != nil {
			return nil, err
		}
		colleagues = append(colleagues, n)
	}
	err = d.App.RunInTransaction(func(tx core.App) error {
		by := desk.System("demo")
		for _, n := range colleagues {
			r, err := d.Access.AddAgent(tx, by, n)
			if err != nil {
				return err
			}
			*people = append(*people, r.Id)
		}
		orders, err := d.Teams.Add(tx, by, "Orders", *people...)
		teams = []string{first, orders.ID}
		return err
	})
	return teams, err
}
