package reply

import (
	"errors"
	"strconv"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Shower makes the API's form of what a reply made.
type Shower struct {
	Message func(app core.App, id string) (*message.Shown, error)
	Ticket  func(c *route.Call, number int64) (any, error)
}

// Routes adds the routes by which agents answer.
func (r *Replies) Routes(t *route.Table, show Shower) {
	const one = "/api/desk/tickets/{number}"
	// A ticket that the caller may not see does not exist (404), so the check is
	// where the ticket is read and the permissions of these routes are theirs.
	route.Add(t, route.Route{Method: "POST", Path: one + "/replies", Permission: route.SignedIn, Status: 201, Summary: "Answer the customer (ticket.reply)"},
		func(c *route.Call, in Input) (*message.Shown, error) {
			id, err := r.Send(c.Caller, number(c), in, c.IdempotencyKey())
			if err != nil {
				return nil, withNewer(c.App, show, err)
			}
			return show.Message(c.App, id)
		})
	route.Add(t, route.Route{Method: "POST", Path: one + "/notes", Permission: route.SignedIn, Status: 201, Summary: "Write an internal note (ticket.note)"},
		func(c *route.Call, in noteInput) (*message.Shown, error) {
			id, err := r.Note(c.Caller, number(c), in.Body, in.Attachments, c.IdempotencyKey())
			if err != nil {
				return nil, err
			}
			return show.Message(c.App, id)
		})
	route.Add(t, route.Route{Method: "GET", Path: one + "/recipients", Permission: route.SignedIn, Summary: "Who a reply would go to (ticket.read)"}, r.recipients)
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/tickets", Permission: "ticket.create", Status: 201, Summary: "Open a ticket"},
		func(c *route.Call, in opening) (any, error) {
			number, err := r.open(c, in)
			if err != nil {
				return nil, err
			}
			return show.Ticket(c, number)
		})
	r.draftRoutes(t)
	r.outboxRoutes(t)
}

type noteInput struct {
	Body        string   `json:"body"`
	Attachments []string `json:"attachments"`
}

// number is the ticket number of the path, 0 when it is none.
func number(c *route.Call) int64 {
	n, _ := strconv.ParseInt(c.Param("number"), 10, 64)
	return n
}

// withNewer puts the newer message beside a refusal for being stale.
func withNewer(app core.App, show Shower, err error) error {
	var stale *desk.Error
	if !errors.As(err, &stale) || stale.Code != desk.Conflict {
		return err
	}
	id, _ := stale.Data["message_id"].(string)
	if id == "" {
		return err
	}
	newer, showErr := show.Message(app, id)
	if showErr != nil {
		return showErr
	}
	return stale.With("message", newer)
}

type recipientsInput struct {
	All bool `query:"all" json:"-"`
}

type recipientsOut struct {
	To   []desk.Address `json:"to"`
	Cc   []desk.Address `json:"cc"`
	From desk.Address   `json:"from"`
}

func (r *Replies) recipients(c *route.Call, in recipientsInput) (out recipientsOut, err error) {
	t, err := ticketFor(c.App, c.Caller, number(c), "ticket.read")
	if err != nil {
		return out, err
	}
	to, others, err := r.Recipients(c.App, t)
	if err != nil {
		return out, err
	}
	out.To, out.Cc = append([]desk.Address{}, to...), []desk.Address{}
	if in.All {
		out.Cc = append(out.Cc, others...)
	}
	_, out.From, _, err = r.Mailboxes.SenderOf(c.App, t.Mailbox)
	return out, err
}

// opening is a ticket that an agent or a program opens.
type opening struct {
	Subject string `json:"subject"`
	Person  struct {
		Email string `json:"email"`
		Name  string `json:"name"`
	} `json:"customer"`
	Channel  desk.Channel  `json:"channel"` // "" = api
	Body     string        `json:"body"`    // HTML, what the customer said
	Priority desk.Priority `json:"priority"`
	Type     desk.Type     `json:"type"`
	Tags     []string      `json:"tags"` // names
	Team     string        `json:"team"` // id, "" = the caller's first, else the oldest
}

