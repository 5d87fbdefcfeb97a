// Package setup makes a desk out of an empty data folder: company, owner, the
// first team and the first mailbox, in one transaction, once.
//
// In the browser it stands behind a link that is printed at start and works
// once; on the command line it is `deskbell setup`.
package setup

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// firstTeam is the name of the team that set-up makes.
const firstTeam = "Support"

// linkLife is how long a set-up link works; the next start prints a new one.
const linkLife = 24 * time.Hour

// Deps are the parts that set-up fills.
type Deps struct {
	App       core.App
	Log       *event.Log
	Wall      desk.Clock
	Access    *access.Access
	Teams     *team.Teams
	Mailboxes *email.Mailboxes
	Mail      *email.Service
}

// Setup is the set-up of one desk.
type Setup struct {
	Deps
	mu      sync.Mutex
	token   string
	expires time.Time
}

// New returns the set-up of a desk.
func New(d Deps) *Setup { return &Setup{Deps: d} }

// Input is what is asked for.
type Input struct {
	Company  string          `json:"company"`
	Owner    Owner           `json:"owner"`
	Address  string          `json:"address"`   // that customers write to
	TimeZone string          `json:"time_zone"` // IANA name, "" = UTC
	Hours    json.RawMessage `json:"hours"`     // as the setting desk.hours, absent = its default
	Mailbox  *email.Input    `json:"mailbox"`   // nil = stay in the sandbox
}

// Owner is the person who owns the desk.
type Owner struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Done reports whether the desk is set up.
func Done(app core.App) (bool, error) {
	agents, err := access.Agents(app)
	return len(agents) > 0, err
}

// errDone is the answer to a second set-up.
var errDone = desk.Errorf(desk.Conflict, "This desk is set up already; sign in, or ask its owner for an invitation.")

// Link makes a new set-up link's token, which ends the one before.
func (s *Setup) Link() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.expires = desk.NewToken(), s.Wall.Now().Add(linkLife)
	return s.token
}

// check tells whether a token opens the set-up.
func (s *Setup) check(app core.App, token string) error {
	done, err := Done(app)
	if err != nil {
		return err
	}
	if done {
		return errDone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		return desk.Errorf(desk.NotFound, "This set-up link is not the current one; use the one that was printed at the last start.")
	}
	if s.Wall.Now().After(s.expires) {
		return desk.Errorf(desk.NotFound, "This set-up link has expired; start Deskbell again to get a new one.")
	}
	return nil
}

// Do sets the desk up and returns its owner. All of it happens or nothing.
func (s *Setup) Do(ctx context.Context, in Input) (owner *core.Record, err error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if done, err := Done(s.App); err != nil || done {
		return nil, cmp.Or(err, error(errDone))
	}
	n, err := s.Access.Prepare(access.NewAgent{Name: in.Owner.Name, Email: in.Owner.Email, Password: in.Owner.Password, Roles: []desk.Role{desk.RoleOwner}})
	if err != nil {
		return nil, err
	}
	var look email.Look
	if in.Mailbox != nil {
		in.complete()
		look = s.Mail.Look(ctx, *in.Mailbox)
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		if done, err := Done(tx); err != nil || done { // by somebody else meanwhile
			return cmp.Or(err, error(errDone))
		}
		by := desk.System("setup")
		if err := s.settings(tx, by, in); err != nil {
			return err
		}
		if owner, err = s.Access.AddAgent(tx, by, n); err != nil {
			return err
		}
		support, err := s.Teams.Add(tx, by, firstTeam, owner.Id)
		if err != nil {
			return err
		}
		return s.mailbox(tx, by, in, support.ID, look)
	})
	return owner, err
}

func (in *Input) check() error {
	in.Company, in.Address = strings.TrimSpace(in.Company), strings.TrimSpace(in.Address)
	switch {
	case in.Company == "" || len(in.Company) > 120:
		return field("company", "Give the company's name, at most 120 characters.")
	case !strings.Contains(in.Address, "@"):
		return field("address", "Give the address that customers write to, such as support@example.com.")
	}
	if strings.EqualFold(in.Address, strings.TrimSpace(in.Owner.Email)) {
		return field("owner.email", "Use an address of your own to sign in, not the one that customers write to: mail to it becomes tickets.")
	}
	return nil
}

func field(name, text string) error {
	return desk.Errorf(desk.Invalid, "%s", text).With(name, map[string]string{"code": "invalid", "message": text})
}

// complete fills in what a mailbox takes over from the rest.
func (in *Input) complete() {
	if in.Mailbox.Address == "" {
		in.Mailbox.Address = in.Address
	}
	if in.Mailbox.Name == "" {
		in.Mailbox.Name = in.Company
	}
}

func (s *Setup) settings(tx core.App, by desk.Actor, in Input) error {
	values := map[string]json.RawMessage{setting.DeskName: quoted(in.Company)}
	if in.TimeZone != "" {
		values[setting.DeskTimeZone] = quoted(in.TimeZone)
	}
	if len(in.Hours) > 0 {
		values[setting.DeskHours] = in.Hours
	}
	_, err := setting.Save(tx, s.Log, by, values)
	return err
}

func quoted(text string) json.RawMessage {
	b, _ := json.Marshal(text) // a string always marshals
	return b
}

func (s *Setup) mailbox(tx core.App, by desk.Actor, in Input, team string, look email.Look) error {
	if in.Mailbox == nil {
		_, err := s.Mailboxes.AddSandbox(tx, by, in.Address, in.Company, team)
		return err
	}
	in.Mailbox.Team = team
	_, err := s.Mailboxes.Add(tx, by, *in.Mailbox, look)
	return err
}
