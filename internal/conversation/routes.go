package conversation

import (
	"strconv"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

const (
	pageSize = 30 // messages at a time
	earlier  = 8  // other tickets of the customer
)

// Routes adds the routes of a ticket's page.
func (s *Conversations) Routes(t *route.Table) {
	const one = "/api/desk/tickets/{number}"
	// A ticket that the caller may not see does not exist (404), so the check is
	// where the ticket is read and the permissions of these routes are theirs.
	route.Add(t, route.Route{Method: "GET", Path: one, Permission: route.SignedIn, Summary: "One ticket with its newest messages (ticket.read)"}, s.get)
	route.Add(t, route.Route{Method: "PATCH", Path: one, Permission: route.SignedIn, Summary: "Change a ticket (ticket.change, ticket.assign)"}, s.patch)
	route.Add(t, route.Route{Method: "GET", Path: one + "/messages", Permission: route.SignedIn, Summary: "The messages of a ticket, the newest page first (ticket.read)"}, s.messages)
	route.Add(t, route.Route{Method: "GET", Path: one + "/events", Permission: route.SignedIn, Summary: "What happened to a ticket (ticket.read)"},
		func(c *route.Call, _ route.None) (route.List[ShownEvent], error) {
			t, err := s.of(c, "ticket.read")
			if err != nil {
				return route.List[ShownEvent]{}, err
			}
			all, err := timeline(c.App, t)
			return route.ListOf(all, ""), err
		})
	route.Add(t, route.Route{Method: "GET", Path: one + "/why", Permission: route.SignedIn, Summary: "Why a ticket is as it is (ticket.read)"},
		func(c *route.Call, _ route.None) (whyOut, error) {
			t, err := s.of(c, "ticket.read")
			if err != nil {
				return whyOut{}, err
			}
			all, err := reasonsOf(c.App, t)
			return whyOut{all}, err
		})
	route.Add(t, route.Route{Method: "POST", Path: one + "/solution", Permission: route.SignedIn, Summary: "Solve a ticket (ticket.change)"},
		func(c *route.Call, _ struct{}) (*page, error) {
			return s.change(c, statusTo(desk.StatusSolved))
		})
	route.Add(t, route.Route{Method: "POST", Path: one + "/reopening", Permission: route.SignedIn, Summary: "Reopen a ticket (ticket.change)"},
		func(c *route.Call, _ struct{}) (*page, error) {
			return s.change(c, statusTo(desk.StatusOpen))
		})
	route.Add(t, route.Route{Method: "POST", Path: one + "/read", Permission: route.SignedIn, Summary: "Mark a ticket as read or unread (ticket.read)"}, s.read)
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/tickets/bulk", Permission: "ticket.read", Summary: "Change many tickets at once, each as PATCH does"}, s.bulk)
	s.fileRoutes(t)
	s.customerRoutes(t)
}

type whyOut struct {
	Reasons []ShownWhy `json:"reasons"`
}

// of returns the ticket of the path when the caller holds a permission for it.
func (s *Conversations) of(c *route.Call, permission string) (*ticket.Ticket, error) {
	return find(c.App, c.Caller, number(c), permission)
}

// number is the ticket number of the path, 0 when it is none.
func number(c *route.Call) int64 {
	n, _ := strconv.ParseInt(c.Param("number"), 10, 64)
	return n
}

// page is a ticket with what its page shows besides.
type page struct {
	ticket.Shown
	Messages    route.List[message.Shown] `json:"messages"`
	Customer    customerCard              `json:"customer"`
	Permissions map[string]bool           `json:"permissions"`
	Reply       replyTo                   `json:"reply"`
	Event       int64                     `json:"event"`
}

type customerCard struct {
	ticket.Person
	Created string      `json:"created"`
	Tickets []otherOfIt `json:"tickets"`
}

type otherOfIt struct {
	Number  int64       `json:"number"`
	Subject string      `json:"subject"`
	Status  desk.Status `json:"status"`
	Created string      `json:"created"`
}

type replyTo struct {
	To   []desk.Address `json:"to"`
	Cc   []desk.Address `json:"cc"` // who else was on the message, for "reply to all"
	From *desk.Address  `json:"from"`
}

func (s *Conversations) get(c *route.Call, _ route.None) (*page, error) {
	t, err := s.of(c, "ticket.read")
	if err != nil {
		return nil, err
	}
	return s.page(c, t)
}

func (s *Conversations) page(c *route.Call, t *ticket.Ticket) (*page, error) {
	head, err := shown(c.App, t)
	if err != nil {
		return nil, err
	}
	p := &page{Shown: head, Event: t.Event, Permissions: map[string]bool{}}
	for _, verb := range []string{"reply", "note", "change", "assign"} {
		p.Permissions[verb] = access.CanTeam(c.Caller, "ticket."+verb, t.Team)
	}
	if p.Messages, err = s.pageOf(c.App, t, "", pageSize); err != nil {
		return nil, err
	}
	if p.Customer, err = card(c, t); err != nil {
		return nil, err
	}
	p.Reply, err = s.replyTo(c.App, t)
	return p, err
}

func (s *Conversations) replyTo(app core.App, t *ticket.Ticket) (replyTo, error) {
	to, others, err := s.Recipients.Recipients(app, t)
	if err != nil {
		return replyTo{}, err
	}
	out := replyTo{To: to, Cc: others}
	if out.To == nil {
		out.To = []desk.Address{}
	}
	if out.Cc == nil {
		out.Cc = []desk.Address{}
	}
	if _, from, _, err := s.SenderOf(app, t.Mailbox); err == nil {
		out.From = &from
	} else if desk.CodeOf(err) == "" {
		return out, err
	}
	return out, nil
}

func (s *Conversations) pageOf(app core.App, t *ticket.Ticket, before string, limit int) (route.List[message.Shown], error) {
	found, more, err := message.Page(app, t.ID, before, limit)
	if err != nil {
		return route.List[message.Shown]{}, err
	}
	all, err := Show(app, t, found)
	next := ""
	if more && len(found) > 0 {
		next = found[0].ID
	}
	return route.ListOf(all, next), err
}

func (s *Conversations) messages(c *route.Call, in route.Page) (route.List[message.Shown], error) {
	t, err := s.of(c, "ticket.read")
	if err != nil {
		return route.List[message.Shown]{}, err
	}
	return s.pageOf(c.App, t, in.Cursor, in.Size())
}

// card is what the panel beside a ticket shows of its customer; other tickets
// only as far as the caller may see them.
func card(c *route.Call, t *ticket.Ticket) (customerCard, error) {
	who, err := customer.Find(c.App, t.Customer)
	if err != nil || who == nil {
		return customerCard{Tickets: []otherOfIt{}}, err
	}
	others, err := othersOf(c, t.Customer, t.ID, earlier)
	return customerCard{ticket.Person{ID: who.ID, Name: who.Shown(), Email: who.Email}, desk.MustStamp(who.Created), others}, err
}

func othersOf(c *route.Call, customerID, but string, limit int) ([]otherOfIt, error) {
	found, err := ticket.Where(c.App, "t.customer = ? AND t.id <> ? ORDER BY t.updated DESC LIMIT 100", customerID, but)
	if err != nil {
		return nil, err
	}
	out := []otherOfIt{}
	for _, o := range found {
		if len(out) < limit && access.CanTeam(c.Caller, "ticket.read", o.Team) {
			out = append(out, otherOfIt{o.Number, o.Subject, o.Status, desk.MustStamp(o.Created)})
		}
	}
	return out, nil
}

type readInput struct {
	Unread bool `json:"unread"`
}

func (s *Conversations) read(c *route.Call, in readInput) (route.None, error) {
	t, err := s.of(c, "ticket.read")
	if err != nil || c.Caller.Actor.Kind != desk.ActorAgent {
		return route.None{}, err
	}
	upTo := t.LastAt
	if in.Unread {
		upTo = 0
	}
	return route.None{}, ticket.MarkRead(c.App, c.Caller.Actor.ID, t.ID, upTo)
}

// Page is the page of a ticket by its number, for whoever made it just now.
func (s *Conversations) Page(c *route.Call, number int64) (any, error) {
	t, err := find(c.App, c.Caller, number, "ticket.read")
	if err != nil {
		return nil, err
	}
	return s.page(c, t)
}
