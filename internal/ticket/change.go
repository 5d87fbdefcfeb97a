package ticket

import (
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Change is what may be changed of a ticket; nil leaves a part as it is.
type Change struct {
	Status   *desk.Status
	Priority *desk.Priority
	Type     *desk.Type
	Team     *string   // id
	Assignee *string   // agent id, "" = nobody
	Tags     *[]string // ids, all of them
	Subject  *string
	Reason   string // code of why, "" when the actor says enough
}

// Change applies a change to t in tx, with one event for each part that really
// changed. It errs with a desk.Error when a value is unknown or a guard refuses;
// tx has to be rolled back then.
func (s *Tickets) Change(tx core.App, by desk.Actor, t *Ticket, c Change) error {
	parts := []func(core.App, desk.Actor, *Ticket, Change) (*desk.Event, error){
		s.changeSubject, s.changeTeam, s.changeAssignee, s.changePriority, s.changeType, s.changeStatus,
	}
	var events []desk.Event
	for _, part := range parts {
		e, err := part(tx, by, t, c)
		if err != nil {
			return err
		}
		if e != nil {
			events = append(events, *e)
		}
	}
	tags, err := s.changeTags(tx, by, t, c)
	if err != nil {
		return err
	}
	if events = append(events, tags...); len(events) == 0 {
		return nil
	}
	for i := range events {
		events[i].Ticket, events[i].Actor, events[i].Reason = t.ID, by, c.Reason
	}
	if _, err := s.log.Append(tx, events...); err != nil {
		return err
	}
	return s.save(tx, t)
}

func (s *Tickets) changeSubject(_ core.App, _ desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	if c.Subject == nil {
		return nil, nil
	}
	subject := CleanSubject(*c.Subject)
	if subject == "" {
		return nil, desk.Errorf(desk.Invalid, "Give the ticket a subject.")
	}
	if subject == t.Subject {
		return nil, nil
	}
	e := &desk.Event{Kind: "ticket.renamed", Detail: map[string]any{"old": t.Subject, "new": subject}}
	t.Subject = subject
	return e, nil
}

func (s *Tickets) changeTeam(tx core.App, _ desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	if c.Team == nil || *c.Team == t.Team {
		return nil, nil
	}
	known, err := s.teams.Exists(tx, *c.Team)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, desk.Errorf(desk.Invalid, "This team does not exist any more; choose another.")
	}
	e := &desk.Event{Kind: "ticket.moved", Old: t.Team, New: *c.Team}
	t.Team = *c.Team
	return e, nil
}

// changeAssignee also takes the ticket from somebody who is not in its (new) team.
func (s *Tickets) changeAssignee(tx core.App, _ desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	to := t.Assignee
	if c.Assignee != nil {
		to = *c.Assignee
	}
	if to != "" && (c.Assignee != nil || c.Team != nil) {
		member, err := s.teams.IsMember(tx, t.Team, to)
		if err != nil {
			return nil, err
		}
		if !member && c.Assignee != nil {
			return nil, desk.Errorf(desk.Invalid, "This person is not in the ticket's team; add them to the team or choose somebody else.")
		}
		if !member {
			to = ""
		}
	}
	if to == t.Assignee {
		return nil, nil
	}
	e := &desk.Event{Kind: "ticket.assigned", Old: t.Assignee, New: to}
	if to == "" {
		e.Kind = "ticket.unassigned"
	}
	t.Assignee = to
	return e, nil
}

func (s *Tickets) changePriority(_ core.App, _ desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	if c.Priority == nil || *c.Priority == t.Priority {
		return nil, nil
	}
	if !c.Priority.Valid() {
		return nil, unknown("priority", string(*c.Priority), words(desk.Priorities))
	}
	e := &desk.Event{Kind: "ticket.prioritized", Old: string(t.Priority), New: string(*c.Priority)}
	t.Priority = *c.Priority
	return e, nil
}

func (s *Tickets) changeType(_ core.App, _ desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	if c.Type == nil || *c.Type == t.Type {
		return nil, nil
	}
	if !c.Type.Valid() {
		return nil, unknown("type", string(*c.Type), words(desk.Types))
	}
	e := &desk.Event{Kind: "ticket.retyped", Old: string(t.Type), New: string(*c.Type)}
	t.Type = *c.Type
	return e, nil
}

func (s *Tickets) changeStatus(tx core.App, by desk.Actor, t *Ticket, c Change) (*desk.Event, error) {
	if c.Status == nil || *c.Status == t.Status {
		return nil, nil
	}
	to := *c.Status
	if !to.Valid() {
		return nil, unknown("status", string(to), words(desk.Statuses))
	}
	if to == desk.StatusNew {
		return nil, desk.Errorf(desk.Invalid, "A ticket is new only until somebody works on it; use open.")
	}
	e := &desk.Event{Kind: "ticket.status_changed", Ticket: t.ID, Actor: by, Old: string(t.Status), New: string(to)}
	switch {
	case to.Finished() && !t.Status.Finished():
		e.Kind = "ticket.solved"
		if err := s.log.WillBe(tx, "ticket.solveWillBe", *e); err != nil {
			return nil, err
		}
		t.Solved, t.WaitingSince = desk.Millis(s.clock.Now()), 0
	case !to.Finished() && t.Status.Finished():
		e.Kind = "ticket.reopened"
		t.Solved = 0
		if t.LastFrom == "customer" {
			t.WaitingSince = t.LastAt
		}
	}
	if to == desk.StatusPending {
		t.WaitingSince = 0
	}
	t.Status = to
	return e, nil
}

func (s *Tickets) changeTags(tx core.App, _ desk.Actor, t *Ticket, c Change) ([]desk.Event, error) {
	if c.Tags == nil {
		return nil, nil
	}
	tags := slices.Clone(*c.Tags)
	slices.Sort(tags)
	tags = slices.Compact(tags)
	var events []desk.Event
	for _, tag := range tags {
		if !t.HasTag(tag) {
			events = append(events, desk.Event{Kind: "ticket.tagged", New: tag})
		}
	}
	for _, tag := range t.Tags {
		if !slices.Contains(tags, tag) {
			events = append(events, desk.Event{Kind: "ticket.untagged", Old: tag})
		}
	}
	t.Tags = tags
	if len(events) == 0 {
		return nil, nil
	}
	return events, setTags(tx, t.ID, tags)
}

func unknown(field, value string, all string) error {
	return desk.Errorf(desk.Invalid, "There is no %s %q; use %s.", field, value, all).
		With(field, map[string]string{"code": "unknown", "message": "Use " + all + "."})
}

func words[T ~string](all []T) string {
	s := make([]string, len(all))
	for i, v := range all {
		s[i] = string(v)
	}
	return strings.Join(s, ", ")
}

// Solve is Change to solved.
func (s *Tickets) Solve(tx core.App, by desk.Actor, t *Ticket, reason string) error {
	to := desk.StatusSolved
	return s.Change(tx, by, t, Change{Status: &to, Reason: reason})
}

// Reopen is Change to open.
func (s *Tickets) Reopen(tx core.App, by desk.Actor, t *Ticket, reason string) error {
	to := desk.StatusOpen
	return s.Change(tx, by, t, Change{Status: &to, Reason: reason})
}
