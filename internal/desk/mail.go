package desk

import "time"

// Address is a mail address with its display name, "" for none.
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// Inbound is what a channel hands to the ledger: the bytes as they came, and
// what the channel alone knows about them. (Channel, Mailbox, SourceID) is
// unique: offering the same one again stores nothing.
type Inbound struct {
	Channel  Channel   // ChannelEmail for mail
	Mailbox  string    // id of the mailbox it came through
	SourceID string    // what names it at its source, such as "INBOX/7/1042"; "" = the desk gives one
	Raw      []byte    // untouched
	Received time.Time // when it reached us; zero = now
	MailFrom string    // SMTP envelope sender, "" for none or unknown
	RcptTo   []string  // SMTP envelope recipients, nil when unknown
	Old      bool      // older than the connection: never answered by itself
	Backfill bool      // older than the connection and asked for: enters as solved
	Sent     bool      // sent by our own people with another mail program
	Peer     string    // address of the server that brought it to our listener, "" otherwise
	Helo     string    // what that server called itself
	TooLarge bool      // Raw holds the header only; the original stays at its source
	Size     int64     // size at the source when TooLarge
}

// Outbound is one mail on its way out, for one mailbox and a list of
// recipients that are tried one envelope each.
type Outbound struct {
	ID          string    // delivery id
	Mailbox     string    // id of the mailbox that sends it
	From        Address   //
	To, Cc, Bcc []Address // as the header shows them (Bcc never shown)
	ReplyTo     []Address // where answers shall go when not to From, nil for none
	Subject     string
	Text, HTML  string
	MessageID   string   // without <>; fixed before the first try
	InReplyTo   string   // without <>, "" for none
	References  []string // without <>
	Auto        bool     // automatic mail by RFC 3834
	Date        time.Time
	Attachments []Attachment
}

// Attachment is a file of a mail, with its content.
type Attachment struct {
	Name        string
	ContentType string
	ContentID   string // without <>, "" when not inline
	Inline      bool
	Content     []byte
}

// SendState is the state of one recipient of a delivery.
type SendState string

// The states of a delivery or of one of its recipients, in the order in which
// the worst is shown last.
const (
	SendHeld      SendState = "held"      // undo window, paused, or the breaker holds it
	SendScheduled SendState = "scheduled" // send_at lies ahead
	SendQueued    SendState = "queued"    // due
	SendSending   SendState = "sending"   // about to connect; a death here means: try again
	SendData      SendState = "data"      // the last bytes may have gone out; a death here means: uncertain
	SendSent      SendState = "sent"
	SendDeferred  SendState = "deferred" // 4xx or no connection; tried again later
	SendFailed    SendState = "failed"   // 5xx or given up
	SendUncertain SendState = "uncertain"
	SendCancelled SendState = "cancelled"
)

// SendResult is how one try for one recipient ended.
type SendResult struct {
	State  SendState // SendSent, SendDeferred, SendFailed or SendUncertain
	Answer string    // the server's words with their code, or what went wrong in plain words
}
