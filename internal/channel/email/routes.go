package email

import (
	"context"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/pocketbase/pocketbase/core"
)

// shownServer is a server as the API shows it: never with its password.
type shownServer struct {
	Host        string   `json:"host"`
	Port        int      `json:"port"`
	Security    Security `json:"security"`
	User        string   `json:"user"`
	HasPassword bool     `json:"has_password"`
}

type shownTeam struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// shownMailbox is a mailbox as the API shows it.
type shownMailbox struct {
	ID       string       `json:"id"`
	Address  string       `json:"address"`
	Name     string       `json:"name"`
	Kind     Kind         `json:"kind"`
	Team     *shownTeam   `json:"team"`
	IMAP     *shownServer `json:"imap"`
	SMTP     *shownServer `json:"smtp"`
	State    State        `json:"state"`
	Text     string       `json:"text"`  // a sentence, "" when all is well
	Since    *string      `json:"since"` // of the state
	LastMail *string      `json:"last_mail"`

	Signature    string   `json:"signature"`
	AuthServers  []string `json:"auth_servers"`
	Folders      []string `json:"folders"`
	SentFolder   string   `json:"sent_folder"`   // "" = found by itself, "-" = not read
	BackfillFrom *string  `json:"backfill_from"` // the oldest mail that was asked for

	OAuth *shownGrant `json:"oauth"` // null when it signs in by passwords
}

// changeInput is a PATCH: a part that is absent stays, a server that is null goes.
type changeInput struct {
	ID      string                      `json:"id"` // that of the path, or absent
	Address *string                     `json:"address"`
	Name    *string                     `json:"name"`
	Team    *string                     `json:"team"`
	IMAP    route.Optional[ServerInput] `json:"imap"`
	SMTP    route.Optional[ServerInput] `json:"smtp"`

	Signature   *string   `json:"signature"`
	AuthServers *[]string `json:"auth_servers"`
	Folders     *[]string `json:"folders"`
	SentFolder  *string   `json:"sent_folder"`
}

// olderInput says of how many days mail is wanted.
type olderInput struct {
	Days int `json:"days"`
}

// shownFolder is a folder of a mailbox.
type shownFolder struct {
	Name string `json:"name"`
	Read bool   `json:"read"` // its mail becomes tickets
	Sent bool   `json:"sent"` // its mail is read as sent by our own people
}

// Routes adds the routes of the mailboxes.
func (s *Service) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/mailboxes", Permission: "channel.read", Summary: "The mailboxes and how they are doing"},
		func(c *route.Call, _ route.None) (route.List[shownMailbox], error) {
			all, err := s.mailboxes.All(c.App)
			if err != nil {
				return route.List[shownMailbox]{}, err
			}
			shown, err := s.show(c.App, all...)
			return route.ListOf(shown, ""), err
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/mailboxes", Permission: "channel.write", Status: 201, Summary: "Connect a mailbox; what arrived there before is never taken in"},
		func(c *route.Call, in Input) (shownMailbox, error) { return s.connect(c, in) })
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/mailboxes/test", Permission: "channel.write", Summary: "Try a mailbox: send a test mail and receive it"},
		func(c *route.Call, in Input) (Report, error) { return s.Test(c.Request.Context(), in) })
	route.Add(t, route.Route{Method: "PATCH", Path: "/api/desk/mailboxes/{id}", Permission: "channel.write", Summary: "Change a mailbox; a password left out stays for the same server and user"},
		func(c *route.Call, in changeInput) (shownMailbox, error) { return s.change(c, in) })
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/mailboxes/{id}/older", Permission: "channel.write", Summary: "Take in mail from before the connection, as solved tickets that are never answered"},
		func(c *route.Call, in olderInput) (shownMailbox, error) {
			if _, err := s.mailboxes.TakeOlder(c.Caller.Actor, c.Param("id"), in.Days); err != nil {
				return shownMailbox{}, err
			}
			return s.showOne(c.App, c.Param("id"))
		})
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/mailboxes/{id}/folders", Permission: "channel.write", Summary: "The folders of a mailbox at its server"},
		func(c *route.Call, _ route.None) (route.List[shownFolder], error) {
			return s.folders(c.Request.Context(), c.Param("id"))
		})
	route.Add(t, route.Route{Method: "DELETE", Path: "/api/desk/mailboxes/{id}", Permission: "channel.write", Summary: "Disconnect a mailbox; its tickets stay"},
		func(c *route.Call, _ route.None) (route.None, error) {
			return route.None{}, s.mailboxes.Remove(c.Caller.Actor, c.Param("id"))
		})
	s.dnsRoutes(t)
	s.acknowledgementRoutes(t)
}

