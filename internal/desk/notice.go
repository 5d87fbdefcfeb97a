package desk

// NoticeAnswer is a mail that answers a notice of ours, a mail by which an agent
// was told of a ticket.
type NoticeAnswer struct {
	Notice     string // the Message-ID it refers to, without <>
	From       string // the only address of its From field, "" when there is not exactly one
	Proven     bool   // its sender was checked and is who it says
	Ledger     string // id of its raw mail
	ContentKey string
}

// Why a mail that answers a notice is no answer of an agent. The codes reach the
// database.
const (
	AnswerDuplicate = "answer_duplicate" // a copy of the mail that was taken
	AnswerUnknown   = "answer_unknown"   // no such notice, or one made up
	AnswerUsed      = "answer_used"      // the notice was answered before
	AnswerExpired   = "answer_expired"
	AnswerStranger  = "answer_stranger" // somebody else than who was told wrote it
	AnswerUnproven  = "answer_unproven" // who really sent it was not proven
	AnswerRevoked   = "answer_revoked"  // the agent has left, lost the ticket, or changed the password since
	AnswerRefused   = "answer_refused"  // the reply or the note could not be made of it
)
