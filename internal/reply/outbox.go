package reply

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// outboxRow is a delivery as the Outbox page shows it.
type outboxRow struct {
	outbox.Shown
	Kind    string         `json:"kind"`
	Ticket  *outboxTicket  `json:"ticket"`
	Message *string        `json:"message"`
	Subject string         `json:"subject"`
	To      []desk.Address `json:"to"`
	Author  *outboxAuthor  `json:"author"`
	Created string         `json:"created"`
	Updated string         `json:"updated"`
}

type outboxTicket struct {
	Number  int64  `json:"number"`
	Subject string `json:"subject"`
}

type outboxAuthor struct {
	Name string `json:"name"`
}

func (r *Replies) outboxRoutes(t *route.Table) {
	const base = "/api/desk/outbox"
	route.Add(t, route.Route{Method: "GET", Path: base, Permission: "outbox.read", Summary: "What is on its way out, the last changed first"}, r.outboxList)
	route.Add(t, route.Route{Method: "GET", Path: base + "/summary", Permission: "outbox.read", Summary: "The outbox in figures"}, r.outboxSummary)
	route.Add(t, route.Route{Method: "DELETE", Path: base + "/{id}", Permission: "outbox.change", Summary: "Take a mail back that was not sent yet; a reply needs ticket.reply as well"},
		func(c *route.Call, _ route.None) (undone, error) {
			draft, err := r.Undo(c.Caller, c.Param("id"))
			return undone{draft}, err
		})
	route.Add(t, route.Route{Method: "POST", Path: base + "/{id}/retry", Permission: "outbox.change", Summary: "Try a mail again now"},
		func(c *route.Call, _ struct{}) (outboxRow, error) { return r.decide(c, r.Outbox.Retry) })
	route.Add(t, route.Route{Method: "POST", Path: base + "/{id}/resolution", Permission: "outbox.change", Summary: "Decide about a mail that failed or was possibly sent: sent or put_away"},
		func(c *route.Call, in resolution) (outboxRow, error) {
			switch in.Outcome {
			case "sent":
				return r.decide(c, r.Outbox.CountAsSent)
			case "put_away":
				return r.decide(c, r.Outbox.PutAway)
			}
			return outboxRow{}, desk.Errorf(desk.Invalid, "The outcome can be sent or put_away; to send it once more use retry.")
		})
	route.Add(t, route.Route{Method: "PATCH", Path: base + "/pause", Permission: "setting.write", Summary: "Hold automatic mail, or let it go"}, r.pause)
}

type undone struct {
	Draft *ticket.Draft `json:"draft"`
}

type resolution struct {
	Outcome string `json:"outcome"`
}

type pauseInput struct {
	Paused bool `json:"paused"`
}

func (r *Replies) pause(c *route.Call, in pauseInput) (pauseInput, error) {
	return in, c.App.RunInTransaction(func(tx core.App) error {
		if err := r.SetPaused(tx, c.Caller.Actor, in.Paused); err != nil || in.Paused {
			return err
		}
		return r.Outbox.Resume(tx, c.Caller.Actor)
	})
}

// decide does what a person decided about the delivery of the path, in one
// transaction with the check that the caller may.
func (r *Replies) decide(c *route.Call, verb func(tx core.App, by desk.Actor, id string) error) (out outboxRow, err error) {
	id := c.Param("id")
	err = c.App.RunInTransaction(func(tx core.App) error {
		if _, _, err := mayOutbox(tx, c.Caller, id); err != nil {
			return err
		}
		return verb(tx, c.Caller.Actor, id)
	})
	if err != nil {
		return out, err
	}
	return r.outboxOne(c.App, id)
}

// mayOutbox returns a delivery that the caller may touch, with its ticket, which
// is nil for a delivery without.
func mayOutbox(app core.App, who *route.Caller, id string) (*outbox.Delivery, *ticket.Ticket, error) {
	missing := desk.Errorf(desk.NotFound, "There is no such mail in the outbox.")
	d, err := outbox.Find(app, id)
	if err != nil {
		return nil, nil, err
	}
	if d == nil {
		return nil, nil, missing
	}
	t, err := ticket.Find(app, d.Ticket)
	if err != nil {
		return nil, nil, err
	}
	if all, _ := access.Scope(who, "outbox.change"); !all && (t == nil || !access.CanTeam(who, "outbox.change", t.Team)) {
		return nil, nil, missing
	}
	return d, t, nil
}

// mayUndo checks that the caller may take a delivery back: what was written in a
// ticket is given back only to who may write there.
func mayUndo(app core.App, who *route.Caller, id string) error {
	d, t, err := mayOutbox(app, who, id)
	if err != nil || t == nil || d.Message == "" {
		return err
	}
	if err := may(who, "ticket.read", t.Team); err != nil {
		return err
	}
	return may(who, "ticket.reply", t.Team)
}

