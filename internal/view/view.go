// Package view lists tickets: the rows of a view, one page at a time, and how
// many there are in each.
//
// A list is one limited index walk for each pair of team and status, put
// together by UNION ALL: its cost depends on the page, not on the desk.
//
// It is a read model: it writes nothing, and query.go alone may name the tables
// and columns of tickets, their tags, numbers and read marks, and of customers,
// because a list joined in Go would cost fifty look-ups a page. Who changes one
// of those columns changes it there, too.
package view

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
)

// The views that are always there.
const (
	Inbox      = "inbox"      // mine, and not finished
	Unassigned = "unassigned" // nobody's, new or open
	All        = "all"        // every ticket one may see
)

// Query is what a list is asked for.
type Query struct {
	route.Page
	View     string `query:"view" json:"-"`     // "" = all
	Status   string `query:"status" json:"-"`   // words with commas between, "" = those of the view
	Team     string `query:"team" json:"-"`     // id
	Assignee string `query:"assignee" json:"-"` // agent id, "none" for nobody, "" = any
	Customer string `query:"customer" json:"-"` // id
	Tag      string `query:"tag" json:"-"`      // name
	Q        string `query:"q" json:"-"`        // words of subject, customer or a ticket number
	Sort     string `query:"sort" json:"-"`     // updated, -updated (the default), created, -created, priority
}

// plan is a query made ready: what each walk is limited to, and its order.
type plan struct {
	teams    []string // nil = all
	statuses []desk.Status
	assignee *string
	customer string
	tag      string
	words    string
	order    order
	after    []string // values of the order's columns to go on behind
	limit    int
	none     bool // nothing can match
}

type order struct {
	name    string
	columns []string // without alias
	desc    bool
}

var orders = map[string]order{
	"-updated": {"-updated", []string{"updated", "id"}, true},
	"updated":  {"updated", []string{"updated", "id"}, false},
	"-created": {"-created", []string{"created", "id"}, true},
	"created":  {"created", []string{"created", "id"}, false},
	"priority": {"priority", []string{"rank", "updated", "id"}, true},
}

// ready turns a query of a caller into a plan; what is wrong gets a sentence.
func ready(c *route.Caller, q Query) (*plan, error) {
	p := &plan{limit: q.Size(), customer: q.Customer, tag: q.Tag, words: strings.TrimSpace(q.Q)}
	if err := p.scope(c, q); err != nil {
		return nil, err
	}
	if err := p.view(c, q); err != nil {
		return nil, err
	}
	if q.Status != "" {
		p.statuses = nil
		for _, s := range strings.Split(q.Status, ",") {
			if !desk.Status(s).Valid() {
				return nil, desk.Errorf(desk.Invalid, "There is no status %q; use new, open, pending, on_hold, solved or closed.", s)
			}
			if !slices.Contains(p.statuses, desk.Status(s)) {
				p.statuses = append(p.statuses, desk.Status(s))
			}
		}
	}
	sort := q.Sort
	if sort == "" {
		sort = "-updated"
	}
	var known bool
	if p.order, known = orders[sort]; !known {
		return nil, desk.Errorf(desk.Invalid, "There is no order %q; use updated, -updated, created, -created or priority.", q.Sort)
	}
	return p, p.goOn(q.Cursor)
}

func (p *plan) scope(c *route.Caller, q Query) error {
	all, teams := access.Scope(c, "ticket.read")
	switch {
	case all && q.Team != "":
		p.teams = []string{q.Team}
	case all:
	case q.Team == "":
		p.teams = teams
	case slices.Contains(teams, q.Team):
		p.teams = []string{q.Team}
	default:
		return desk.Errorf(desk.NotFound, "There is no such team.")
	}
	p.none = !all && len(p.teams) == 0
	return nil
}

func (p *plan) view(c *route.Caller, q Query) error {
	switch q.View {
	case "", All:
	case Inbox:
		p.assignee = &c.Actor.ID
		p.statuses = []desk.Status{desk.StatusNew, desk.StatusOpen}
	case Unassigned:
		nobody := ""
		p.assignee = &nobody
		p.statuses = []desk.Status{desk.StatusNew, desk.StatusOpen}
	default:
		return desk.Errorf(desk.NotFound, "There is no such view; use inbox, unassigned or all.")
	}
	switch q.Assignee {
	case "":
	case "none":
		nobody := ""
		p.assignee = &nobody
	default:
		p.assignee = &q.Assignee
	}
	return nil
}

// goOn reads a cursor: the order's name and the last row's values.
func (p *plan) goOn(cursor string) error {
	if cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.Split(string(text), "|")
	if err != nil || parts[0] != p.order.name || len(parts) != len(p.order.columns)+1 {
		return desk.Errorf(desk.Invalid, "This cursor is of another list; start again without it.")
	}
	p.after = parts[1:]
	return nil
}

// next is the cursor behind a ticket.
func (p *plan) next(t *ticket.Ticket) string {
	values := []string{p.order.name}
	for _, column := range p.order.columns {
		switch column {
		case "updated":
			values = append(values, strconv.FormatInt(t.Updated, 10))
		case "created":
			values = append(values, strconv.FormatInt(t.Created, 10))
		case "rank":
			values = append(values, strconv.Itoa(slices.Index(desk.Priorities, t.Priority)))
		case "id":
			values = append(values, t.ID)
		}
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(values, "|")))
}