func (r *Replies) open(c *route.Call, in opening) (number int64, err error) {
	if in.Channel == "" {
		in.Channel = desk.ChannelAPI
	}
	if err := in.check(); err != nil {
		return 0, err
	}
	err = c.App.RunInTransaction(func(tx core.App) error {
		by := c.Caller.Actor
		before, err := doneBefore(tx, by, boundKey("open", 0, c.IdempotencyKey()))
		if err != nil {
			return err
		}
		if before != "" {
			number, err = strconv.ParseInt(before, 10, 64)
			return err
		}
		if number, err = r.openIn(tx, c, in); err != nil {
			return err
		}
		return remember(tx, by, boundKey("open", 0, c.IdempotencyKey()), strconv.FormatInt(number, 10), desk.Millis(c.Now()))
	})
	return number, err
}

func (in *opening) check() error {
	if ticket.CleanSubject(in.Subject) == "" {
		return desk.Errorf(desk.Invalid, "Give the ticket a subject.").With("subject", map[string]string{"code": "required", "message": "Give a subject."})
	}
	who, err := parseAddresses("customer", []string{in.Person.Email})
	if err != nil {
		return err
	}
	in.Person.Email = who[0].Address
	if in.Person.Name == "" {
		in.Person.Name = who[0].Name
	}
	if !in.Channel.Valid() {
		return desk.Errorf(desk.Invalid, "There is no channel %q; use one of %v.", in.Channel, desk.Channels)
	}
	if in.Priority != "" && !in.Priority.Valid() {
		return desk.Errorf(desk.Invalid, "There is no priority %q; use low, normal, high or urgent.", in.Priority)
	}
	if in.Type != "" && !in.Type.Valid() {
		return desk.Errorf(desk.Invalid, "There is no type %q; use question, incident, request, complaint or praise.", in.Type)
	}
	return checkLength(in.Body)
}

func (r *Replies) openIn(tx core.App, c *route.Call, in opening) (int64, error) {
	group, err := r.teamFor(tx, c, in.Team)
	if err != nil {
		return 0, err
	}
	now, by := desk.Millis(c.Now()), c.Caller.Actor
	from := desk.Address{Name: in.Person.Name, Address: in.Person.Email}
	who, err := customer.ByAddress(tx, r.Log, by, now, from)
	if err != nil {
		return 0, err
	}
	tags, err := r.Tickets.TagIDs(tx, by, in.Tags)
	if err != nil {
		return 0, err
	}
	reason := desk.Reason{Code: "opened_by_agent"}
	if by.Kind != desk.ActorAgent {
		reason.Code = "opened_by_api"
	}
	html := richtext.SanitizeCompose(in.Body)
	text := richtext.Text(html)
	t, err := r.Tickets.Open(tx, by, ticket.Opening{
		Subject: in.Subject, Channel: in.Channel, Team: group, Customer: who.ID, Priority: in.Priority,
		Type: in.Type, Tags: tags, Preview: preview(text), At: now, Reason: reason.Code,
	})
	if err != nil {
		return 0, err
	}
	if err := ticket.Join(tx, t.ID, from, now); err != nil {
		return 0, err
	}
	if text == "" {
		return t.Number, nil
	}
	return t.Number, r.heard(tx, by, &message.Message{
		Ticket: t.ID, Kind: desk.KindCustomer, Author: desk.Customer(who.ID), From: from, Subject: t.Subject, HTML: html,
		Text: text, VisibleText: text, Reason: reason, Created: now,
	})
}

// heard writes what a customer said as somebody of ours notes it.
func (r *Replies) heard(tx core.App, by desk.Actor, m *message.Message) error {
	if err := message.Add(tx, m, m.Created); err != nil {
		return err
	}
	_, err := r.Log.Append(tx, desk.Event{Kind: "message.received", Ticket: m.Ticket, Message: m.ID, Actor: by, Reason: m.Reason.Code})
	return err
}

// teamFor is the team of a new ticket, one that the caller may open tickets in.
func (r *Replies) teamFor(tx core.App, c *route.Call, wanted string) (string, error) {
	all, teams := access.Scope(c.Caller, "ticket.create")
	if wanted == "" {
		if !all && len(teams) > 0 {
			return teams[0], nil
		}
		return team.First(tx)
	}
	found, err := team.Find(tx, wanted)
	if err != nil {
		return "", err
	}
	if found == nil || !access.CanTeam(c.Caller, "ticket.create", wanted) {
		return "", desk.Errorf(desk.Invalid, "There is no such team, or it is not yours.")
	}
	return wanted, nil
}
