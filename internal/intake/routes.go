package intake

import (
	"strconv"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// reasons says why a mail is in quarantine and what to do about it.
var reasons = map[string]string{
	ReasonUnreadable: "It is damaged beyond reading. Look at its original; try again after an upgrade.",
	ReasonOwnAddress: "It says it comes from an address of this desk. That may be a loop or a forgery; try again to make it a ticket.",

	desk.AnswerUnknown:  "It answers a notification that this desk does not know. It was not sent on; answer in the ticket itself.",
	desk.AnswerUsed:     "It answers a notification that was answered before; each takes one answer. It was not sent on; answer in the ticket itself.",
	desk.AnswerExpired:  "It answers a notification that is older than 14 days. It was not sent on; answer in the ticket itself.",
	desk.AnswerStranger: "It answers a notification that went to somebody else. It was not sent on.",
	desk.AnswerUnproven: "It answers a notification, but that the agent really sent it could not be proven. It was not sent on; the agent's domain needs DKIM or SPF, or name the server that checks senders at the mailbox.",
	desk.AnswerRevoked:  "It answers a notification of an agent who has left, lost the ticket, or changed the password since. It was not sent on.",
	desk.AnswerRefused:  "It is an agent's answer to a notification, but could not be sent.",

	ReasonError: "It could not be entered because of an error of ours. Try again; the log says more.",
}

// quarantined is a mail that needs a person.
type quarantined struct {
	ID       string              `json:"id"`
	Channel  desk.Channel        `json:"channel"`
	Received string              `json:"received"`
	From     desk.Address        `json:"from"`
	Subject  string              `json:"subject"`
	Reason   message.ShownReason `json:"reason"`
	Size     int64               `json:"size"`
	Tries    int                 `json:"tries"`
}

// ledgerRow is an entry of the ledger as the API shows it.
type ledgerRow struct {
	ID         string       `json:"id"`
	Channel    desk.Channel `json:"channel"`
	SourceID   string       `json:"source_id"`
	SHA256     string       `json:"sha256"`
	Received   string       `json:"received"`
	State      file.State   `json:"state"`
	Message    *string      `json:"message"`
	Quarantine *string      `json:"quarantine"` // reason, null when not in quarantine
}

type retried struct {
	Ticket *int64 `json:"ticket"`
	Reason string `json:"reason"`
}

// Routes adds the routes of the quarantine and the ledger.
func (in *Intake) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/quarantine", Permission: "quarantine.read", Summary: "Mail that needs a person"}, in.quarantineList)
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/quarantine/{id}/retry", Permission: "quarantine.retry", Summary: "Try to enter a mail again"},
		func(c *route.Call, _ struct{}) (retried, error) {
			if err := in.Retry(c.Caller.Actor, c.Param("id")); err != nil {
				return retried{}, err
			}
			return in.retried(c.App, c.Param("id"))
		})
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/ledger/{id}/raw", Permission: "quarantine.retry", Summary: "A mail as it came"}, in.raw)
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/ledger", Permission: "ledger.read", Summary: "Every mail that came, the newest first"}, in.ledger)
}

func (in *Intake) quarantineList(c *route.Call, p route.Page) (route.List[quarantined], error) {
	entries, next, err := page(p, func(before int64, limit int) ([]*file.Entry, error) { return file.Quarantined(c.App, before, limit) })
	if err != nil {
		return route.List[quarantined]{}, err
	}
	out := make([]quarantined, len(entries))
	for i, e := range entries {
		out[i] = quarantined{
			ID: e.ID, Channel: e.Channel, Received: desk.MustStamp(e.Received), From: e.Sender, Subject: e.Subject, Size: e.Size, Tries: e.Tries,
			Reason: message.ShownReason{Code: e.Reason, Text: sentence(e)},
		}
	}
	return route.ListOf(out, next), nil
}

// sentence says why an entry is in quarantine.
func sentence(e *file.Entry) string {
	if e.ReasonText == "" {
		return reasons[e.Reason]
	}
	return reasons[e.Reason] + " " + e.ReasonText
}

// page reads one page of entries and the cursor behind it.
func page(p route.Page, read func(before int64, limit int) ([]*file.Entry, error)) (entries []*file.Entry, next string, err error) {
	var before int64
	if p.Cursor != "" {
		if before, err = strconv.ParseInt(p.Cursor, 10, 64); err != nil || before <= 0 {
			return nil, "", desk.Errorf(desk.Invalid, "This cursor is of another list; start again without it.")
		}
	}
	if entries, err = read(before, p.Size()+1); err != nil || len(entries) <= p.Size() {
		return entries, "", err
	}
	entries = entries[:p.Size()]
	return entries, strconv.FormatInt(entries[len(entries)-1].Seq, 10), nil
}

func (in *Intake) retried(app core.App, id string) (retried, error) {
	e, err := file.FindEntry(app, id)
	if err != nil || e == nil || e.Message == "" {
		return retried{}, err
	}
	m, err := message.Find(app, e.Message)
	if err != nil || m == nil {
		return retried{}, err
	}
	t, err := ticket.Find(app, m.Ticket)
	if err != nil || t == nil {
		return retried{}, err
	}
	return retried{Ticket: &t.Number, Reason: m.Reason.Code}, nil
}

func (in *Intake) raw(c *route.Call) error {
	e, err := file.FindEntry(c.App, c.Param("id"))
	if err != nil {
		return err
	}
	if e == nil || e.State != file.StateQuarantined { // a message's own mail is read with the ticket's permission
		return desk.Errorf(desk.NotFound, "This mail is not in quarantine.")
	}
	content, err := in.Ledger.Raw(e)
	if err != nil {
		return err
	}
	h := c.Response.Header()
	h.Set("Content-Disposition", `attachment; filename="`+e.ID+`.eml"`)
	h.Set("X-Content-Type-Options", "nosniff")
	return c.Blob(200, "application/octet-stream", content)
}

func (in *Intake) ledger(c *route.Call, p route.Page) (route.List[ledgerRow], error) {
	entries, next, err := page(p, func(before int64, limit int) ([]*file.Entry, error) { return file.Entries(c.App, before, limit) })
	if err != nil {
		return route.List[ledgerRow]{}, err
	}
	out := make([]ledgerRow, len(entries))
	for i, e := range entries {
		out[i] = ledgerRow{ID: e.ID, Channel: e.Channel, SourceID: e.SourceID, SHA256: e.SHA256, Received: desk.MustStamp(e.Received), State: e.State}
		if e.Message != "" {
			out[i].Message = &e.Message
		}
		if e.State == file.StateQuarantined {
			out[i].Quarantine = &e.Reason
		}
	}
	return route.ListOf(out, next), nil
}
