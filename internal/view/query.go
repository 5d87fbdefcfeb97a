package view

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// row is a ticket with what a list shows of its neighbours.
type row struct {
	*ticket.Ticket
	customer, email string
	readAt          int64
}

// rows reads one page of a plan for an agent ("" for a caller without read
// marks). Names of teams and agents are few and read apart: fifty look-ups less.
func (p *plan) rows(app core.App, agent string) ([]row, error) {
	if p.none {
		return nil, nil
	}
	walks, args := p.walks()
	var out []row
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var v row
		t, err := ticket.Scan(r, &v.customer, &v.email, &v.readAt)
		v.Ticket = t
		out = append(out, v)
		return err
	}, `SELECT `+ticket.Columns+`, c.name, c.email, coalesce(rd.at, 0)
		FROM (`+walks+`) x JOIN tickets t ON t.rowid = x.rid JOIN customers c ON c.id = t.customer
		LEFT JOIN ticket_reads rd ON rd.agent = ? AND rd.ticket = t.id
		ORDER BY `+p.orderBy("t."), append(args, agent)...)
	return out, err
}

func (p *plan) orderBy(alias string) string {
	parts := make([]string, len(p.order.columns))
	for i, c := range p.order.columns {
		parts[i] = alias + c
		if p.order.desc {
			parts[i] += " DESC"
		}
	}
	return strings.Join(parts, ", ")
}

// walks is the SQL that chooses the page's rows: one limited walk for each team
// and status, and the best of them.
func (p *plan) walks() (string, []any) {
	teams, statuses := p.teams, p.statuses
	if teams == nil {
		teams = []string{""}
	}
	if statuses == nil {
		statuses = []desk.Status{""}
	}
	var parts []string
	var args []any
	for _, team := range teams {
		for _, status := range statuses {
			where, a := p.conditions(team, status)
			parts = append(parts, fmt.Sprintf("SELECT * FROM (SELECT rowid AS rid, %s FROM tickets WHERE %s ORDER BY %s LIMIT %d)",
				strings.Join(p.order.columns, ", "), where, p.orderBy(""), p.limit+1))
			args = append(args, a...)
		}
	}
	return fmt.Sprintf("SELECT rid FROM (%s) ORDER BY %s LIMIT %d", strings.Join(parts, " UNION ALL "), p.orderBy(""), p.limit+1), args
}

func (p *plan) conditions(team string, status desk.Status) (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(cond string, v ...any) {
		where = append(where, cond)
		args = append(args, v...)
	}
	if team != "" {
		add("team = ?", team)
	}
	if status != "" {
		add("status = ?", string(status))
	}
	switch {
	case p.assignee == nil:
	case *p.assignee == "":
		add("assignee = ''") // as the partial index says it
	default:
		add("assignee = ?", *p.assignee)
	}
	if p.customer != "" {
		add("customer = ?", p.customer)
	}
	if p.tag != "" {
		add("id IN (SELECT ticket FROM ticket_tags WHERE tag = (SELECT id FROM tags WHERE name = ? COLLATE NOCASE))", p.tag)
	}
	p.search(add)
	if p.after != nil {
		sign := map[bool]string{true: "<", false: ">"}[p.order.desc]
		marks := strings.Split(strings.Repeat("? ", len(p.after)), " ")[:len(p.after)]
		values := make([]any, len(p.after))
		for i, v := range p.after {
			values[i] = v
			if p.order.columns[i] != "id" {
				marks[i] = "CAST(? AS INTEGER)"
			}
		}
		add(fmt.Sprintf("(%s) %s (%s)", strings.Join(p.order.columns, ", "), sign, strings.Join(marks, ", ")), values...)
	}
	return strings.Join(where, " AND "), args
}

const (
	maxWords = 8   // of a search; the rest would not narrow it further
	maxWord  = 100 // bytes
)

// search limits a walk to tickets whose number, subject, preview or customer
// holds every word.
func (p *plan) search(add func(string, ...any)) {
	words := strings.Fields(p.words)
	for _, word := range words[:min(len(words), maxWords)] {
		word = word[:min(len(word), maxWord)]
		if number := strings.TrimPrefix(word, "#"); number != word {
			add("id = (SELECT ticket FROM ticket_numbers WHERE number = CAST(? AS INTEGER))", number)
			continue
		}
		like := "%" + escapeLike(word) + "%"
		add(`(subject LIKE ? ESCAPE '\' OR preview LIKE ? ESCAPE '\' OR number = CAST(? AS INTEGER) OR customer IN
			(SELECT id FROM customers WHERE name LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\'))`, like, like, word, like, like)
	}
}

var likeSpecial = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

func escapeLike(s string) string { return likeSpecial.Replace(s) }

// Counts is how many tickets wait in each view of a caller.
type Counts struct {
	Inbox      int            `json:"inbox"`
	Unassigned int            `json:"unassigned"`
	All        int            `json:"all"`     // new and open
	Waiting    int            `json:"waiting"` // for the customer
	Teams      map[string]int `json:"teams"`   // new and open, by team id
}

// count counts for an agent within teams; nil teams are all.
func count(app core.App, agent string, teams []string) (Counts, error) {
	c := Counts{Teams: map[string]int{}}
	where, args := "1", []any{}
	if teams != nil {
		where = "team IN (" + sqlite.Marks(len(teams)) + ")"
		for _, t := range teams {
			args = append(args, t)
		}
	}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var team string
		var waiting, active, mine, nobody int
		err := r.Scan(&team, &waiting, &active, &mine, &nobody)
		c.Teams[team] = active
		c.All, c.Waiting, c.Inbox, c.Unassigned = c.All+active, c.Waiting+waiting, c.Inbox+mine, c.Unassigned+nobody
		return err
	}, `SELECT team, sum(status = 'pending'), sum(status <> 'pending'), sum(status <> 'pending' AND assignee = ?), sum(status <> 'pending' AND assignee = '')
		FROM tickets WHERE status IN ('new','open','pending') AND `+where+` GROUP BY team`, append([]any{agent}, args...)...)
	return c, err
}
