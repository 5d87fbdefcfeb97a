package access

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/security"
)

const (
	sessionLife = 14 * 24 * time.Hour // a sign-in ends after this, whatever happens
	seenEvery   = int64(60_000)       // ms between two writes of last_seen
	claimSID    = "sid"               // the claim that names the session
	maxSessions = 50                  // a new sign-in ends the oldest beyond
)

// BindSignIn makes every sign-in of an agent a session: its token carries the
// session's id, a refreshed token keeps it. Nobody signs in as somebody else.
func (a *Access) BindSignIn() {
	a.app.OnRecordAuthWithPasswordRequest(agentsCollection, core.CollectionNameSuperusers).BindFunc(a.limitWrong)
	a.app.OnRecordAuthRequest(agentsCollection).BindFunc(func(e *core.RecordAuthRequestEvent) error {
		session := ""
		if e.AuthMethod == "" { // a refresh, or a superuser who impersonates
			if e.HasSuperuserAuth() {
				return router.NewForbiddenError("Nobody signs in as somebody else here: the log would name the wrong person. A superuser's own token reaches the whole desk.", nil)
			}
			if session = sessionOf(tokenOf(e.RequestEvent)); !a.SessionGoesOn(session) {
				return event.Sentence(errSignIn)
			}
		}
		token, err := a.signIn(e.Record, session, e.RealIP(), e.Request.UserAgent())
		if err != nil {
			return err
		}
		e.Token = token
		return e.Next()
	})
}

// tokenOf is the token that PocketBase has verified for e.Auth.
func tokenOf(e *core.RequestEvent) string {
	return strings.TrimPrefix(e.Request.Header.Get("Authorization"), "Bearer ")
}

// Middleware takes the sign-in away from a request whose session has ended, so
// that PocketBase's own routes refuse it like ours, which ask Caller, do.
func (a *Access) Middleware(e *core.RequestEvent) error {
	if e.Auth != nil && e.Auth.Collection().Name == agentsCollection && !strings.HasPrefix(e.Request.URL.Path, "/api/desk/") {
		if !a.SessionGoesOn(sessionOf(tokenOf(e))) {
			e.Auth = nil
		}
	}
	return e.Next()
}

// SignIn starts a session for an agent and returns its token.
func (a *Access) SignIn(agent *core.Record, ip, userAgent string) (string, error) {
	return a.signIn(agent, "", ip, userAgent)
}

func (a *Access) signIn(agent *core.Record, session, ip, userAgent string) (string, error) {
	if session == "" {
		var err error
		if session, err = a.startSession(agent.Id, ip, userAgent); err != nil {
			return "", err
		}
	}
	claims := jwt.MapClaims{
		core.TokenClaimType: core.TokenTypeAuth, core.TokenClaimId: agent.Id,
		core.TokenClaimCollectionId: agent.Collection().Id, core.TokenClaimRefreshable: true, claimSID: session,
	}
	return security.NewJWT(claims, agent.TokenKey()+agent.Collection().AuthToken.Secret, sessionLife)
}

func (a *Access) startSession(agent, ip, userAgent string) (string, error) {
	now := a.wall.Now()
	s := Session{
		ID: desk.NewID(now), Agent: agent, Created: desk.Millis(now), LastSeen: desk.Millis(now),
		Expires: desk.Millis(now.Add(sessionLife)), IP: ip, UserAgent: cut(userAgent, 300),
	}
	err := a.app.RunInTransaction(func(tx core.App) error {
		if err := insertSession(tx, s); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{
			Kind: "session.started", Subject: s.ID, Actor: desk.Agent(agent),
			Detail: map[string]any{"ip": ip, "user_agent": s.UserAgent},
		})
		if err != nil {
			return err
		}
		return a.endOldest(tx, agent)
	})
	return s.ID, err
}

// endOldest ends the sessions of an agent beyond maxSessions.
func (a *Access) endOldest(tx core.App, agent string) error {
	on, err := running(tx, agent, desk.Millis(a.wall.Now()))
	if err != nil || len(on) <= maxSessions {
		return err
	}
	slices.SortFunc(on, func(a, b Session) int { return cmp.Compare(b.Created, a.Created) })
	old := on[maxSessions:]
	return a.endSessions(tx, desk.System("access"), "too_many_sessions", agent, func(s Session) bool {
		return slices.ContainsFunc(old, func(o Session) bool { return o.ID == s.ID })
	})
}

// EndSession ends one session of an agent.
func (a *Access) EndSession(by desk.Actor, agent, session string) error {
	return a.app.RunInTransaction(func(tx core.App) error {
		s, err := findSession(tx, session)
		if err != nil {
			return err
		}
		if s == nil || s.Agent != agent || s.ended(desk.Millis(a.wall.Now())) {
			return desk.Errorf(desk.NotFound, "This session has ended already.")
		}
		return a.endSessions(tx, by, "", agent, func(s Session) bool { return s.ID == session })
	})
}

// all is endSessions' choice of every session.
func all(Session) bool { return true }

// endSessions ends those of an agent's running sessions that which picks, each
// with an event.
func (a *Access) endSessions(tx core.App, by desk.Actor, reason, agent string, which func(Session) bool) error {
	now := desk.Millis(a.wall.Now())
	on, err := running(tx, agent, now)
	if err != nil {
		return err
	}
	var events []desk.Event
	for _, s := range on {
		if !which(s) {
			continue
		}
		if err := endSession(tx, s.ID, now); err != nil {
			return err
		}
		events = append(events, desk.Event{Kind: "session.ended", Subject: s.ID, Actor: by, Reason: reason})
	}
	if events == nil {
		return nil
	}
	_, err = a.log.Append(tx, events...)
	return err
}

// SessionGoesOn reports whether the agent of a session may still use it; the
// realtime connection asks before each message.
func (a *Access) SessionGoesOn(session string) bool {
	s, err := findSession(a.app, session)
	return err == nil && s != nil && !s.ended(desk.Millis(a.wall.Now()))
}

// sessionOf reads the session id out of a token that PocketBase has verified.
func sessionOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		SID string `json:"sid"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.SID
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
