// Package ticket owns tickets: their life, their numbers, who takes part in
// them, tags, read marks and drafts.
//
// Every change goes through a verb of Tickets inside a transaction: Open,
// Change, Touch. A verb writes the row and its events together, and asks the
// guards first. A ticket belongs to exactly one team and one customer.
package ticket

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// firstNumber is the number of the first ticket of a desk.
const firstNumber = 1001

// maxSubject bounds a subject, in characters.
const maxSubject = 400

// Ticket is one matter of one customer.
type Ticket struct {
	ID           string
	Number       int64
	Subject      string
	Status       desk.Status
	Priority     desk.Priority
	Type         desk.Type
	Channel      desk.Channel
	Mailbox      string   // id of the mailbox it came through, "" for none
	Team         string   // id
	Assignee     string   // agent id, "" for nobody
	Customer     string   // id
	Tags         []string // ids
	LooksLike    []int64  // numbers of tickets it may belong to
	Preview      string   // the beginning of the last public message
	LastFrom     string   // "customer", "agent" or "system"
	LastAt       int64    // ms, of the last public message
	WaitingSince int64    // ms, since when the customer waits for us; 0 = does not
	HasFiles     bool
	Created      int64
	Updated      int64
	Solved       int64 // ms, 0 = is not solved
	Event        int64 // seq of its last event
}

// Tickets are the tickets of one desk.
type Tickets struct {
	log   *event.Log
	clock desk.Clock
	teams Teams
}

// Teams is what tickets ask about teams.
type Teams interface {
	Exists(app core.App, team string) (bool, error)
	// IsMember is about agents that still work here.
	IsMember(app core.App, team, agent string) (bool, error)
}

// New returns the tickets that log is about.
func New(log *event.Log, clock desk.Clock, teams Teams) *Tickets {
	return &Tickets{log: log, clock: clock, teams: teams}
}

// Opening is what a new ticket starts with; empty parts get their defaults.
type Opening struct {
	Subject   string
	Channel   desk.Channel
	Mailbox   string
	Team      string
	Customer  string
	Priority  desk.Priority // "" = normal
	Type      desk.Type     // "" = question
	Status    desk.Status   // "" = new
	Assignee  string
	Tags      []string // ids
	LooksLike []int64
	Preview   string
	LastFrom  string // "" = customer
	HasFiles  bool
	At        int64 // ms, when it was opened; 0 = now
	Reason    string
}

// Open makes a ticket in tx and gives it the next number.
func (s *Tickets) Open(tx core.App, by desk.Actor, o Opening) (*Ticket, error) {
	now := s.clock.Now()
	if o.At == 0 {
		o.At = desk.Millis(now)
	}
	number, err := nextNumber(tx)
	if err != nil {
		return nil, err
	}
	t := &Ticket{
		ID: desk.NewID(now), Number: number, Subject: CleanSubject(o.Subject), Channel: o.Channel, Mailbox: o.Mailbox,
		Team: o.Team, Customer: o.Customer, Assignee: o.Assignee, Tags: o.Tags, LooksLike: o.LooksLike, Preview: o.Preview,
		HasFiles: o.HasFiles, Created: o.At, Updated: o.At, LastAt: o.At,
		Status: or(o.Status, desk.StatusNew), Priority: or(o.Priority, desk.PriorityNormal), Type: or(o.Type, desk.TypeQuestion),
		LastFrom: or(o.LastFrom, "customer"),
	}
	if t.LastFrom == "customer" && t.Status.Active() {
		t.WaitingSince = o.At
	}
	t.Event, err = s.log.Append(tx, desk.Event{Kind: "ticket.opened", At: o.At, Ticket: t.ID, Actor: by, Reason: o.Reason, Subject: t.Customer, New: string(t.Status)},
		desk.Event{Kind: "ticket.moved", At: o.At, Ticket: t.ID, Actor: by, Reason: o.Reason, New: t.Team})
	if err != nil {
		return nil, err
	}
	return t, insert(tx, t)
}

func or[T ~string](v, def T) T {
	if v == "" {
		return def
	}
	return v
}

// CleanSubject makes a subject fit to keep: one line, bounded, valid UTF-8.
func CleanSubject(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
	if r := []rune(s); len(r) > maxSubject {
		s = string(r[:maxSubject-1]) + "…"
	}
	return s
}

// Touch notes that a public message came at a time: who spoke last, what it
// begins with, and whether the customer waits for us now.
func (s *Tickets) Touch(tx core.App, t *Ticket, from, preview string, at int64, hasFiles bool) error {
	if at >= t.LastAt {
		t.LastFrom, t.Preview, t.LastAt = from, preview, at
	}
	t.HasFiles = t.HasFiles || hasFiles
	switch {
	case from == "agent":
		t.WaitingSince = 0
	case from == "customer" && t.WaitingSince == 0:
		t.WaitingSince = at
	}
	return s.save(tx, t)
}

// Noted notes that something internal happened in t, so that lists show it as changed.
func (s *Tickets) Noted(tx core.App, t *Ticket) error { return s.save(tx, t) }

// Member reports whether an agent works in a team.
func (s *Tickets) Member(tx core.App, team, agent string) (bool, error) {
	return s.teams.IsMember(tx, team, agent)
}

// save writes t as changed now, with the last event of the log as its own.
func (s *Tickets) save(tx core.App, t *Ticket) error {
	seq, err := event.Last(tx)
	if err != nil {
		return err
	}
	t.Event = seq
	t.Updated = max(t.Updated, desk.Millis(s.clock.Now()))
	return update(tx, t)
}

// HasTag reports whether the ticket carries the tag of the given id.
func (t *Ticket) HasTag(id string) bool { return slices.Contains(t.Tags, id) }
