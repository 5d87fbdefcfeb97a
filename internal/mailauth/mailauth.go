// Package mailauth judges who really wrote a mail.
//
// The verdict is that of DMARC (RFC 7489): the domain after the @ of the From
// address has to be the one that signed the mail (DKIM, RFC 6376) or that lets
// the connecting server send for it (SPF, RFC 7208). What another server found
// is believed only where that server is named in Mail.Trusted, and only in the
// topmost Authentication-Results (RFC 8601 section 5): anybody can write such a
// header into a mail.
//
// Where nothing can be known the verdict is AuthNone, which is neutral. A
// Judge never waits longer than its Patience for the domain name system.
package mailauth

import (
	"context"
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// Why a verdict is as it is. The values reach the database.
const (
	WhyDKIM      = "dkim"        // signed by the sender's domain
	WhySPF       = "spf"         // sent by a server of the sender's domain
	WhyReported  = "reported"    // a server named by the owner says so
	WhyNoPolicy  = "no_policy"   // the sender's domain asks for no check
	WhyUnknown   = "unknown"     // nothing to judge by, or the check could not be made
	WhyDMARC     = "dmarc"       // the sender's domain asks to refuse what it did not send
	WhyOwnDomain = "own_domain"  // it claims to come from the desk's own domain
	WhyNoAuthor  = "no_author"   // no sender
	WhyAuthors   = "two_senders" // more than one sender, which hides the real one
)

// DefaultPatience bounds the questions to the domain name system about one mail.
const DefaultPatience = 700 * time.Millisecond

// Header is the header of a mail: its fields in their order, decoded.
type Header interface {
	All() iter.Seq2[string, string]
}

// Mail is a mail to be judged.
type Mail struct {
	Raw      []byte
	Header   Header
	From     string     // the only address of its From field, "" for none
	Authors  int        // how many addresses its From field has
	Peer     netip.Addr // who brought it to our own listener; zero when it was fetched
	Helo     string     // what Peer called itself
	MailFrom string     // envelope sender, "" for none
	Trusted  []string   // names of servers whose Authentication-Results are believed
	Own      bool       // From is of a domain that is the desk's own
}

// Verdict is what was found.
type Verdict struct {
	Result desk.Authentication
	Why    string // one of Why...
	Domain string // the domain that vouched, "" unless AuthPass
}

// Judge judges mails. It is safe for use by several goroutines.
type Judge struct {
	// Patience is the longest wait for one mail; New sets it to DefaultPatience.
	Patience time.Duration

	resolver Resolver
	clock    desk.Clock
	cache    cache
}

// New returns a judge that asks resolver; net.DefaultResolver asks as the
// machine is set up.
func New(resolver Resolver, clock desk.Clock) *Judge {
	return &Judge{Patience: DefaultPatience, resolver: resolver, clock: clock}
}

// Judge returns the verdict on m. It never errs: what can't be found out is AuthNone.
func (j *Judge) Judge(ctx context.Context, m Mail) Verdict {
	switch {
	case m.Authors > 1:
		return Verdict{Result: desk.AuthFail, Why: WhyAuthors}
	case domainOf(m.From) == "":
		return Verdict{Result: desk.AuthNone, Why: WhyNoAuthor}
	}
	if v, ok := reported(m); ok {
		return v.orForged(m)
	}
	ctx, cancel := context.WithTimeout(ctx, j.Patience)
	defer cancel()
	c := &check{mail: m, domain: domainOf(m.From), dns: j.lookups(ctx)}
	return c.run(ctx).orForged(m)
}

// orForged makes a mail that claims to come from the desk's own domain without
// anything to show for it a forgery: the owner knows which servers send for it.
func (v Verdict) orForged(m Mail) Verdict {
	if m.Own && v.Result == desk.AuthNone && (m.Peer.IsValid() || v.Why == WhyReported) {
		return Verdict{Result: desk.AuthFail, Why: WhyOwnDomain}
	}
	return v
}

// domainOf is the domain of an address in lower case, "" for none.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	domain, err := toASCII(strings.TrimSuffix(address[at+1:], "."))
	if err != nil {
		return ""
	}
	return domain
}
