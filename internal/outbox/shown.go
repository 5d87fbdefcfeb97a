package outbox

import "github.com/deskbell/deskbell/internal/desk"

// Shown is a delivery as the API shows it on its message.
type Shown struct {
	ID           string           `json:"id"`
	State        desk.SendState   `json:"state"`
	HeldBy       *string          `json:"held_by"` // undo, breaker or pause; null when not held
	Attempts     int              `json:"attempts"`
	NextTry      *string          `json:"next_try"`
	ServerAnswer string           `json:"server_answer"`
	PutAway      *string          `json:"put_away"` // when a person put it away, null when not
	Recipients   []ShownRecipient `json:"recipients"`
}

// ShownRecipient is one recipient of a delivery as the API shows it.
type ShownRecipient struct {
	Address      string         `json:"address"`
	State        desk.SendState `json:"state"`
	ServerAnswer string         `json:"server_answer"`
	Attempts     int            `json:"attempts"`
}

// Show makes the API's form of a delivery.
func (d *Delivery) Show() Shown {
	out := Shown{ID: d.ID, State: d.State, Attempts: d.Attempts, NextTry: desk.Stamp(d.NextTry), ServerAnswer: d.Answer, PutAway: desk.Stamp(d.PutAway), Recipients: []ShownRecipient{}}
	if d.HeldBy != "" && d.State == desk.SendHeld {
		out.HeldBy = &d.HeldBy
	}
	for _, r := range d.Recipients {
		state := r.State
		if state == desk.SendData {
			state = desk.SendSending
		}
		out.Recipients = append(out.Recipients, ShownRecipient{r.Address, state, r.Answer, r.Attempts})
	}
	return out
}
