package access

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// invitationLife is how long an invitation can be accepted.
const invitationLife = 72 * time.Hour

// Invitation asks somebody to work on the desk; it works once.
type Invitation struct {
	ID      string      `json:"id"`
	Email   string      `json:"email"` // "" = whoever has the link
	Roles   []desk.Role `json:"roles"`
	Teams   []string    `json:"teams"`
	Created string      `json:"created"`
	Expires string      `json:"expires"`
	Used    *string     `json:"used"`

	created, expires, used int64
}

// Invite makes an invitation and returns it with its token, shown this once.
func (a *Access) Invite(by desk.Actor, byRoles []desk.Role, email string, roles []desk.Role, teams []string) (*Invitation, string, error) {
	email = strings.TrimSpace(email)
	if email != "" && !validAddress(email) {
		return nil, "", fieldError("email", "Give a mail address such as ines@example.com, or none.")
	}
	if err := checkRoles(roles); err != nil {
		return nil, "", err
	}
	if slices.Contains(roles, desk.RoleOwner) && !slices.Contains(byRoles, desk.RoleOwner) {
		return nil, "", desk.Errorf(desk.Forbidden, "Only an owner may invite an owner.")
	}
	now := a.wall.Now()
	inv := &Invitation{
		ID: desk.NewID(now), Email: email, Roles: roles, Teams: teams,
		created: desk.Millis(now), expires: desk.Millis(now.Add(invitationLife)),
	}
	inv.stamp()
	token := desk.NewToken()
	err := a.app.RunInTransaction(func(tx core.App) error {
		for _, team := range teams {
			if ok, err := teamExists(tx, team); err != nil || !ok {
				if err != nil {
					return err
				}
				return fieldError("teams", "One of these teams does not exist any more; choose again.")
			}
		}
		if err := insertInvitation(tx, inv, hashToken(token), by.ID); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{Kind: "agent.invited", Subject: inv.ID, Actor: by, New: roleWords(roles)})
		return err
	})
	return inv, token, err
}

func (i *Invitation) stamp() {
	i.Created, i.Expires, i.Used = desk.MustStamp(i.created), desk.MustStamp(i.expires), desk.Stamp(i.used)
	if i.Teams == nil {
		i.Teams = []string{}
	}
}

// FindInvitation returns the invitation of a token while it can be accepted.
func (a *Access) FindInvitation(app core.App, token string) (*Invitation, error) {
	found, err := invitationsWhere(app, "token_hash = ?", hashToken(token))
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, desk.Errorf(desk.NotFound, "This invitation does not exist or was withdrawn; ask for a new one.")
	case found[0].used != 0:
		return nil, desk.Errorf(desk.NotFound, "This invitation has been used already; sign in, or ask for a new one.")
	case found[0].expires <= desk.Millis(a.wall.Now()):
		return nil, desk.Errorf(desk.NotFound, "This invitation has expired; ask for a new one.")
	}
	return &found[0], nil
}

// Accept makes the invited person an agent and uses the invitation up.
func (a *Access) Accept(token, name, email, password string) (*core.Record, error) {
	var agent *core.Record
	err := a.app.RunInTransaction(func(tx core.App) error {
		inv, err := a.FindInvitation(tx, token)
		if err != nil {
			return err
		}
		if inv.Email != "" {
			email = inv.Email
		}
		teams := inv.Teams
		if len(teams) == 0 { // without a choice: everybody's team
			if teams, err = firstTeam(tx); err != nil {
				return err
			}
		}
		agent, err = a.AddAgent(tx, desk.System("invitation"), NewAgent{Name: name, Email: email, Password: password, Roles: inv.Roles, Teams: teams})
		if err != nil {
			return err
		}
		return sqlite.Exec(tx, "UPDATE invitations SET used = ?, used_by = ? WHERE id = ?", desk.Millis(a.wall.Now()), agent.Id, inv.ID)
	})
	return agent, err
}

// Withdraw deletes an invitation that was not used.
func (a *Access) Withdraw(by desk.Actor, id string) error {
	return a.app.RunInTransaction(func(tx core.App) error {
		n, err := sqlite.Changed(tx, "DELETE FROM invitations WHERE id = ? AND used = 0", id)
		if err != nil {
			return err
		}
		if n == 0 {
			return desk.Errorf(desk.NotFound, "This invitation was used or withdrawn already.")
		}
		_, err = a.log.Append(tx, desk.Event{Kind: "agent.uninvited", Subject: id, Actor: by})
		return err
	})
}

// Invitations lists them, newest first.
func Invitations(app core.App) ([]Invitation, error) {
	return invitationsWhere(app, "1 = 1 ORDER BY created DESC LIMIT 200")
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

func firstTeam(app core.App) ([]string, error) {
	var id string
	found, err := sqlite.One(app, []any{&id}, "SELECT id FROM teams ORDER BY created, id LIMIT 1")
	if err != nil || !found {
		return nil, err
	}
	return []string{id}, nil
}
