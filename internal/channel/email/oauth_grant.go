package email

import (
	"fmt"
	"time"
)

const (
	// testingLife is how long Google keeps what a client in testing was granted.
	testingLife = 7 * 24 * time.Hour
	// warnAhead is how long before its end people hear that a grant ends; of a
	// shorter life they hear in its last two sevenths.
	warnAhead = 2 * 24 * time.Hour
)

// Grant is what lets the desk into a mailbox by OAuth2: somebody consented that
// a client of the owner's may read and send its mail. Its secrets, the client's
// and the refresh token, stay in its row.
type Grant struct {
	ID           string   // another one for each consent
	Provider     string   // google, microsoft or generic
	ClientID     string   // of the owner's client at the provider
	Tenant       string   // directory at Microsoft
	AuthorizeURL string   // where people consent
	TokenURL     string   // where tokens come from
	Scopes       []string // asked for
	Testing      bool     // the owner said that the client is in testing

	Account   string    // who consented, "" when the provider did not say
	Consented time.Time // when
	Issued    time.Time // when the refresh token of now was given out
	Expires   time.Time // when it ends as the provider said, zero when it said nothing
}

// ends is when the grant ends by itself, zero when that is not known.
func (g *Grant) ends() time.Time {
	switch {
	case !g.Expires.IsZero():
		return g.Expires
	case g.Testing:
		return g.Consented.Add(testingLife)
	}
	return time.Time{}
}

// ending tells whether people have to hear now that the grant ends.
func (g *Grant) ending(now time.Time) bool {
	end := g.ends()
	if end.IsZero() {
		return false
	}
	ahead := min(warnAhead, end.Sub(g.Issued)*2/7)
	return !now.Before(end.Add(-ahead))
}

// GrantText says what is wrong, or soon will be, with the grant of a mailbox,
// "" when all is well or it signs in by password.
func (s *Service) GrantText(box Mailbox) string {
	text, _ := s.grantState(box)
	return text
}

// The states of a grant; the words reach the API.
const (
	grantOK      = "ok"
	grantEnding  = "ending"  // the text says until when
	grantFailing = "failing" // the text says what to mend
)

func (s *Service) grantState(box Mailbox) (text, state string) {
	g := box.Grant
	if g == nil {
		return "", grantOK
	}
	if failure := s.mailboxes.grants.of(box.ID, *g).trouble(); failure != nil {
		return failure.text, grantFailing
	}
	if !g.ending(s.clock.Now()) {
		return "", grantOK
	}
	name, day := g.name(s.mailboxes.grants.providers), g.ends().Format("2 January 2006")
	if g.Testing {
		return fmt.Sprintf("%s lets the desk into %s only until %s, because the client is in testing there. Connect again before that; to be done with it, publish the client first.", name, box.Address, day), grantEnding
	}
	return fmt.Sprintf("%s lets the desk into %s only until %s. Connect again before that.", name, box.Address, day), grantEnding
}
