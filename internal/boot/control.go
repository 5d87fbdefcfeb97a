package boot

import (
	"crypto/subtle"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setup"
)

// KeyInput is what `deskbell key create` asks for.
type KeyInput struct {
	Name    string     `json:"name"`
	Scopes  []string   `json:"scopes"`
	Expires *time.Time `json:"expires"` // null = never
}

// KeyOutput is the key, shown this once.
type KeyOutput struct {
	Key string `json:"key"`
}

// SuperuserInput is what `deskbell superuser upsert` asks for.
type SuperuserInput struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// controlRoutes adds what commands on this machine ask of the running desk;
// they prove themselves by the token in its control file.
func (d *Desk) controlRoutes(t *route.Table) {
	d.controlToken = desk.NewToken()
	route.Add(t, route.Route{Method: "POST", Path: "/api/control/setup", Permission: route.Public, Summary: "Set the desk up from the command line"},
		func(c *route.Call, in setup.Input) (route.None, error) {
			if err := d.control(c); err != nil {
				return route.None{}, err
			}
			_, err := d.Setup.Do(c.Request.Context(), in)
			return route.None{}, err
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/control/key", Permission: route.Public, Summary: "Make an API key from the command line"},
		func(c *route.Call, in KeyInput) (KeyOutput, error) {
			if err := d.control(c); err != nil {
				return KeyOutput{}, err
			}
			return d.CreateKey(in)
		})
	route.Add(t, route.Route{Method: "POST", Path: "/api/control/superuser", Permission: route.Public, Summary: "Make a superuser from the command line"},
		func(c *route.Call, in SuperuserInput) (route.None, error) {
			if err := d.control(c); err != nil {
				return route.None{}, err
			}
			return route.None{}, d.UpsertSuperuser(in)
		})
	d.seedRoute(t)
	if clock, ok := d.Clock.(*desk.TestClock); ok {
		d.clockRoute(t, clock)
	}
}

func (d *Desk) control(c *route.Call) error {
	if subtle.ConstantTimeCompare([]byte(c.Request.Header.Get("X-Deskbell-Control")), []byte(d.controlToken)) != 1 {
		return desk.Errorf(desk.Unauthorized, "Only a command on the desk's own machine may ask this.")
	}
	return nil
}

// CreateKey makes an API key for whoever owns the machine.
func (d *Desk) CreateKey(in KeyInput) (KeyOutput, error) {
	var expires time.Time
	if in.Expires != nil {
		expires = *in.Expires
	}
	key, err := d.Access.CreateKey(desk.System("command"), in.Name, in.Scopes, expires)
	return KeyOutput{key}, err
}

// UpsertSuperuser makes a superuser, or gives one another password, for whoever
// owns the machine.
func (d *Desk) UpsertSuperuser(in SuperuserInput) error {
	return d.Access.UpsertSuperuser(desk.System("command"), in.Email, in.Password)
}

type clockInput struct {
	Advance string `json:"advance"` // Go duration, such as "36h"
	Set     string `json:"set"`     // RFC 3339
}

type clockOutput struct {
	Now string `json:"now"`
}

// clockRoute moves the test clock; only the owner may.
func (d *Desk) clockRoute(t *route.Table, clock *desk.TestClock) {
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/test/clock", Permission: route.SignedIn, Summary: "Move the test clock"},
		func(c *route.Call, in clockInput) (clockOutput, error) {
			if c.Caller.Permissions["agent.write"] != string(access.ReachAll) {
				return clockOutput{}, desk.Errorf(desk.Forbidden, "Only the owner may move the clock.")
			}
			switch {
			case in.Advance != "":
				by, err := time.ParseDuration(in.Advance)
				if err != nil {
					return clockOutput{}, desk.Errorf(desk.Invalid, "advance must be a duration such as 36h or 15m.")
				}
				clock.Advance(by)
			case in.Set != "":
				at, err := time.Parse(time.RFC3339, in.Set)
				if err != nil {
					return clockOutput{}, desk.Errorf(desk.Invalid, "set must be a time such as 2027-01-31T09:00:00Z.")
				}
				clock.Set(at)
			default:
				return clockOutput{}, desk.Errorf(desk.Invalid, "Say by how much to advance the clock, or what to set it to.")
			}
			return clockOutput{desk.MustStamp(desk.Millis(clock.Now()))}, nil
		})
}
