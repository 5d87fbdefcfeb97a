package ticket

import "github.com/deskbell/deskbell/internal/desk"

// Ref names a record for people.
type Ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Person names a customer for people.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Shown is a ticket as the API shows it everywhere.
type Shown struct {
	Number         int64          `json:"number"`
	ID             string         `json:"id"`
	Subject        string         `json:"subject"`
	Status         desk.Status    `json:"status"`
	StatusCategory desk.Status    `json:"status_category"`
	Category       *string        `json:"category"` // topic, null while there is none
	Priority       desk.Priority  `json:"priority"`
	Type           desk.Type      `json:"type"`
	Channel        desk.Channel   `json:"channel"`
	Team           Ref            `json:"team"`
	Assignee       *Ref           `json:"assignee"` // null = nobody
	Tags           []string       `json:"tags"`     // names
	Fields         map[string]any `json:"fields"`
	Customer       Person         `json:"customer"`
	Created        string         `json:"created"`
	Updated        string         `json:"updated"`
	Solved         *string        `json:"solved"`
	Due            *string        `json:"due"`
	LooksLike      []int64        `json:"looks_like"`
}

// Show makes the API's form of a ticket; team and assignee are names, tags maps tag ids to names.
func (t *Ticket) Show(customer Person, team, assignee string, tags map[string]string) Shown {
	out := Shown{
		Number: t.Number, ID: t.ID, Subject: t.Subject, Status: t.Status, StatusCategory: t.Status, Priority: t.Priority, Type: t.Type,
		Channel: t.Channel, Team: Ref{t.Team, team}, Tags: []string{}, Fields: map[string]any{}, Customer: customer,
		Created: desk.MustStamp(t.Created), Updated: desk.MustStamp(t.Updated), Solved: desk.Stamp(t.Solved), LooksLike: t.LooksLike,
	}
	if t.Assignee != "" {
		out.Assignee = &Ref{t.Assignee, assignee}
	}
	for _, id := range t.Tags {
		if name := tags[id]; name != "" {
			out.Tags = append(out.Tags, name)
		}
	}
	if out.LooksLike == nil {
		out.LooksLike = []int64{}
	}
	return out
}