type outboxQuery struct {
	route.Page
	State string `query:"state" json:"-"`
}

func (r *Replies) outboxList(c *route.Call, q outboxQuery) (route.List[outboxRow], error) {
	f := outbox.Filter{State: q.State, Limit: q.Size() + 1, Of: scopeOf(c.Caller)}
	if q.Cursor != "" {
		text, _ := base64.RawURLEncoding.DecodeString(q.Cursor)
		at, id, ok := strings.Cut(string(text), "|")
		var err error
		if f.Before, err = strconv.ParseInt(at, 10, 64); err != nil || !ok {
			return route.List[outboxRow]{}, desk.Errorf(desk.Invalid, "This cursor is of another list; start again without it.")
		}
		f.BeforeN = id
	}
	found, err := outbox.List(c.App, f)
	if err != nil {
		return route.List[outboxRow]{}, err
	}
	next := ""
	if len(found) > q.Size() {
		found = found[:q.Size()]
		last := found[len(found)-1]
		next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d|%s", last.Updated, last.ID))
	}
	rows, err := r.outboxRows(c.App, found)
	return route.ListOf(rows, next), err
}

// scopeOf limits deliveries to those of tickets that a caller may see.
func scopeOf(who *route.Caller) outbox.Scope {
	all, teams := access.Scope(who, "outbox.read")
	if all {
		return outbox.Scope{}
	}
	cond, args := ticket.InTeams("d.ticket", teams)
	return outbox.Scope{Cond: cond, Args: args}
}

func (r *Replies) outboxOne(app core.App, id string) (outboxRow, error) {
	d, err := outbox.Find(app, id)
	if err != nil {
		return outboxRow{}, err
	}
	rows, err := r.outboxRows(app, []*outbox.Delivery{d})
	if err != nil {
		return outboxRow{}, err
	}
	return rows[0], nil
}

func (r *Replies) outboxRows(app core.App, found []*outbox.Delivery) ([]outboxRow, error) {
	authors := make([]string, len(found))
	for i, d := range found {
		authors[i] = d.Author
	}
	names, err := access.Names(app, desk.ActorAgent, authors)
	if err != nil {
		return nil, err
	}
	out := make([]outboxRow, len(found))
	for i, d := range found {
		out[i] = outboxRow{
			Shown: d.Show(), Kind: d.Kind, Subject: d.Subject, To: append(append(append([]desk.Address{}, d.To...), d.Cc...), d.Bcc...),
			Created: desk.MustStamp(d.Created), Updated: desk.MustStamp(d.Updated),
		}
		if d.Message != "" && d.State != desk.SendCancelled {
			out[i].Message = &d.Message
		}
		if name := names[d.Author]; name != "" {
			out[i].Author = &outboxAuthor{name}
		}
		t, err := ticket.Find(app, d.Ticket)
		if err != nil {
			return nil, err
		}
		if t != nil {
			out[i].Ticket = &outboxTicket{t.Number, t.Subject}
		}
	}
	return out, nil
}

// summary is the outbox in figures.
type summary struct {
	States    map[string]int `json:"states"` // sent ones of today; failed and uncertain ones until they are settled or put away
	Server    any            `json:"server"`
	Automatic automatic      `json:"automatic"`
	Waiting   waiting        `json:"waiting"`
	SentToday int            `json:"sent_today"`
}

type automatic struct {
	ThisMinute int  `json:"this_minute"`
	Limit      int  `json:"limit"`
	Held       int  `json:"held"`
	Paused     bool `json:"paused"`
}

type waiting struct {
	N      int     `json:"n"`
	Oldest *string `json:"oldest"`
}

func (r *Replies) outboxSummary(c *route.Call, _ route.None) (out summary, err error) {
	now := c.Now()
	local := now.In(setting.Zone(c.App, setting.DeskTimeZone))
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	of := scopeOf(c.Caller)
	if out.States, err = outbox.Counts(c.App, of); err != nil {
		return out, err
	}
	if out.SentToday, err = outbox.CountSentSince(c.App, of, desk.Millis(midnight)); err != nil {
		return out, err
	}
	out.States["sent"] = out.SentToday
	var oldest int64
	if out.Waiting.N, oldest, err = outbox.Waiting(c.App); err != nil {
		return out, err
	}
	out.Waiting.Oldest = desk.Stamp(oldest)
	if out.Automatic.ThisMinute, err = outbox.AutoThisMinute(c.App, desk.Millis(now.Add(-time.Minute))); err != nil {
		return out, err
	}
	out.Automatic.Limit = setting.Int(c.App, setting.MailAutoPerMinute)
	if out.Automatic.Held, err = outbox.CountHeldAutomatic(c.App); err != nil {
		return out, err
	}
	out.Automatic.Paused = r.Paused(c.App)
	out.Server, err = r.ServerState(c.App)
	return out, err
}