func (s *Service) connect(c *route.Call, in Input) (shownMailbox, error) {
	if _, err := in.mailbox(nil); err != nil { // before the network is asked
		return shownMailbox{}, err
	}
	look := s.Look(c.Request.Context(), in)
	var box *Mailbox
	err := c.App.RunInTransaction(func(tx core.App) (err error) {
		box, err = s.mailboxes.Add(tx, c.Caller.Actor, in, look)
		return err
	})
	if err != nil {
		return shownMailbox{}, err
	}
	return s.showOne(c.App, box.ID)
}

func (s *Service) change(c *route.Call, in changeInput) (shownMailbox, error) {
	p := Patch{
		Address: in.Address, Name: in.Name, Team: in.Team, IMAP: in.IMAP.Value, SMTP: in.SMTP.Value,
		DropIMAP: in.IMAP.Set && in.IMAP.Value == nil, DropSMTP: in.SMTP.Set && in.SMTP.Value == nil,
		Signature: in.Signature, AuthServers: in.AuthServers, Folders: in.Folders, SentFolder: in.SentFolder,
	}
	look, err := s.lookAgain(c.Request.Context(), c.Param("id"), p)
	if err != nil {
		return shownMailbox{}, err
	}
	if _, err := s.mailboxes.Change(c.Caller.Actor, c.Param("id"), p, look); err != nil {
		return shownMailbox{}, err
	}
	return s.showOne(c.App, c.Param("id"))
}

// lookAgain looks at the folder of another IMAP account before it is stored.
func (s *Service) lookAgain(ctx context.Context, id string, p Patch) (Look, error) {
	old, err := s.mailboxes.stored(s.app, id)
	if err != nil {
		return Look{}, err
	}
	box, err := p.apply(*old)
	if err != nil || box.IMAP == nil || old.IMAP != nil && sameAccount(*old.IMAP, *box.IMAP) {
		return Look{}, err
	}
	return s.lookAt(ctx, *box.IMAP), nil
}

func (s *Service) showOne(app core.App, id string) (shownMailbox, error) {
	box, err := s.mailboxes.Find(app, id)
	if err != nil || box == nil {
		return shownMailbox{}, err
	}
	shown, err := s.show(app, *box)
	if err != nil {
		return shownMailbox{}, err
	}
	return shown[0], nil
}

func (s *Service) show(app core.App, all ...Mailbox) ([]shownMailbox, error) {
	last, err := s.LastMails()
	if err != nil {
		return nil, err
	}
	teams, err := team.All(app)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, t := range teams {
		names[t.ID] = t.Name
	}
	var shown []shownMailbox
	for _, box := range all {
		m := shownMailbox{
			ID: box.ID, Address: box.Address, Name: box.Name, Kind: box.Kind, IMAP: box.IMAP.shown(), SMTP: box.SMTP.shown(),
			State: box.State, Text: box.StateText, Since: stamp(box.StateSince), LastMail: stamp(last[box.ID]),
			Signature: box.Signature, AuthServers: notNull(box.AuthServers), Folders: notNull(box.Folders), SentFolder: box.SentFolder, BackfillFrom: stamp(box.Backfill.From),
			OAuth: s.showGrant(box),
		}
		if m.Text == "" && m.OAuth != nil {
			m.Text = m.OAuth.Text
		}
		if box.Kind == KindSandbox { // its servers are nobody's to change
			m.IMAP, m.SMTP = nil, nil
		}
		if name, ok := names[box.Team]; ok {
			m.Team = &shownTeam{ID: box.Team, Name: name}
		}
		shown = append(shown, m)
	}
	return shown, nil
}

func (s *Server) shown() *shownServer {
	if s == nil {
		return nil
	}
	return &shownServer{Host: s.Host, Port: s.Port, Security: s.Security, User: s.User, HasPassword: s.Password != ""}
}

// notNull is a list that is never null in JSON.
func notNull(list []string) []string { return append([]string{}, list...) }

func stamp(t time.Time) *string { return desk.Stamp(desk.Millis(t)) }
