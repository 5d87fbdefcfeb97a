// Package conversation shows a ticket as its page does: its messages with
// authors, files and deliveries, what happened, why it is as it is, and takes
// the changes an agent makes there.
package conversation

import (
	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Recipients derives who a reply goes to.
type Recipients interface {
	Recipients(app core.App, t *ticket.Ticket) (to, others []desk.Address, err error)
}

// Deps are the parts that a ticket's page is made of.
type Deps struct {
	App        core.App
	Log        *event.Log
	Clock      desk.Clock
	Wall       desk.Clock // the machine's: tokens live by it, as sign-ins do
	Tickets    *ticket.Tickets
	Ledger     *file.Ledger
	Files      *file.Files
	Recipients Recipients
	Access     *access.Access
	SenderOf   func(app core.App, mailbox string) (id string, from desk.Address, plus bool, err error)
}

// Conversations are the ticket pages of one desk.
type Conversations struct {
	Deps
	bodies tokens
}

// New returns the ticket pages of a desk.
func New(d Deps) *Conversations { return &Conversations{Deps: d, bodies: newTokens()} }

// find returns the ticket of a number when the caller holds a permission for
// it: one that may not be seen does not exist.
func find(app core.App, who *route.Caller, number int64, permission string) (*ticket.Ticket, error) {
	t, err := ticket.ByNumber(app, number)
	if err != nil {
		return nil, err
	}
	if t == nil || !access.CanTeam(who, "ticket.read", t.Team) {
		return nil, desk.Errorf(desk.NotFound, "There is no such ticket.")
	}
	if !access.CanTeam(who, permission, t.Team) {
		return nil, desk.Errorf(desk.Forbidden, "Your role does not allow this (%s).", permission)
	}
	return t, nil
}

// Show makes the API's form of messages of one ticket.
func Show(app core.App, t *ticket.Ticket, all []*message.Message) ([]message.Shown, error) {
	ids, byKind := make([]string, len(all)), map[desk.ActorKind][]string{}
	for i, m := range all {
		ids[i] = m.ID
		byKind[m.Author.Kind] = append(byKind[m.Author.Kind], m.Author.ID)
	}
	files, err := file.OfMessages(app, ids)
	if err != nil {
		return nil, err
	}
	deliveries, err := outbox.OfMessages(app, ids)
	if err != nil {
		return nil, err
	}
	names, err := names(app, byKind)
	if err != nil {
		return nil, err
	}
	out := make([]message.Shown, len(all))
	for i, m := range all {
		var delivery any
		if d := deliveries[m.ID]; d != nil {
			delivery = d.Show()
		}
		author := names[m.Author]
		if author == "" {
			author = shownName(m.From)
		}
		out[i] = m.Show(t.Number, author, message.ShownReason{Code: m.Reason.Code, Text: why(m.Reason)}, files[m.ID], delivery)
	}
	return out, nil
}

func shownName(a desk.Address) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Address
}

// names resolves actors of every kind to what people call them.
func names(app core.App, ids map[desk.ActorKind][]string) (map[desk.Actor]string, error) {
	out := map[desk.Actor]string{}
	for kind, list := range ids {
		found, err := access.Names(app, kind, list)
		if err != nil {
			return nil, err
		}
		if kind == desk.ActorCustomer {
			customers, err := customer.Named(app, list)
			if err != nil {
				return nil, err
			}
			for id, c := range customers {
				found[id] = c.Shown()
			}
		}
		for id, name := range found {
			out[desk.Actor{Kind: kind, ID: id}] = name
		}
	}
	return out, nil
}

// ShowMessage makes the API's form of one message.
func ShowMessage(app core.App, id string) (*message.Shown, error) {
	m, err := message.Find(app, id)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, desk.Errorf(desk.NotFound, "This message is not there any more.")
	}
	t, err := ticket.Find(app, m.Ticket)
	if err != nil {
		return nil, err
	}
	out, err := Show(app, t, []*message.Message{m})
	if err != nil {
		return nil, err
	}
	return &out[0], nil
}

// shown makes the API's form of a ticket by itself.
func shown(app core.App, t *ticket.Ticket) (ticket.Shown, error) {
	var none ticket.Shown
	c, err := customer.Find(app, t.Customer)
	if err != nil {
		return none, err
	}
	if c == nil {
		c = &customer.Customer{ID: t.Customer}
	}
	group, err := team.Find(app, t.Team)
	if err != nil {
		return none, err
	}
	groupName := ""
	if group != nil {
		groupName = group.Name
	}
	people, err := access.Names(app, desk.ActorAgent, []string{t.Assignee})
	if err != nil {
		return none, err
	}
	var tags map[string]string
	if len(t.Tags) > 0 {
		if tags, err = ticket.TagNames(app); err != nil {
			return none, err
		}
	}
	return t.Show(ticket.Person{ID: c.ID, Name: c.Shown(), Email: c.Email}, groupName, people[t.Assignee], tags), nil
}
