package access

import (
	"net/mail"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// minPassword is the shortest password an agent may have.
const minPassword = 10

// NewAgent is what is needed to add an agent.
type NewAgent struct {
	Name, Email, Password string
	Roles                 []desk.Role
	Teams                 []string // ids
}

// Check answers one sentence about the first thing that is wrong.
func (n *NewAgent) Check() error {
	n.Name, n.Email = strings.TrimSpace(n.Name), strings.TrimSpace(n.Email)
	switch {
	case n.Name == "" || len(n.Name) > maxName:
		return fieldError("name", "Give a name of at most 120 characters.")
	case !validAddress(n.Email):
		return fieldError("email", "Give a mail address such as ines@example.com.")
	case len(n.Password) < minPassword:
		return fieldError("password", "The password needs at least 10 characters.")
	case len(n.Password) > 70:
		return fieldError("password", "The password can have at most 70 characters.")
	}
	return checkRoles(n.Roles)
}

func checkRoles(roles []desk.Role) error {
	if len(roles) == 0 {
		return fieldError("roles", "Give at least one role.")
	}
	for _, r := range roles {
		if !r.Valid() {
			return fieldError("roles", "There is no role "+string(r)+"; use owner, admin or associate.")
		}
	}
	return nil
}

func fieldError(field, text string) error {
	return desk.Errorf(desk.Invalid, "%s", text).With(field, map[string]string{"code": "invalid", "message": text})
}

func validAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s, "@") && len(s) <= 254
}

// Newcomer is an agent who was checked and is not stored yet.
type Newcomer struct {
	record *core.Record
	roles  []desk.Role
	teams  []string
}

// Prepare checks n and hashes its password. That takes a while: do it before
// the transaction of AddAgent, which would keep everybody else from writing.
func (a *Access) Prepare(n NewAgent) (*Newcomer, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	r, err := newRecord(a.app, n, desk.Millis(a.clock.Now()))
	return &Newcomer{r, n.Roles, distinct(n.Teams)}, err
}

// AddAgent stores a newcomer in tx and makes it a member of its teams.
func (a *Access) AddAgent(tx core.App, by desk.Actor, n *Newcomer) (*core.Record, error) {
	taken, err := emailTaken(tx, n.record.Email())
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, fieldError("email", "Somebody with this address works here already; sign in with it.")
	}
	if err := tx.Save(n.record); err != nil {
		return nil, err
	}
	id := n.record.Id
	events := []desk.Event{{Kind: "agent.joined", Subject: id, Actor: by, New: roleWords(n.roles)}}
	if len(n.teams) > 0 {
		if err := setTeams(tx, id, n.teams, desk.Millis(a.clock.Now())); err != nil {
			return nil, err
		}
		events = append(events, desk.Event{Kind: "agent.teams_changed", Subject: id, Actor: by, New: strings.Join(n.teams, ",")})
	}
	_, err = a.log.Append(tx, events...)
	return n.record, err
}

// distinct is a sorted copy of ids, each once.
func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func roleWords(roles []desk.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// Solo reports whether one person runs the desk alone.
func Solo(app core.App) (bool, error) {
	n, err := countAgents(app)
	return n < 2, err
}
