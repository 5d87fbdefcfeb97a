package setting_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// gate takes the header for the caller's role.
type gate struct{}

func (gate) Caller(e *core.RequestEvent) (*route.Caller, error) {
	role := desk.Role(e.Request.Header.Get("Authorization"))
	if role == "" {
		return nil, nil
	}
	c := &route.Caller{Actor: desk.Agent("a1"), Roles: []desk.Role{role}, Permissions: map[string]string{}}
	if role != desk.RoleAssociate {
		c.Permissions["setting.read"], c.Permissions["setting.write"] = "all", "all"
	}
	return c, nil
}

func TestRoutes(t *testing.T) {
	app := newApp(t)
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	clock := desk.SystemClock{}
	table := route.New(clock)
	setting.Routes(table, app, event.New(app, clock))
	e := &core.ServeEvent{Router: router}
	e.App = app
	table.Bind(e, gate{})
	server, err := router.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	const path = "/api/desk/settings"
	for _, c := range []struct {
		role         desk.Role
		method, body string
		status       int
		want         []string // parts of the answer
		events       int64    // in the log afterwards
	}{
		{"", "GET", "", 401, nil, 0},
		{desk.RoleAssociate, "GET", "", 403, nil, 0},
		{desk.RoleAssociate, "PATCH", `{"mail.undo_s":5}`, 403, nil, 0},
		{desk.RoleAdmin, "GET", "", 200, []string{`"key":"mail.undo_s"`, `"kind":"number"`, `"max":60`, `"unit":"s"`, `"mail.undo_s":10`, `"mon":[["09:00","17:00"]]`}, 0},
		{desk.RoleAdmin, "PATCH", `{"mail.undo_s":5,"desk.name":"Tea <b>&</b> Co"}`, 200, []string{`"mail.undo_s":5`, `"fields":[{`}, 2},
		{desk.RoleAdmin, "PATCH", `{"mail.undo_s":61,"desk.time_zone":"Bonn","desk.name":"Other"}`, 400, []string{
			`"message":"“Time zone” must be the name of a time zone`, `"desk.time_zone":{"code":"invalid"`, `"mail.undo_s":{"code":"invalid"`,
		}, 2},
		{desk.RoleAdmin, "PATCH", `{"colour":1}`, 400, []string{`no setting \"colour\"`}, 2},
		{desk.RoleAdmin, "PATCH", `[1]`, 400, nil, 2},
		{desk.RoleAdmin, "PATCH", `{"net.allow":["10.0.0.1"]}`, 403, []string{"Only the owner"}, 2},
		{desk.RoleOwner, "PATCH", `{"net.allow":["10.0.0.1/99"]}`, 400, []string{"10.0.0.1/99"}, 2},
		{desk.RoleOwner, "PATCH", `{"net.allow":["10.0.0.1"]}`, 200, []string{`"net.allow":["10.0.0.1"]`}, 3},
		{desk.RoleOwner, "PATCH", `{"net.allow":null,"mail.undo_s":null}`, 200, []string{`"net.allow":[]`, `"mail.undo_s":10`}, 5},
		{desk.RoleOwner, "PATCH", `{"desk.name":null}`, 400, []string{"has no default"}, 5},
	} {
		r := httptest.NewRequest(c.method, path, strings.NewReader(c.body))
		r.Header.Set("Authorization", string(c.role))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s as %q: %d %s", c.method, c.body, c.role, w.Code, w.Body)
		}
		for _, part := range c.want {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s %s as %q lacks %s: %s", c.method, c.body, c.role, part, w.Body)
			}
		}
		if last, err := event.Last(app); err != nil || last != c.events {
			t.Errorf("%s %s as %q: %d events, want %d, %v", c.method, c.body, c.role, last, c.events, err)
		}
	}
}
