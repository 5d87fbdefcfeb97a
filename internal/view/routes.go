package view

import (
	"slices"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Row is a ticket as lists show it.
type Row struct {
	ticket.Shown
	Preview      string  `json:"preview"`
	LastFrom     string  `json:"last_from"`
	LastAt       *string `json:"last_at"`
	WaitingSince *string `json:"waiting_since"` // since when the customer waits for us
	Unread       bool    `json:"unread"`
	Draft        *string `json:"draft"` // beginning of the caller's draft, null for none
	Attachments  bool    `json:"attachments"`
}

// Routes adds the list and the counts.
func Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/tickets", Permission: "ticket.read", Summary: "The tickets of a view, one page"}, List)
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/counts", Permission: route.SignedIn, Summary: "How many tickets wait in each view"}, counts)
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/tags", Permission: route.SignedIn, Summary: "The tags"},
		func(c *route.Call, _ route.None) (route.List[ticket.Tag], error) {
			all, err := ticket.Tags(c.App)
			return route.ListOf(all, ""), err
		})
}

// List answers one page of a view.
func List(c *route.Call, q Query) (route.List[Row], error) {
	p, err := ready(c.Caller, q)
	if err != nil {
		return route.List[Row]{}, err
	}
	found, err := p.rows(c.App, c.Caller.Actor.ID)
	if err != nil {
		return route.List[Row]{}, err
	}
	next := ""
	if len(found) > p.limit {
		found = found[:p.limit]
		next = p.next(found[p.limit-1].Ticket)
	}
	n, err := namesFor(c.App, c.Caller.Actor.ID, found)
	if err != nil {
		return route.List[Row]{}, err
	}
	out := make([]Row, len(found))
	for i, r := range found {
		out[i] = n.show(r)
	}
	return route.ListOf(out, next), nil
}

// names are what the rows of one page need besides themselves.
type names struct{ teams, agents, tags, drafts map[string]string }

func namesFor(app core.App, agent string, rows []row) (n names, err error) {
	if len(rows) == 0 {
		return n, nil
	}
	if n.teams, err = team.Names(app); err != nil {
		return n, err
	}
	var assignees []string
	for _, r := range rows {
		if r.Assignee != "" && !slices.Contains(assignees, r.Assignee) {
			assignees = append(assignees, r.Assignee)
		}
	}
	if n.agents, err = access.Names(app, desk.ActorAgent, assignees); err != nil {
		return n, err
	}
	if n.drafts, err = ticket.DraftPreviews(app, agent); err != nil {
		return n, err
	}
	n.tags, err = tagNames(app, rows)
	return n, err
}

func (n names) show(r row) Row {
	name := (&customer.Customer{Name: r.customer, Email: r.email}).Shown()
	out := Row{
		Shown:   r.Show(ticket.Person{ID: r.Ticket.Customer, Name: name, Email: r.email}, n.teams[r.Team], n.agents[r.Assignee], n.tags),
		Preview: r.Preview, LastFrom: r.LastFrom, LastAt: desk.Stamp(r.LastAt), WaitingSince: desk.Stamp(r.WaitingSince),
		Unread: r.LastFrom == "customer" && r.LastAt > r.readAt && !r.Status.Finished(), Attachments: r.HasFiles,
	}
	if draft, ok := n.drafts[r.ID]; ok {
		out.Draft = &draft
	}
	return out
}

// tagNames reads the names of tags only when a row has any.
func tagNames(app core.App, rows []row) (map[string]string, error) {
	for _, r := range rows {
		if len(r.Tags) > 0 {
			return ticket.TagNames(app)
		}
	}
	return nil, nil
}

type countsOut struct {
	Counts
	OutboxAttention int `json:"outbox_attention"`
	Quarantine      int `json:"quarantine"`
}

func counts(c *route.Call, _ route.None) (out countsOut, err error) {
	all, teams := access.Scope(c.Caller, "ticket.read")
	if all {
		teams = nil
	} else if teams == nil {
		teams = []string{}
	}
	if out.Counts, err = count(c.App, c.Caller.Actor.ID, teams); err != nil {
		return out, err
	}
	if out.OutboxAttention, err = outbox.CountAttention(c.App, outboxOf(c.Caller)); err != nil {
		return out, err
	}
	if c.Caller.Has("quarantine.read") {
		out.Quarantine, err = file.CountQuarantined(c.App)
	}
	return out, err
}

// outboxOf limits deliveries to those of tickets that a caller may see.
func outboxOf(who *route.Caller) outbox.Scope {
	all, teams := access.Scope(who, "outbox.read")
	if all {
		return outbox.Scope{}
	}
	cond, args := ticket.InTeams("d.ticket", teams)
	return outbox.Scope{Cond: cond, Args: args}
}
