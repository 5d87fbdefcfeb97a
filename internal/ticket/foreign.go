package ticket

import (
	"fmt"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// changeable are the columns that a foreign write may change; the others follow
// from what happens.
var changeable = []string{"subject", "status", "priority", "type", "team", "assignee", "tags"}

// BindForeign turns changes that come through PocketBase's REST, SDK or admin
// UI into the same verbs, and refuses what no verb does.
func (s *Tickets) BindForeign(app core.App) {
	app.OnRecordUpdateRequest(Collection).BindFunc(s.foreignChange)
	app.OnRecordCreateRequest(Collection).BindFunc(func(*core.RecordRequestEvent) error {
		return router.NewForbiddenError("Open tickets through POST /api/desk/tickets, which gives them a number and a place in the log.", nil)
	})
	app.OnRecordDeleteRequest(Collection).BindFunc(func(*core.RecordRequestEvent) error {
		return router.NewForbiddenError("Tickets are not deleted here: their messages and the log would lose them. Solve it instead.", nil)
	})
	app.OnRecordCreateRequest(tagCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return event.Within(e, func(tx core.App) error {
			e.Record.Set("created", desk.Millis(s.clock.Now()))
			if e.Record.Id == "" {
				e.Record.Id = desk.NewID(s.clock.Now())
			}
			_, err := s.log.Append(tx, desk.Event{Kind: "tag.created", Subject: e.Record.Id, Actor: event.Foreign(e.RequestEvent)})
			return err
		})
	})
	app.OnRecordUpdateRequest(tagCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return event.Within(e, func(tx core.App) error {
			e.Record.Set("created", e.Record.Original().Get("created"))
			_, err := s.log.Append(tx, desk.Event{Kind: "tag.renamed", Subject: e.Record.Id, Actor: event.Foreign(e.RequestEvent)})
			return err
		})
	})
	app.OnRecordDeleteRequest(tagCollection).BindFunc(s.foreignTagDelete)
}

func (s *Tickets) foreignTagDelete(e *core.RecordRequestEvent) error {
	return event.Within(e, func(tx core.App) error {
		n, err := carriers(tx, e.Record.Id)
		if err != nil {
			return err
		}
		if n > 0 {
			return desk.Errorf(desk.Refused, "%d tickets carry this tag; take it off them first.", n)
		}
		_, err = s.log.Append(tx, desk.Event{Kind: "tag.deleted", Subject: e.Record.Id, Actor: event.Foreign(e.RequestEvent)})
		return err
	})
}

func (s *Tickets) foreignChange(e *core.RecordRequestEvent) error {
	return event.Within(e, func(tx core.App) error {
		before := e.Record.Original()
		for _, name := range e.Record.Collection().Fields.FieldNames() {
			if !slices.Contains(changeable, name) && fmt.Sprint(e.Record.GetRaw(name)) != fmt.Sprint(before.GetRaw(name)) {
				return desk.Errorf(desk.Refused, "%s follows from what happens to the ticket and can't be set; these can: subject, status, priority, type, team, assignee, tags.", name)
			}
		}
		t, err := Find(tx, e.Record.Id)
		if err != nil {
			return err
		}
		if t == nil {
			return desk.Errorf(desk.NotFound, "There is no such ticket.")
		}
		c, err := changeOf(e.Record, before)
		if err != nil {
			return err
		}
		if err := s.Change(tx, event.Foreign(e.RequestEvent), t, c); err != nil {
			return err
		}
		fill(e.Record, t)
		return nil
	})
}

// changeOf is what a record changes, each part only where it differs.
func changeOf(now, before *core.Record) (c Change, err error) {
	differs := func(name string) bool { return fmt.Sprint(now.GetRaw(name)) != fmt.Sprint(before.GetRaw(name)) }
	text := func(name string) *string {
		if !differs(name) {
			return nil
		}
		v := now.GetString(name)
		return &v
	}
	c.Subject, c.Team, c.Assignee = text("subject"), text("team"), text("assignee")
	if v := text("status"); v != nil {
		c.Status = new(desk.Status(*v))
	}
	if v := text("priority"); v != nil {
		c.Priority = new(desk.Priority(*v))
	}
	if v := text("type"); v != nil {
		c.Type = new(desk.Type(*v))
	}
	if differs("tags") {
		var tags []string
		if err := now.UnmarshalJSONField("tags", &tags); err != nil {
			return c, desk.Errorf(desk.Invalid, "tags must be a list of tag ids.")
		}
		c.Tags = &tags
	}
	return c, nil
}

// fill makes the record what the verb has made of the ticket, so that saving it
// changes nothing more.
func fill(r *core.Record, t *Ticket) {
	for name, value := range map[string]any{
		"subject": t.Subject, "status": string(t.Status), "priority": string(t.Priority), "type": string(t.Type), "team": t.Team,
		"assignee": t.Assignee, "tags": t.Tags, "rank": rank[t.Priority], "waiting_since": t.WaitingSince, "updated": t.Updated,
		"solved": t.Solved, "event": t.Event,
	} {
		r.Set(name, value)
	}
	if t.Tags == nil {
		r.Set("tags", []string{})
	}
}
