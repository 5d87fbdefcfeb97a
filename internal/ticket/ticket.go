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
	Preview      string   // the beginning of the public message learned last
	LastFrom     string   // "customer", "agent" or "system"
	LastAt       int64    // ms, when the desk learned of it; grows with every message
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
	At        int64 // ms, when its first message reached us; 0 = now
	Arrived   int64 // ms, when the desk learned of that; 0 = now
	Reason    string
}

// Open makes a ticket in tx and gives it the next number.
func (s *Tickets) Open(tx core.App, by desk.Actor, o Opening) (*Ticket, error) {
	now := s.clock.Now()
	if o.At == 0 {
		o.At = desk.Millis(now)
	}
	if o.Arrived == 0 {
		o.Arrived = max(o.At, desk.Millis(now))
	}
	number, err := nextNumber(tx)
	if err != nil {
		return nil, err
	}
	t := &Ticket{
		ID: desk.NewID(now), Number: number, Subject: CleanSubject(o.Subject), Channel: o.Channel, Mailbox: o.Mailbox,
		Team: o.Team, Customer: o.Customer, Assignee: o.Assignee, Tags: o.Tags, LooksLike: o.LooksLike, Preview: o.Preview,
		HasFiles: o.HasFiles, Created: o.At, Updated: o.Arrived, LastAt: o.Arrived,
		Status: or(o.Status, desk.StatusNew), Priority: or(o.Priority, desk.PriorityNormal), Type: or(o.Type, desk.TypeQuestion),
		LastFrom: or(o.LastFrom, "customer"),
	}
	if t.LastFrom == "customer" && t.Status.Active() {
		t.WaitingSince = o.At
	}
	if t.Status.Finished() {
		t.Solved = o.Arrived
	}
	if t.Event, err = s.log.Append(tx, t.openingEvents(by, o)...); err != nil {
		return nil, err
	}
	return t, insert(tx, t)
}

// openingEvents are what a new ticket begins its log with: what it is given
// beside the defaults has an event of its own, as if it was changed at once.
func (t *Ticket) openingEvents(by desk.Actor, o Opening) []desk.Event {
	events := []desk.Event{
		{Kind: "ticket.opened", Reason: o.Reason, Subject: t.Customer, New: string(t.Status)},
		{Kind: "ticket.moved", Reason: o.Reason, New: t.Team},
	}
	if t.Priority != desk.PriorityNormal {
		events = append(events, desk.Event{Kind: "ticket.prioritized", Old: string(desk.PriorityNormal), New: string(t.Priority)})
	}
	if t.Type != desk.TypeQuestion {
		events = append(events, desk.Event{Kind: "ticket.retyped", Old: string(desk.TypeQuestion), New: string(t.Type)})
	}
	if t.Assignee != "" {
		events = append(events, desk.Event{Kind: "ticket.assigned", New: t.Assignee})
	}
	for _, tag := range t.Tags {
		events = append(events, desk.Event{Kind: "ticket.tagged", New: tag})
	}
	for i := range events {
		events[i].At, events[i].Ticket, events[i].Actor = t.Created, t.ID, by
	}
	return events
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

// Said is a public message as its ticket shows it in lists.
type Said struct {
	From     string // "customer", "agent" or "system"
	Preview  string
	At       int64 // ms, when it was said
	Arrived  int64 // ms, when the desk learned of it
	HasFiles bool
}

// Touch notes that a public message came: who spoke last, what it begins with,
// and whether the customer waits for us now. What comes last is last, however
// old it is.
func (s *Tickets) Touch(tx core.App, t *Ticket, m Said) error {
	t.LastFrom, t.Preview, t.LastAt = m.From, m.Preview, max(m.Arrived, t.LastAt+1)
	t.HasFiles = t.HasFiles || m.HasFiles
	switch {
	case m.From == "agent":
		t.WaitingSince = 0
	case m.From == "customer" && (t.WaitingSince == 0 || m.At < t.WaitingSince):
		t.WaitingSince = m.At
	}
	return s.save(tx, t)
}

// Unsay makes t show what is there after a message was taken back: the message
// that is the last one now, the zero Said for none, and since when the customer
// waits, 0 for not. HasFiles tells of all messages.
func (s *Tickets) Unsay(tx core.App, t *Ticket, last Said, waitingSince int64) error {
	if last.From == "" {
		last.From, last.Arrived = "customer", t.Created
	}
	t.LastFrom, t.Preview, t.LastAt, t.HasFiles, t.WaitingSince = last.From, last.Preview, last.Arrived, last.HasFiles, waitingSince
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
