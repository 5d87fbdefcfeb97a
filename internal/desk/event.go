package desk

// Event is one row of the log: what happened to what, when, by whom and why.
// Old, New and the ids hold ids, numbers and enum words only; whatever is
// personal (a name, an address, a text) belongs in Detail, which can be erased
// without breaking the chain of the log.
type Event struct {
	Seq     int64          // when we learned it; assigned by event.Append
	At      int64          // when it happened, ms UTC; 0 = now
	Kind    string         // past tense, such as "ticket.solved"
	Ticket  string         // ticket id, "" when it is about no ticket
	Message string         // message id, "" when it is about no message
	Subject string         // id of another record it is about: agent, delivery, mailbox ...
	Actor   Actor          // who
	Reason  string         // reason code, "" when the actor alone explains it
	Old     string         // value before, "" for none
	New     string         // value after, "" for none
	Detail  map[string]any // personal or long facts, nil for none
}

// Reason is why something is as it is: a stable code and, for people, facts.
type Reason struct {
	Code   string         `json:"code"`
	Detail map[string]any `json:"detail,omitempty"`
}
