package story_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// hire adds an agent and signs them in.
func hire(d *desktest.Desk, name string, roles []desk.Role, teams ...string) (id, token string) {
	email := strings.ToLower(name) + "@people.test"
	id = employ(d, name, roles, teams...)
	return id, d.SignIn(email, desktest.OwnerPassword)
}

// employ adds an agent, name@people.test with the owner's password.
func employ(d *desktest.Desk, name string, roles []desk.Role, teams ...string) (id string) {
	n, err := d.Access.Prepare(access.NewAgent{Name: name, Email: strings.ToLower(name) + "@people.test", Password: desktest.OwnerPassword, Roles: roles, Teams: teams})
	if err != nil {
		panic(err)
	}
	err = d.App.RunInTransaction(func(tx core.App) error {
		r, err := d.Access.AddAgent(tx, desk.System("test"), n)
		if err == nil {
			id = r.Id
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return id
}

// TestEveryRouteRefusesWhoMayNot walks the whole table: a guest gets 401, a
// role without the permission 403, and neither learns anything.
func TestEveryRouteRefusesWhoMayNot(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	tokens, held := map[desk.Role]string{}, map[desk.Role][]string{}
	for _, role := range []desk.Role{desk.RoleAdmin, desk.RoleAssociate} {
		_, tokens[role] = hire(d, string(role), []desk.Role{role})
		var me struct{ Permissions []string }
		d.Call("GET", "/api/desk/me", tokens[role], nil, 200, &me)
		held[role] = me.Permissions
	}
	for _, r := range d.Routes.All() {
		if r.Permission == route.Public {
			continue
		}
		path := strings.NewReplacer("{number}", "1001", "{id}", "nosuchthing0000", "{name}", "x", "{token}", "x").Replace(r.Path)
		if status, body := d.Call(r.Method, path, "", map[string]any{}, 0, nil); status != 401 {
			t.Errorf("%s %s answers a guest %d: %s", r.Method, r.Path, status, body)
		}
		for role, token := range tokens {
			if r.Permission == route.SignedIn || slices.Contains(held[role], r.Permission) {
				continue
			}
			if status, body := d.Call(r.Method, path, token, map[string]any{}, 0, nil); status != 403 {
				t.Errorf("%s %s answers %s %d: %s", r.Method, r.Path, role, status, body)
			}
		}
	}
}

func TestAgentsSeeTheirTeamsTicketsOnly(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Secret plan", "text", "Message-ID: <p@a.test>"))
	ticket := d.WaitTickets(1)[0]
	var other struct{ ID string }
	d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Orders"}, 201, &other)
	_, inside := hire(d, "Inside", []desk.Role{desk.RoleAssociate}, ticket.Team.ID)
	_, outside := hire(d, "Outside", []desk.Role{desk.RoleAssociate}, other.ID)
	_, admin := hire(d, "Admin", []desk.Role{desk.RoleAdmin}, ticket.Team.ID)
	message, one := ticket.Messages.Items[0].ID, fmt.Sprintf("/api/desk/tickets/%d", ticket.Number)
	cases := []struct {
		method, path        string
		in                  any
		inside, outside, ad int
	}{
		{"GET", one, nil, 200, 404, 404},
		{"GET", one + "/messages", nil, 200, 404, 404},
		{"GET", one + "/events", nil, 200, 404, 404},
		{"GET", one + "/why", nil, 200, 404, 404},
		{"GET", one + "/recipients", nil, 200, 404, 404},
		{"PATCH", one, map[string]any{"priority": "high"}, 200, 404, 404},
		{"PATCH", one, map[string]any{"assignee": nil}, 200, 404, 404},
		{"POST", one + "/solution", map[string]any{}, 200, 404, 404},
		{"POST", one + "/reopening", map[string]any{}, 200, 404, 404},
		{"POST", one + "/read", map[string]any{}, 204, 404, 404},
		{"POST", one + "/notes", map[string]any{"body": "x"}, 201, 404, 404},
		{"PUT", one + "/draft", map[string]any{"kind": "note", "body": "x"}, 200, 404, 404},
		{"GET", one + "/draft", nil, 200, 404, 404},
		{"DELETE", one + "/draft", nil, 204, 404, 404},
		{"GET", "/api/desk/messages/" + message, nil, 200, 404, 404},
		{"GET", "/api/desk/messages/" + message + "/raw", nil, 200, 404, 404},
		{"GET", "/api/desk/messages/" + message + "/body", nil, 200, 404, 404},
		{"GET", "/api/desk/customers/" + ticket.Customer.ID, nil, 200, 200, 404},
		{"PATCH", "/api/desk/customers/" + ticket.Customer.ID, map[string]any{"name": "Ann"}, 200, 200, 404},
		{"POST", "/api/desk/tickets/bulk", map[string]any{"numbers": []int64{ticket.Number}, "change": map[string]any{"priority": "high"}}, 200, 200, 403},
		{"POST", one + "/replies", map[string]any{"body": "x", "undo_s": 60}, 201, 404, 404},
	}
	for _, c := range cases {
		for who, want := range map[string][2]any{"inside": {inside, c.inside}, "outside": {outside, c.outside}, "admin": {admin, c.ad}} {
			if got, body := d.Call(c.method, c.path, want[0].(string), c.in, 0, nil); got != want[1] {
				t.Errorf("%s %s by %s: %d, not %d: %s", c.method, c.path, who, got, want[1], body)
			}
		}
	}
	for _, list := range []string{"/api/desk/tickets", "/api/desk/tickets?view=unassigned", "/api/desk/tickets?q=secret", "/api/desk/outbox", "/api/desk/counts"} {
		if _, body := d.Call("GET", list, outside, nil, 200, nil); strings.Contains(body, "Secret") || strings.Contains(body, `"all":1`) {
			t.Errorf("%s tells an outsider: %s", list, body)
		}
	}
	for _, name := range []string{"tickets", "messages", "customers", "ledger", "event_log", "agents", "files", "deliveries", "mailboxes", "settings", "sessions"} {
		if status, body := d.Call("GET", "/api/collections/"+name+"/records", inside, nil, 0, nil); status == 200 {
			t.Errorf("an agent reads the collection %s: %s", name, body)
		}
	}
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	first := d.SignIn(desktest.OwnerEmail, desktest.OwnerPassword)
	d.Call("GET", "/api/desk/me", first, nil, 200, nil)
	d.Call("POST", "/api/desk/sign-out", first, map[string]any{}, 204, nil)
	d.Call("GET", "/api/desk/me", first, nil, 401, nil)
	if status, body := d.Call("GET", "/api/collections/tags/records", first, nil, 0, nil); status == 200 && !strings.Contains(body, `"totalItems":0`) {
		t.Errorf("an ended session reads tags: %s", body)
	}
	second := d.SignIn(desktest.OwnerEmail, desktest.OwnerPassword)
	var me struct{ ID string }
	d.Call("PATCH", "/api/desk/me", second, map[string]any{"password": "another long password", "old_password": desktest.OwnerPassword}, 200, &me)
	d.Call("GET", "/api/desk/me", second, nil, 200, nil)
	d.Call("GET", "/api/desk/me", d.Token, nil, 401, nil)
	d.Call("POST", "/api/collections/agents/auth-with-password", "", map[string]string{"identity": desktest.OwnerEmail, "password": desktest.OwnerPassword}, 400, nil)
}

func TestAnInvitationWorksOnce(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	var inv struct{ URL string }
	d.Call("POST", "/api/desk/invitations", d.Token, map[string]any{"email": "aiko@people.test", "roles": []string{"associate"}}, 201, &inv)
	path := "/api/public" + strings.Replace(inv.URL[strings.Index(inv.URL, "/invite/"):], "/invite/", "/invitations/", 1)
	var shown map[string]string
	d.Call("GET", path, "", nil, 200, &shown)
	if shown["company"] != "Desk Test" || shown["email"] != "aiko@people.test" {
		t.Errorf("invitation: %v", shown)
	}
	d.Call("POST", path, "", map[string]string{"name": "Aiko", "password": "short"}, 400, nil)
	var in struct{ Token string }
	d.Call("POST", path, "", map[string]string{"name": "Aiko Sato", "password": "a long enough one"}, 201, &in)
	var me struct {
		Agent struct {
			Email string
			Roles []string
		}
		Desk struct{ Solo bool }
	}
	d.Call("GET", "/api/desk/me", in.Token, nil, 200, &me)
	if me.Agent.Email != "aiko@people.test" || len(me.Agent.Roles) != 1 || me.Agent.Roles[0] != "associate" || me.Desk.Solo {
		t.Errorf("after accepting: %+v", me)
	}
	d.Call("GET", path, "", nil, 404, nil)
	d.Call("POST", path, "", map[string]string{"name": "Eve", "password": "a long enough one"}, 404, nil)
	_, admin := hire(d, "Adam", []desk.Role{desk.RoleAdmin})
	d.Call("POST", "/api/desk/invitations", admin, map[string]any{"roles": []string{"owner"}}, 403, nil)
	d.Call("POST", "/api/desk/invitations", in.Token, map[string]any{"roles": []string{"associate"}}, 403, nil)
}

// TestEditsThroughPocketBaseWriteTheSameEvents drives PocketBase's own REST as
// its SDK and admin pages do: what is allowed leaves the same log as the desk's
// routes, what is not gets a sentence, and afterwards log and rows agree.
func TestEditsThroughPocketBaseWriteTheSameEvents(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Through the back door", "text"))
	ticket := d.WaitTickets(1)[0]
	super := superuser(t, d)
	id := recordID(d, "tickets", super)
	d.Call("PATCH", "/api/collections/tickets/records/"+id, super, map[string]any{"status": "solved", "priority": "urgent", "subject": "Renamed"}, 200, nil)
	var page struct {
		Items []struct {
			Kind  string
			Actor struct{ Kind string }
		}
	}
	d.Get(fmt.Sprintf("/api/desk/tickets/%d/events", ticket.Number), &page)
	kinds := map[string]string{}
	for _, e := range page.Items {
		kinds[e.Kind] = e.Actor.Kind
	}
	for _, want := range []string{"ticket.solved", "ticket.prioritized", "ticket.renamed"} {
		if kinds[want] != "superuser" {
			t.Errorf("no %s by a superuser in %v", want, kinds)
		}
	}
	refused := []struct {
		method, path string
		in           any
	}{
		{"PATCH", "/api/collections/tickets/records/" + id, map[string]any{"number": 7}},
		{"PATCH", "/api/collections/tickets/records/" + id, map[string]any{"status": "nonsense"}},
		{"PATCH", "/api/collections/tickets/records/" + id, map[string]any{"assignee": "nobody000000000"}},
		{"DELETE", "/api/collections/tickets/records/" + id, nil},
		{"POST", "/api/collections/tickets/records", map[string]any{"subject": "x"}},
		{"DELETE", "/api/collections/messages/records/" + recordID(d, "messages", super), nil},
		{"PATCH", "/api/collections/messages/records/" + recordID(d, "messages", super), map[string]any{"text": "forged"}},
		{"DELETE", "/api/collections/customers/records/" + recordID(d, "customers", super), nil},
		{"POST", "/api/collections/agents/records", map[string]any{"email": "x@x.test", "password": "0123456789", "passwordConfirm": "0123456789", "name": "x"}},
		{"DELETE", "/api/collections/agents/records/" + recordID(d, "agents", super), nil},
		{"PATCH", "/api/collections/agents/records/" + recordID(d, "agents", super), map[string]any{"active": false}},
		{"POST", "/api/collections/api_keys/records", map[string]any{"name": "x", "token_hash": "y"}},
		{"POST", "/api/sql", map[string]any{"query": "DELETE FROM tickets"}},
		{"POST", "/api/sql", map[string]any{"query": "WITH x AS (SELECT 1) UPDATE tickets SET subject = ''"}},
	}
	for _, c := range refused {
		status, body := d.Call(c.method, c.path, super, c.in, 0, nil)
		var e struct{ Message string }
		_ = json.Unmarshal([]byte(body), &e)
		if status < 400 || status >= 500 || e.Message == "" {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.in, status, body)
		}
	}
	d.Call("POST", "/api/sql", super, map[string]any{"query": "SELECT count(*) FROM tickets"}, 200, nil)
	agree(t, d)
}

// agree checks that the log's chain holds and that replaying it gives the rows.
func agree(t *testing.T, d *desktest.Desk) {
	t.Helper()
	if bad, err := event.Verify(d.App); err != nil || bad != 0 {
		t.Errorf("the log breaks at %d: %v", bad, err)
	}
	for _, ticket := range d.Tickets() {
		var status string
		var id string
		if _, err := sqlite.One(d.App, []any{&id}, "SELECT id FROM tickets WHERE number = ?", ticket.Number); err != nil {
			t.Fatal(err)
		}
		events, err := event.OfTicket(d.App, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			switch e.Kind {
			case "ticket.opened", "ticket.solved", "ticket.reopened", "ticket.status_changed":
				status = e.New
			}
		}
		if status != ticket.Status {
			t.Errorf("#%d is %s, its log says %s", ticket.Number, ticket.Status, status)
		}
	}
	var counts struct{ All, Waiting int }
	d.Get("/api/desk/counts", &counts)
	all, waiting := 0, 0
	for _, ticket := range d.Tickets() {
		switch ticket.Status {
		case "new", "open":
			all++
		case "pending":
			waiting++
		}
	}
	if counts.All != all || counts.Waiting != waiting {
		t.Errorf("counts %+v, rows %d and %d", counts, all, waiting)
	}
}

func superuser(t *testing.T, d *desktest.Desk) string {
	t.Helper()
	c, err := d.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.SetEmail("root@people.test")
	r.SetPassword(desktest.OwnerPassword)
	if err := d.App.Save(r); err != nil {
		t.Fatal(err)
	}
	var out struct{ Token string }
	d.Call(http.MethodPost, "/api/collections/_superusers/auth-with-password", "", map[string]string{"identity": "root@people.test", "password": desktest.OwnerPassword}, 200, &out)
	return out.Token
}

func recordID(d *desktest.Desk, collection, token string) string {
	var list struct{ Items []struct{ ID string } }
	d.Call("GET", "/api/collections/"+collection+"/records", token, nil, 200, &list)
	return list.Items[0].ID
}

// TestNothingIsWrittenPastTheLog tries the ways around the verbs that were
// found once.
func TestNothingIsWrittenPastTheLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Past the log", "text"))
	d.WaitTickets(1)
	super := superuser(t, d)
	d.Call("POST", "/api/collections/tags/records", super, map[string]any{"name": "kept"}, 200, nil)
	req, err := http.NewRequest("POST", d.URL+"/api/sql", strings.NewReader(`{"query":"SELECT 1","x":"&query=UPDATE tickets SET subject='forged'&y="}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", super)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("a form reached the SQL console: %d", resp.StatusCode)
	}
	for _, name := range []string{"tickets", "customers", "agents", "messages", "mailboxes", "teams", "team_members", "sessions", "api_keys", "settings", "tags", "_superusers"} {
		if status, _ := d.Call("DELETE", "/api/collections/"+name+"/truncate", super, nil, 0, nil); status < 400 {
			t.Errorf("%s was emptied: %d", name, status)
		}
		if status, _ := d.Call("DELETE", "/api/collections/"+name, super, nil, 0, nil); status < 400 {
			t.Errorf("%s was dropped: %d", name, status)
		}
	}
	d.Call("DELETE", "/api/collections/%74ags/trunc%61te/", super, nil, 0, nil)
	if tags, err := ticket.Tags(d.App); err != nil || len(tags) != 1 {
		t.Errorf("tags: %v %v", tags, err)
	}
	if got := d.WaitTickets(1)[0]; got.Subject != "Past the log" {
		t.Errorf("subject %q", got.Subject)
	}
	d.Call("GET", "/api/desk/me", d.Token, nil, 200, nil)
	agree(t, d)
}
