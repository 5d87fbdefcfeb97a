package access

import (
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
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
		if err := a.checkTeams(tx, teams); err != nil {
			return err
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
	found, err := invitationOf(app, hashToken(token))
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
func (a *Access) Accept(token, name, email, password string) (agent *core.Record, err error) {
	inv, err := a.FindInvitation(a.app, token)
	if err != nil {
		return nil, err
	}
	if inv.Email != "" {
		email = inv.Email
	}
	teams := inv.Teams
	if len(teams) == 0 { // without a choice: everybody's team
		if teams, err = a.everybodys(a.app); err != nil {
			return nil, err
		}
	}
	n, err := a.Prepare(NewAgent{Name: name, Email: email, Password: password, Roles: inv.Roles, Teams: teams})
	if err != nil {
		return nil, err
	}
	err = a.app.RunInTransaction(func(tx core.App) error {
		if _, err := a.FindInvitation(tx, token); err != nil { // used or withdrawn meanwhile
			return err
		}
		if agent, err = a.AddAgent(tx, desk.System("invitation"), n); err != nil {
			return err
		}
		if err := useInvitation(tx, inv.ID, agent.Id, desk.Millis(a.wall.Now())); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{Kind: "agent.invitation_used", Subject: inv.ID, Actor: desk.Agent(agent.Id), New: agent.Id})
		return err
	})
	return agent, err
}

// everybodys is the first team, as a list; empty before set-up.
func (a *Access) everybodys(app core.App) ([]string, error) {
	first, err := a.teams.First(app)
	if err != nil || first == "" {
		return nil, err
	}
	return []string{first}, nil
}

// Withdraw deletes an invitation that was not used.
func (a *Access) Withdraw(by desk.Actor, id string) error {
	return a.app.RunInTransaction(func(tx core.App) error {
		n, err := deleteUnused(tx, id)
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
