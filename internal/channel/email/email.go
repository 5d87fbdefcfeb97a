// Package email is the mail channel: it owns the mailboxes, fetches mail by
// IMAP or takes it by the built-in SMTP listener, and sends mail by SMTP.
//
// Mailboxes keeps the rows; Service runs what they describe, one fetcher a
// mailbox, and follows when they change. Whatever comes in is handed to the
// Ledger as it came and is acknowledged (SMTP 250, an IMAP position moved on)
// only once the Ledger has it durably. Sending drives the dialogue itself, so
// that the caller can note the moment after which nobody can be sure.
package email

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// Ledger takes incoming mail.
type Ledger interface {
	// Store makes the mails durable, all or none: they are safe once it
	// returns nil. Storing the same SourceID again is fine and stores nothing.
	Store(ctx context.Context, in ...desk.Inbound) error
	// Missing returns those of a mailbox's source ids that were never stored.
	Missing(mailbox string, sourceIDs []string) ([]string, error)
}

// Kind says how a mailbox gets its mail. The values reach the database.
type Kind string

// The kinds of mailbox.
const (
	KindIMAP    Kind = "imap"    // fetched from an IMAP server
	KindForward Kind = "forward" // arrives at the built-in SMTP listener
	KindSandbox Kind = "sandbox" // a mailbox of the sandbox; nothing leaves or enters the machine
)

// Security says how a connection to a mail server is protected. The values
// reach the database and the API.
type Security string

// The ways of protection.
const (
	SecurityTLS           Security = "tls"           // TLS from the first byte, certificate checked
	SecurityStartTLS      Security = "starttls"      // STARTTLS required, certificate checked
	SecurityOpportunistic Security = "opportunistic" // STARTTLS if the server has it, certificate not checked: whoever could forge it could as well strip the offer
	SecurityNone          Security = "none"          // in the clear
)

func (s Security) valid() bool {
	switch s {
	case SecurityTLS, SecurityStartTLS, SecurityOpportunistic, SecurityNone:
		return true
	}
	return false
}

// Server is one mail server and how to sign in there.
type Server struct {
	Host     string
	Port     int
	Security Security
	User     string // "" for no sign-in
	Password string // in the clear, in memory only

	tokens *tokens // give out what to sign in with, nil for a sign-in by password
	access string  // an access token of theirs, while signing in only
}

// Addr is "host:port".
func (s Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Mailbox is one address of the desk with its servers.
type Mailbox struct {
	ID      string
	Address string // as typed; compared without case
	Name    string // sender name, "" for none
	Team    string // id of the team whose tickets its mail becomes
	Kind    Kind
	IMAP    *Server   // nil when it is not fetched
	SMTP    *Server   // nil when it can't send
	Grant   *Grant    // lets the desk in by OAuth2, nil when passwords do
	Since   time.Time // when it was connected: nothing older is taken in

	Signature   string   // HTML below replies, "" for none
	AuthServers []string // servers whose Authentication-Results are believed
	Folders     []string // folders that are read beside the inbox
	SentFolder  string   // where other mail programs keep what they send; "" = found by itself, NoFolder = not read
	Backfill    Backfill

	State      State
	StateText  string    // a sentence for people, "" when all is well
	StateSince time.Time // zero when it never ran

	locked bool // a password was sealed with another key and has to be entered again
}

// NoFolder as Mailbox.SentFolder leaves sent mail alone.
const NoFolder = "-"

// Backfill is a wish to take in mail that was there before the mailbox was
// connected; the zero value is no wish.
type Backfill struct {
	From  time.Time // the oldest mail wanted
	Asked time.Time // when, which tells one wish from the next
}

// State is how a mailbox is doing. The values reach the database and the API.
type State string

// The states of a mailbox.
const (
	StateOK         State = "ok"         // connected, everything so far is fetched
	StateConnecting State = "connecting" // on its way
	StateFailing    State = "failing"    // the text says what to mend; it goes on trying
	StateOff        State = "off"        // nothing runs for it
)

// From is the address with which the mailbox signs its mail.
func (m Mailbox) From() desk.Address { return desk.Address{Name: m.Name, Address: m.Address} }

// key is what an address is looked up by: lower case, without a tag.
func key(address string) string {
	local, domain, ok := cutAddress(strings.ToLower(strings.TrimSpace(address)))
	if !ok {
		return ""
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	return local + "@" + strings.TrimSuffix(domain, ".")
}

func cutAddress(address string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return "", "", false
	}
	return address[:at], address[at+1:], true
}
