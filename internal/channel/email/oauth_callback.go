package email

import (
	"net/http"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

const (
	// callbackPath is where providers send browsers back to. It stands in the
	// settings of every client that an owner made and never changes.
	callbackPath = "/api/desk/oauth/callback"
	// mailboxesPage is the page on which mailboxes are connected.
	mailboxesPage = "/settings/mailboxes"
)

// Sessions tells who is signed in; a browser that comes back from a provider
// brings no token of ours.
type Sessions interface {
	// SessionGoesOn reports whether an agent's sign-in can still be used.
	SessionGoesOn(session string) bool
	// CallerOf is what an agent may do.
	CallerOf(agent, session string) (*route.Caller, error)
}

func cookieName(consent string) string { return "deskbell_consent_" + consent }

// setCookie lets the browser in which a consent begins be known again. The
// provider sends it back by a link, so the cookie is Lax.
func setCookie(c *route.Call, a *asked) {
	http.SetCookie(c.Response, &http.Cookie{
		Name: cookieName(a.id), Value: a.cookie, Path: callbackPath, MaxAge: int(consentLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.redirect, "https://"),
	})
}

func dropCookie(c *route.Call, consent string) {
	http.SetCookie(c.Response, &http.Cookie{Name: cookieName(consent), Path: callbackPath, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// callback takes the browser that a provider sent back, and sends it on to the
// mailboxes' page, which asks how it ended.
func (s *Service) callback(c *route.Call, sessions Sessions) error {
	query := c.Request.URL.Query()
	c.Request.URL.RawQuery = "" // no log gets the code
	h := c.Response.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	found, err := s.claim(c, query.Get("state"), sessions)
	if err != nil {
		return showPage(c, err)
	}
	err = s.finish(c.Request.Context(), c.App, found, query.Get("code"), query.Get("error"), query.Get("error_description"))
	if err != nil {
		s.logger.Error("consent not finished", "consent", found.id, "error", err)
		return showPage(c, desk.Errorf(desk.Unavailable, "The desk could not store how the sign-in ended. Look at the mailboxes' page, and begin again if need be."))
	}
	return c.Redirect(http.StatusSeeOther, mailboxesPage+"?consent="+found.id)
}

// claim finds the consent that a browser brings back and uses it up, or says why
// it is not the browser's to bring.
func (s *Service) claim(c *route.Call, state string, sessions Sessions) (*consent, error) {
	found, err := s.findConsent(c.App, state)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, desk.Errorf(desk.Invalid, "This sign-in was not begun here. Begin it on the mailboxes' page.")
	}
	cookie, err := c.Request.Cookie(cookieName(found.id))
	if err != nil || !found.fits(cookie.Value) {
		return nil, desk.Errorf(desk.Forbidden, "This sign-in was begun in another browser, or under another address of the desk. Finish it there, or begin it again here.")
	}
	who, err := sessions.CallerOf(found.agent, found.session)
	if err != nil || !sessions.SessionGoesOn(found.session) || !who.Has("channel.write") {
		return nil, desk.Errorf(desk.Forbidden, "Whoever began this sign-in is no longer signed in to the desk, or may not connect mailboxes any more. Sign in and begin again.")
	}
	if found.used {
		return nil, errUsedConsent
	}
	if found.shownState(s.clock.Now()) == consentExpired {
		return nil, desk.Errorf(desk.Invalid, "This sign-in took longer than ten minutes. Begin it again on the mailboxes' page.")
	}
	dropCookie(c, found.id)
	first, err := useConsent(c.App, found.id, s.clock.Now())
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, errUsedConsent
	}
	return found, nil
}

var errUsedConsent = desk.Errorf(desk.Conflict, "This sign-in has come back already. Look at the mailboxes' page how it ended, or begin it again there.")
