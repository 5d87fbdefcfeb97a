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
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/customers/{id}", Permission: route.SignedIn, Summary: "One customer with the tickets one may see (customer.read)"},
		func(c *route.Call, _ route.None) (*customerOut, error) { return customerPage(c) })
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/customers/{id}", Permission: route.SignedIn, Summary: "Change a customer (customer.write)"},
		func(c *route.Call, in customerInput) (*customerOut, error) {
			if err := mayCustomer(c, "customer.write"); err != nil {
				return nil, err
			}
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

// mayCustomer checks a permission for customers; who may not see them is told
// that there is none.
func mayCustomer(c *route.Call, permission string) error {
	switch {
	case !c.Caller.Has("customer.read"):
		return errNoCustomer
	case !c.Caller.Has(permission):
		return desk.Errorf(desk.Forbidden, "Your role does not allow this (%s).", permission)
	}
	return nil
}

var errNoCustomer = desk.Errorf(desk.NotFound, "There is no such customer.")

func customerPage(c *route.Call) (*customerOut, error) {
	if err := mayCustomer(c, "customer.read"); err != nil {
		return nil, err
	}
	who, err := customer.Find(c.App, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if who == nil {
		return nil, errNoCustomer
	}
	out := &customerOut{Person: ticket.Person{ID: who.ID, Name: who.Shown(), Email: who.Email}, Created: desk.MustStamp(who.Created)}
	if out.Identities, err = customer.Identities(c.App, who.ID); err != nil {
		return nil, err
	}
	out.Tickets, err = othersOf(c, who.ID, "", 50)
	return out, err
}
