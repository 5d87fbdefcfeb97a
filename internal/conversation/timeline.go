package conversation

import (
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// ShownEvent is one thing that happened to a ticket; old and new are names
// where the log holds ids.
type ShownEvent struct {
	Seq     int64               `json:"seq"`
	At      string              `json:"at"`
	Kind    string              `json:"kind"`
	Actor   message.ShownAuthor `json:"actor"`
	Message *string             `json:"message"`
	Old     string              `json:"old"`
	New     string              `json:"new"`
	Reason  message.ShownReason `json:"reason"`
	Detail  map[string]any      `json:"detail,omitempty"`
}

// timeline lists what happened to a ticket, oldest first.
func timeline(app core.App, t *ticket.Ticket) ([]ShownEvent, error) {
	events, err := event.OfTicket(app, t.ID)
	if err != nil {
		return nil, err
	}
	name, err := resolver(app, events)
	if err != nil {
		return nil, err
	}
	out := make([]ShownEvent, len(events))
	for i, e := range events {
		out[i] = ShownEvent{
			Seq: e.Seq, At: desk.MustStamp(e.At), Kind: e.Kind, Actor: message.ShownAuthor{Kind: e.Actor.Kind, ID: e.Actor.ID, Name: name(e.Actor)},
			Old: value(e.Kind, e.Old, name), New: value(e.Kind, e.New, name),
			Reason: message.ShownReason{Code: e.Reason, Text: why(desk.Reason{Code: e.Reason})}, Detail: e.Detail,
		}
		if e.Message != "" {
			out[i].Message = &e.Message
		}
	}
	return out, nil
}

// Kinds of names that are no actors.
const (
	teamName desk.ActorKind = "team"
	tagName  desk.ActorKind = "tag"
)

// value turns an id in an event into a name.
func value(kind, v string, name func(desk.Actor) string) string {
	if v == "" {
		return ""
	}
	switch {
	case kind == "ticket.moved":
		return name(desk.Actor{Kind: teamName, ID: v})
	case strings.HasSuffix(kind, "assigned"):
		return name(desk.Agent(v))
	case strings.HasSuffix(kind, "tagged"):
		return name(desk.Actor{Kind: tagName, ID: v})
	}
	return v
}

// resolver reads the names that events need, once.
func resolver(app core.App, events []desk.Event) (func(desk.Actor) string, error) {
	ids := map[desk.ActorKind][]string{}
	for _, e := range events {
		ids[e.Actor.Kind] = append(ids[e.Actor.Kind], e.Actor.ID)
		if strings.HasSuffix(e.Kind, "assigned") {
			ids[desk.ActorAgent] = append(ids[desk.ActorAgent], e.Old, e.New)
		}
	}
	found, err := names(app, ids)
	if err != nil {
		return nil, err
	}
	teams, err := team.All(app)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		found[desk.Actor{Kind: teamName, ID: t.ID}] = t.Name
	}
	tags, err := ticket.TagNames(app)
	if err != nil {
		return nil, err
	}
	for id, n := range tags {
		found[desk.Actor{Kind: tagName, ID: id}] = n
	}
	return func(a desk.Actor) string {
		if a.Kind == desk.ActorSystem {
			return "Deskbell"
		}
		return found[a]
	}, nil
}

// ShownWhy is one link in the chain of reasons.
type ShownWhy struct {
	At      string               `json:"at"`
	Code    string               `json:"code"`
	Text    string               `json:"text"`
	Detail  map[string]any       `json:"detail"`
	Message *string              `json:"message"`
	Actor   *message.ShownAuthor `json:"actor"`
}

// reasonsOf lists why a ticket is as it is: why each message is in it, and why
// what changed did.
func reasonsOf(app core.App, t *ticket.Ticket) ([]ShownWhy, error) {
	events, err := timeline(app, t)
	if err != nil {
		return nil, err
	}
	out := []ShownWhy{}
	for _, e := range events {
		if e.Reason.Text == "" || e.Kind == "ticket.moved" || e.Kind == "ticket.opened" && e.Actor.Kind == desk.ActorCustomer {
			continue
		}
		w := ShownWhy{At: e.At, Code: e.Reason.Code, Text: e.Reason.Text, Message: e.Message, Detail: map[string]any{"kind": e.Kind, "old": e.Old, "new": e.New}, Actor: &e.Actor}
		if e.Message != nil {
			m, err := message.Find(app, *e.Message)
			if err != nil {
				return nil, err
			}
			if m != nil && m.Reason.Code == e.Reason.Code {
				w.Text = why(m.Reason)
				for k, v := range m.Reason.Detail {
					w.Detail[k] = v
				}
			}
		}
		out = append(out, w)
	}
	return out, nil
}
