package access

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
)

const (
	sessionLife = 14 * 24 * time.Hour // a sign-in ends after this, whatever happens
	seenEvery   = int64(60_000)       // ms between two writes of last_seen
	claimSID    = "sid"               // the claim that names the session
	maxSessions = 50                  // a new sign-in ends the oldest beyond
)

// BindSignIn makes every sign-in of an agent a session: its token carries the
// session's id, a refreshed token keeps it.
func (a *Access) BindSignIn() {
	a.app.OnRecordAuthRequest(agentsCollection).BindFunc(func(e *core.RecordAuthRequestEvent) error {
		session := ""
		if e.Auth != nil && e.AuthMethod == "" { // a refresh
			session = sessionOf(strings.TrimPrefix(e.Request.Header.Get("Authorization"), "Bearer "))
		}
		token, err := a.signIn(e.Record, session, e.RealIP(), e.Request.UserAgent())
		if err != nil {
			return err
		}
		e.Token = token
		return e.Next()
	})
}

// Middleware takes the sign-in away from a request whose session has ended, so
// that PocketBase's own routes refuse it like ours, which ask Caller, do.
func (a *Access) Middleware(e *core.RequestEvent) error {
	if e.Auth != nil && e.Auth.Collection().Name == agentsCollection && !strings.HasPrefix(e.Request.URL.Path, "/api/desk/") {
		token := strings.TrimPrefix(e.Request.Header.Get("Authorization"), "Bearer ")
		if !a.SessionGoesOn(sessionOf(token)) {
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
		if _, err := endSessions(tx, s.Created, `agent = ? AND id NOT IN
			(SELECT id FROM sessions WHERE agent = ? AND ended = 0 ORDER BY created DESC LIMIT ?)`, agent, agent, maxSessions); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{
			Kind: "session.started", Subject: s.ID, Actor: desk.Agent(agent),
			Detail: map[string]any{"ip": ip, "user_agent": s.UserAgent},
		})
		return err
	})
	return s.ID, err
}

// EndSession ends one session of an agent.
func (a *Access) EndSession(by desk.Actor, agent, session string) error {
	return a.app.RunInTransaction(func(tx core.App) error {
		n, err := endSessions(tx, desk.Millis(a.wall.Now()), "agent = ? AND id = ?", agent, session)
		if err != nil {
			return err
		}
		if n == 0 {
			return desk.Errorf(desk.NotFound, "This session has ended already.")
		}
		_, err = a.log.Append(tx, desk.Event{Kind: "session.ended", Subject: session, Actor: by})
		return err
	})
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
