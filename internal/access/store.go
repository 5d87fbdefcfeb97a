package access

import (
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// The collections of this package, for hooks.
const (
	agentsCollection      = "agents"
	sessionsCollection    = "sessions"
	invitationsCollection = "invitations"
	keysCollection        = "api_keys"
	membersCollection     = "team_members"
)

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

	NotifyNew    bool `json:"notify_new"`    // wants a mail about a new ticket in a team of theirs
	NotifyAnswer bool `json:"notify_answer"` // wants a mail about an answer in a ticket of theirs
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

// Listeners lists the agents that work here and want mails about tickets.
func Listeners(app core.App) ([]Agent, error) {
	return agentsWhere(app, "a.active = 1 AND (a.notify_new = 1 OR a.notify_answer = 1)")
}

func setNotices(tx core.App, agent string, opened, answered bool) error {
	return sqlite.Exec(tx, "UPDATE agents SET notify_new = ?, notify_answer = ? WHERE id = ?", opened, answered, agent)
}

// MemberSince is since when an agent is a member of team, ms; 0 = is not.
func MemberSince(app core.App, team, agent string) (since int64, err error) {
	_, err = sqlite.One(app, []any{&since}, "SELECT created FROM team_members WHERE agent = ? AND team = ?", agent, team)
	return since, err
}

func agentsWhere(app core.App, where string, args ...any) ([]Agent, error) {
	var out []Agent
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var a Agent
		var roles, teams string
		var seen int64
		if err := r.Scan(&a.ID, &a.Name, &a.Email, &roles, &a.Active, &seen, &a.Signature, &a.NotifyNew, &a.NotifyAnswer, &teams); err != nil {
			return err
		}
		a.LastSeen = desk.Stamp(seen)
		if err := json.Unmarshal([]byte(roles), &a.Roles); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(teams), &a.Teams)
		slices.Sort(a.Teams)
		out = append(out, a)
		return err
	}, `SELECT a.id, a.name, a.email, a.roles, a.active, a.last_seen, a.signature, a.notify_new, a.notify_answer,
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

func emailTaken(app core.App, email string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM agents WHERE email = ? COLLATE NOCASE", email)
}

func setName(tx core.App, agent, name string) error {
	return sqlite.Exec(tx, "UPDATE agents SET name = ? WHERE id = ?", name, agent)
}

func setRoles(tx core.App, agent string, roles []desk.Role) error {
	text, err := json.Marshal(roles)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, "UPDATE agents SET roles = ? WHERE id = ?", string(text), agent)
}

func setActive(tx core.App, agent string, active bool) error {
	return sqlite.Exec(tx, "UPDATE agents SET active = ? WHERE id = ?", active, agent)
}

func setSignature(tx core.App, agent, html string) error {
	return sqlite.Exec(tx, "UPDATE agents SET signature = ? WHERE id = ?", html, agent)
}

// keepTokenKey gives an agent back the token key that saving a new password
// changed.
func keepTokenKey(tx core.App, agent, key string) error {
	return sqlite.Exec(tx, "UPDATE agents SET tokenKey = ? WHERE id = ?", key, agent)
}

// newRecord is an agent that is not stored yet; setting the password takes as
// long as trying one.
func newRecord(app core.App, n NewAgent, now int64) (*core.Record, error) {
	collection, err := app.FindCachedCollectionByNameOrId(agentsCollection)
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(collection)
	r.Id = desk.NewID(desk.Time(now))
	r.SetEmail(n.Email)
	r.SetPassword(n.Password)
	r.SetVerified(true)
	r.Set("name", n.Name)
	r.Set("roles", n.Roles)
	r.Set("active", true)
	r.Set("created", now)
	return r, nil
}

// setTeams makes an agent a member of these teams and of no others.
func setTeams(tx core.App, agent string, teams []string, now int64) error {
	args := []any{agent}
	for _, t := range teams {
		args = append(args, t)
	}
	if err := sqlite.Exec(tx, "DELETE FROM team_members WHERE agent = ? AND team NOT IN ("+sqlite.Marks(len(teams))+")", args...); err != nil {
		return err
	}
	for _, team := range teams {
		if err := addMember(tx, team, agent, now); err != nil {
			return err
		}
	}
	return nil
}

// SetMembers gives a team these members and no others; who does not work here
// is a desk.Invalid error.
func SetMembers(tx core.App, team string, agents []string, now int64) error {
	args := []any{team}
	for _, agent := range agents {
		known, err := sqlite.One(tx, []any{new(string)}, "SELECT id FROM agents WHERE id = ?", agent)
		if err != nil {
			return err
		}
		if !known {
			return desk.Errorf(desk.Invalid, "One of these people does not work here any more; choose again.")
		}
		args = append(args, agent)
	}
	if err := sqlite.Exec(tx, "DELETE FROM team_members WHERE team = ? AND agent NOT IN ("+sqlite.Marks(len(agents))+")", args...); err != nil {
		return err
	}
	for _, agent := range agents {
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

// Members maps the ids of the teams that have any to their members' ids.
func Members(app core.App) (map[string][]string, error) {
	out := map[string][]string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var team, agent string
		err := r.Scan(&team, &agent)
		out[team] = append(out[team], agent)
		return err
	}, "SELECT team, agent FROM team_members ORDER BY team, agent")
	return out, err
}

// IsMember reports whether an agent that still works here is a member of team.
func IsMember(app core.App, team, agent string) (bool, error) {
	return sqlite.One(app, []any{new(string)},
		"SELECT m.id FROM team_members m JOIN agents a ON a.id = m.agent AND a.active = 1 WHERE m.agent = ? AND m.team = ?", agent, team)
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

// running lists the sessions of an agent that go on, last seen first.
func running(app core.App, agent string, now int64) ([]Session, error) {
	return sessionsWhere(app, "agent = ? AND ended = 0 AND expires > ? ORDER BY last_seen DESC, created DESC", agent, now)
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

// signedInFrom reports whether an agent has signed in from an address before.
func signedInFrom(app core.App, agent, ip string) (bool, error) {
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM sessions WHERE agent = ? AND ip = ?", agent, ip)
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

func endSession(tx core.App, id string, now int64) error {
	return sqlite.Exec(tx, "UPDATE sessions SET ended = ? WHERE id = ? AND ended = 0", now, id)
}

func forgetSessions(app core.App, before int64) error {
	return sqlite.Exec(app, "DELETE FROM sessions WHERE (ended <> 0 AND ended < ?) OR expires < ?", before, before)
}

func insertInvitation(tx core.App, i *Invitation, tokenHash, by string) error {
	roles, err := json.Marshal(i.Roles)
	if err != nil {
		return err
	}
	teams, err := json.Marshal(i.Teams)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, `INSERT INTO invitations (id, token_hash, email, roles, teams, invited_by, created, expires, used, used_by)
		VALUES (?,?,?,?,?,?,?,?,0,'')`, i.ID, tokenHash, i.Email, string(roles), string(teams), by, i.created, i.expires)
}

func useInvitation(tx core.App, id, agent string, now int64) error {
	return sqlite.Exec(tx, "UPDATE invitations SET used = ?, used_by = ? WHERE id = ?", now, agent, id)
}

func deleteUnused(tx core.App, invitation string) (int64, error) {
	return sqlite.Changed(tx, "DELETE FROM invitations WHERE id = ? AND used = 0", invitation)
}

// Invitations lists them, newest first.
func Invitations(app core.App) ([]Invitation, error) {
	return invitationsWhere(app, "1 = 1 ORDER BY created DESC LIMIT 200")
}

func invitationOf(app core.App, tokenHash string) ([]Invitation, error) {
	return invitationsWhere(app, "token_hash = ?", tokenHash)
}

func invitationsWhere(app core.App, where string, args ...any) ([]Invitation, error) {
	var out []Invitation
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var i Invitation
		var roles, teams string
		if err := r.Scan(&i.ID, &i.Email, &roles, &teams, &i.created, &i.expires, &i.used); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(roles), &i.Roles); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(teams), &i.Teams)
		i.stamp()
		out = append(out, i)
		return err
	}, "SELECT id, email, roles, teams, created, expires, used FROM invitations WHERE "+where, args...)
	return out, err
}

func insertKey(tx core.App, k *Key, tokenHash string) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, "INSERT INTO api_keys (id, name, token_hash, scopes, created, expires, last_used, revoked) VALUES (?,?,?,?,?,?,0,0)",
		k.ID, k.Name, tokenHash, string(scopes), k.created, k.expires)
}

// Keys lists the API keys, newest first.
func Keys(app core.App) ([]Key, error) { return keysWhere(app, "1 = 1 ORDER BY created DESC, id") }

func keyOf(app core.App, tokenHash string) (*Key, error) {
	return oneKey(app, "token_hash = ?", tokenHash)
}

func findKey(app core.App, id string) (*Key, error) { return oneKey(app, "id = ?", id) }

func oneKey(app core.App, where string, args ...any) (*Key, error) {
	found, err := keysWhere(app, where, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func keysWhere(app core.App, where string, args ...any) ([]Key, error) {
	var out []Key
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var k Key
		var scopes string
		if err := r.Scan(&k.ID, &k.Name, &scopes, &k.created, &k.expires, &k.used, &k.revoked); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(scopes), &k.Scopes)
		k.stamp()
		out = append(out, k)
		return err
	}, "SELECT id, name, scopes, created, expires, last_used, revoked FROM api_keys WHERE "+where, args...)
	return out, err
}

func touchKey(app core.App, id string, now int64) error {
	return sqlite.Exec(app, "UPDATE api_keys SET last_used = ? WHERE id = ?", now, id)
}

func revokeKey(tx core.App, id string, now int64) (int64, error) {
	return sqlite.Changed(tx, "UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked = 0", now, id)
}

// Names resolves actors to the names people know them by; an unknown one is
// left out.
func Names(app core.App, kind desk.ActorKind, ids []string) (map[string]string, error) {
	out := map[string]string{}
	table := map[desk.ActorKind]string{desk.ActorAgent: agentsCollection, desk.ActorAPIKey: keysCollection}[kind]
	if table == "" || len(ids) == 0 {
		return out, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id, name string
		err := r.Scan(&id, &name)
		out[id] = name
		return err
	}, "SELECT id, name FROM "+table+" WHERE id IN ("+sqlite.Marks(len(ids))+")", args...)
	return out, err
}
