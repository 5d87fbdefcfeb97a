package access

import (
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const agentsCollection = "agents"

// Agent is a person who works on the desk.
type Agent struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Roles     []desk.Role `json:"roles"`
	Teams     []string    `json:"teams"`     // ids
	Active    bool        `json:"active"`    // false: may not sign in any more
	LastSeen  *string     `json:"last_seen"` // RFC 3339, null = never
	Signature string      `json:"signature"` // HTML, "" for none
}

// FindAgent returns the agent with the given id, nil when there is none.
func FindAgent(app core.App, id string) (*Agent, error) {
	found, err := agentsWhere(app, "a.id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Agents lists every agent by name.
func Agents(app core.App) ([]Agent, error) { return agentsWhere(app, "1 = 1") }

func agentsWhere(app core.App, where string, args ...any) ([]Agent, error) {
	var out []Agent
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var a Agent
		var roles, teams string
		var seen int64
		if err := r.Scan(&a.ID, &a.Name, &a.Email, &roles, &a.Active, &seen, &a.Signature, &teams); err != nil {
			return err
		}
		a.LastSeen = desk.Stamp(seen)
		if err := json.Unmarshal([]byte(roles), &a.Roles); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(teams), &a.Teams)
		out = append(out, a)
		return err
	}, `SELECT a.id, a.name, a.email, a.roles, a.active, a.last_seen, a.signature,
		(SELECT json_group_array(m.team) FROM team_members m WHERE m.agent = a.id)
		FROM agents a WHERE `+where+` ORDER BY a.name COLLATE NOCASE`, args...)
	return out, err
}

func countAgents(app core.App) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, "SELECT count(*) FROM agents WHERE active = 1")
	return n, err
}

func countOwners(app core.App) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, `SELECT count(*) FROM agents WHERE active = 1 AND roles LIKE '%"owner"%'`)
	return n, err
}

// Session is one sign-in of an agent on one device.
type Session struct {
	ID        string
	Agent     string
	Created   int64
	LastSeen  int64
	Expires   int64
	Ended     int64 // 0 = goes on
	IP        string
	UserAgent string
}

func (s *Session) ended(now int64) bool { return s.Ended != 0 || now >= s.Expires }

const sessionColumns = "id, agent, created, last_seen, expires, ended, ip, user_agent"

func findSession(app core.App, id string) (*Session, error) {
	found, err := sessionsWhere(app, "id = ?", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func sessionsWhere(app core.App, where string, args ...any) ([]Session, error) {
	var out []Session
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var s Session
		err := r.Scan(&s.ID, &s.Agent, &s.Created, &s.LastSeen, &s.Expires, &s.Ended, &s.IP, &s.UserAgent)
		out = append(out, s)
		return err
	}, "SELECT "+sessionColumns+" FROM sessions WHERE "+where, args...)
	return out, err
}

func insertSession(tx core.App, s Session) error {
	return sqlite.Exec(tx, "INSERT INTO sessions ("+sessionColumns+") VALUES (?,?,?,?,?,?,?,?)",
		s.ID, s.Agent, s.Created, s.LastSeen, s.Expires, s.Ended, s.IP, s.UserAgent)
}

func touchSession(app core.App, id, agent string, now int64) error {
	if err := sqlite.Exec(app, "UPDATE sessions SET last_seen = ? WHERE id = ?", now, id); err != nil {
		return err
	}
	return sqlite.Exec(app, "UPDATE agents SET last_seen = ? WHERE id = ?", now, agent)
}

// endSessions ends the running sessions that where names and tells how many.
func endSessions(tx core.App, now int64, where string, args ...any) (int64, error) {
	return sqlite.Changed(tx, "UPDATE sessions SET ended = ? WHERE ended = 0 AND "+where, append([]any{now}, args...)...)
}

func setMembership(tx core.App, agent string, teams []string, now int64) error {
	if err := sqlite.Exec(tx, "DELETE FROM team_members WHERE agent = ?", agent); err != nil {
		return err
	}
	slices.Sort(teams)
	for _, team := range slices.Compact(teams) {
		if err := addMember(tx, team, agent, now); err != nil {
			return err
		}
	}
	return nil
}

func addMember(tx core.App, team, agent string, now int64) error {
	return sqlite.Exec(tx, "INSERT INTO team_members (id, team, agent, created) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
		desk.NewID(desk.Time(now)), team, agent, now)
}

func teamExists(app core.App, id string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM teams WHERE id = ?", id)
}

// keepTokenKey gives an agent back the token key that saving a new password
// changed.
func keepTokenKey(tx core.App, agent, key string) error {
	return sqlite.Exec(tx, "UPDATE agents SET tokenKey = ? WHERE id = ?", key, agent)
}
