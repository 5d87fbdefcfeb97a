package conversation

import (
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

type customerOut struct {
	ticket.Person
	Identities []string    `json:"identities"` // mail addresses
	Created    string      `json:"created"`
	Tickets    []otherOfIt `json:"tickets"` // as far as the caller may see them
}

type customerInput struct {
	Name *string `json:"name"`
}

func (s *Conversations) customerRoutes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/customers/{id}", Permission: "customer.read", Summary: "One customer with the tickets one may see"},
		func(c *route.Call, _ route.None) (*customerOut, error) { return customerPage(c) })
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/customers/{id}", Permission: "customer.write", Summary: "Change a customer"},
		func(c *route.Call, in customerInput) (*customerOut, error) {
			if in.Name != nil {
				err := c.App.RunInTransaction(func(tx core.App) error {
					return customer.Rename(tx, s.Log, c.Caller.Actor, c.Param("id"), *in.Name, desk.Millis(c.Now()))
				})
				if err != nil {
					return nil, err
				}
			}
			return customerPage(c)
		})
}

func customerPage(c *route.Call) (*customerOut, error) {
	who, err := customer.Find(c.App, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if who == nil {
		return nil, desk.Errorf(desk.NotFound, "There is no such customer.")
	}
	out := &customerOut{Person: ticket.Person{ID: who.ID, Name: who.Shown(), Email: who.Email}, Created: desk.MustStamp(who.Created)}
	if out.Identities, err = customer.Identities(c.App, who.ID); err != nil {
		return nil, err
	}
	out.Tickets, err = othersOf(c, who.ID, "", 50)
	return out, err
}
