package email

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/oauth2"
)

const (
	consentLife  = 10 * time.Minute // to sign in at the provider and come back
	consentKept  = 24 * time.Hour   // so long one that failed can be tried again
	consentLimit = time.Minute      // for all that happens once somebody came back
)

// How a consent ended; the words reach the database and the API.
const (
	consentPending   = "pending"
	consentExpired   = "expired" // nobody came back in time
	consentConnected = "connected"
	consentFailed    = "failed"
)

// consent is one sign-in at a provider that an agent began. What comes back has
// to know its state, to come from the browser in which it was begun, which has
// its cookie, and to find the agent still signed in; and it works once.
type consent struct {
	id            string
	state, cookie [32]byte // SHA-256
	agent         string
	session       string
	mailbox       string // that it is about, "" for a new one until it is there
	redirect      string
	draft         string // sealed, "" once it is done with
	created       time.Time
	used          bool
	outcome       string // "" while it is pending
	text          string
}

// What a draft is sealed for; see purpose.
func draftPurpose(consent string) string { return "consent/" + consent }

// asked is what a browser needs to go to the provider.
type asked struct {
	consent
	url    string // to go to
	cookie string // to come back with
}

// ask begins a consent for a draft.
func (s *Service) ask(app core.App, who *route.Caller, d draft, mailbox, redirect string) (*asked, error) {
	now := s.clock.Now()
	d.Verifier = oauth2.GenerateVerifier()
	state, cookie := desk.NewToken(), desk.NewToken()
	a := &asked{cookie: cookie, consent: consent{
		id: desk.NewID(now), agent: who.Actor.ID, session: who.Session, mailbox: mailbox, redirect: redirect, created: now,
	}}
	a.consent.state, a.consent.cookie = sha256.Sum256([]byte(state)), sha256.Sum256([]byte(cookie))
	sealed, err := sealDraft(s.options.Box, a.id, d)
	if err != nil {
		return nil, err
	}
	a.draft = sealed
	err = app.RunInTransaction(func(tx core.App) error {
		if err := forgetConsents(tx, now.Add(-consentKept)); err != nil {
			return err
		}
		return insertConsent(tx, a.consent)
	})
	a.url = s.authorizeURL(d, redirect, a.id+"."+state)
	return a, err
}

func (s *Service) authorizeURL(d draft, redirect, state string) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(d.Verifier), oauth2.SetAuthURLParam("login_hint", d.User)}
	if p := findProvider(s.mailboxes.grants.providers, d.Grant.Provider); p != nil {
		for _, name := range slices.Sorted(maps.Keys(p.params)) {
			options = append(options, oauth2.SetAuthURLParam(name, p.params[name]))
		}
	}
	return d.Grant.config("", redirect).AuthCodeURL(state, options...)
}

// findConsent returns the consent that a state names, nil when there is none.
func (s *Service) findConsent(app core.App, state string) (*consent, error) {
	id, token, _ := strings.Cut(state, ".")
	c, err := loadConsent(app, id)
	if err != nil || c == nil {
		return nil, err
	}
	if sum := sha256.Sum256([]byte(token)); subtle.ConstantTimeCompare(sum[:], c.state[:]) != 1 {
		return nil, nil
	}
	return c, nil
}

// fits tells whether a cookie is the one that the consent's browser has.
func (c *consent) fits(cookie string) bool {
	sum := sha256.Sum256([]byte(cookie))
	return subtle.ConstantTimeCompare(sum[:], c.cookie[:]) == 1
}

// shownState is how the consent is doing.
func (c *consent) shownState(now time.Time) string {
	switch {
	case c.outcome != "":
		return c.outcome
	case !now.Before(c.created.Add(consentLife)):
		return consentExpired
	}
	return consentPending
}

// finish turns the code of a consent into a mailbox that is signed in, and notes
// how that went. It goes on when the browser gives up: the code works once.
func (s *Service) finish(ctx context.Context, app core.App, c *consent, code, refusal, words string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), consentLimit)
	defer cancel()
	d, err := openDraft(s.options.Box, c.id, c.draft)
	if err != nil {
		return endConsent(app, c.id, consentFailed, "The desk's key has changed since you began. Start again.", c.mailbox, c.draft)
	}
	var failure error
	text := ""
	if refusal != "" || code == "" {
		failure = s.mailboxes.grants.explainCode(d.Grant, refusal, words)
	} else {
		text, failure = s.connectBy(ctx, app, c, *d, code)
	}
	if failure == nil {
		return endConsent(app, c.id, consentConnected, text, c.mailbox, "")
	}
	s.logger.Warn("mailbox not connected by OAuth2", "consent", c.id, "mailbox", c.mailbox, "error", failure.Error())
	return endConsent(app, c.id, consentFailed, failureText(failure), c.mailbox, c.draft)
}

// failureText is what people are told about a consent that came to nothing.
func failureText(err error) string {
	var provider *grantError
	var own *desk.Error
	switch {
	case errors.As(err, &provider):
		return provider.text
	case errors.As(err, &own):
		return own.Text
	case desk.DiskFull(err):
		return "The disk is full, so the mailbox could not be stored. Make room on it and try again."
	}
	return "The mailbox could not be stored; the desk's log says more. Try again."
}

// connectBy exchanges the code, tries the tokens and stores the mailbox with its
// grant. The text tells what does not work yet, "" for nothing.
func (s *Service) connectBy(ctx context.Context, app core.App, c *consent, d draft, code string) (string, error) {
	a, failure := s.mailboxes.grants.exchange(ctx, d.Grant, d.Secret, c.redirect, code, d.Verifier)
	if failure == nil {
		failure = s.check(a, d)
	}
	if failure != nil {
		return "", failure
	}
	look, text, err := s.try(ctx, app, c, d, a)
	if err != nil {
		return "", err
	}
	if err := s.mailboxes.storeGrant(app, c, d, a, look); err != nil {
		return "", err
	}
	s.granted(c.mailbox)
	return text, nil
}

func (s *Service) granted(mailbox string) {
	if s.options.Granted != nil {
		s.options.Granted(mailbox)
	}
}

// check refuses tokens that are of no use.
func (s *Service) check(a tokenAnswer, d draft) *grantError {
	name := s.mailboxes.grants.name(d.Grant)
	p := findProvider(s.mailboxes.grants.providers, d.Grant.Provider)
	switch {
	case p != nil && p.mailScope != "" && a.scopes != nil && !slices.Contains(a.scopes, p.mailScope):
		return &grantError{text: name + " was not allowed to give the desk the mailbox's mail. Start again and tick the box for reading and sending mail."}
	case a.refresh == "":
		return &grantError{text: name + " lets the desk in for a moment only: it gave no refresh token. Ask for the scope for offline access (often offline_access), or allow refresh tokens in the client's settings there."}
	}
	return d.mine(a, name)
}
