package ticket

import (
	"context"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// handBackAtOnce is how many tickets one transaction takes from somebody.
const handBackAtOnce = 200

// HandBack takes unfinished tickets from agents who are not in their team any
// more: whoever stops working here, leaves a team, or left before a ticket came
// back. Each then waits unassigned in its team. It reads the log, durably, until
// ctx ends.
func (s *Tickets) HandBack(ctx context.Context, app core.App) error {
	return s.log.Follow(ctx, "ticket.hand_back", func(ctx context.Context, events []desk.Event) error {
		for _, e := range events {
			if err := s.handBackAfter(ctx, app, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Tickets) handBackAfter(ctx context.Context, app core.App, e desk.Event) error {
	switch e.Kind {
	case "agent.left", "agent.teams_changed":
		return s.handBackAll(ctx, app, e, e.Subject)
	case "team.changed":
		stay := strings.Split(e.New, ",")
		for _, agent := range strings.Split(e.Old, ",") {
			if agent == "" || slices.Contains(stay, agent) {
				continue
			}
			if err := s.handBackAll(ctx, app, e, agent); err != nil {
				return err
			}
		}
	case "ticket.reopened":
		return app.RunInTransaction(func(tx core.App) error {
			t, err := Find(tx, e.Ticket)
			if err != nil || t == nil || t.Assignee == "" {
				return err
			}
			return s.handBack(tx, e.Actor, t)
		})
	}
	return nil
}

// handBackAll takes an agent's tickets, each that is not in a team of theirs.
func (s *Tickets) handBackAll(ctx context.Context, app core.App, e desk.Event, agent string) error {
	mine, err := unfinishedOf(app, agent)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(mine, handBackAtOnce) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := app.RunInTransaction(func(tx core.App) error {
			for _, id := range some {
				t, err := Find(tx, id)
				if err != nil {
					return err
				}
				if t == nil || t.Assignee != agent {
					continue
				}
				if err := s.handBack(tx, e.Actor, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// handBack takes t from its assignee, unless that is in its team still.
func (s *Tickets) handBack(tx core.App, by desk.Actor, t *Ticket) error {
	if t.Status.Finished() {
		return nil
	}
	member, err := s.teams.IsMember(tx, t.Team, t.Assignee)
	if err != nil || member {
		return err
	}
	nobody := ""
	return s.Change(tx, by, t, Change{Assignee: &nobody, Reason: "left_team"})
}

// unfinishedOf lists the ids of an agent's tickets that wait for somebody.
func unfinishedOf(app core.App, agent string) ([]string, error) {
	found, err := Where(app, "t.assignee = ? AND t.status IN ('new', 'open', 'pending', 'on_hold')", agent)
	ids := make([]string, len(found))
	for i, t := range found {
		ids[i] = t.ID
	}
	return ids, err
}
