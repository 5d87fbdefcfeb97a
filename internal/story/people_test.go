package story_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	cli "github.com/deskbell/deskbell/internal/command"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// logged lists the events of a kind, oldest first.
func logged(t *testing.T, d *desktest.Desk, kind string) []desk.Event {
	t.Helper()
	all, err := event.Since(d.App, 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e desk.Event) bool { return e.Kind != kind })
}

// last is the newest event of a kind, which has to be about subject.
func last(t *testing.T, d *desktest.Desk, kind, subject string) desk.Event {
	t.Helper()
	all := logged(t, d, kind)
	if len(all) == 0 || all[len(all)-1].Subject != subject {
		t.Fatalf("no %s about %s is the last of %+v", kind, subject, all)
	}
	return all[len(all)-1]
}

func sessions(d *desktest.Desk, token string) int {
	var list struct{ Items []any }
	d.Call("GET", "/api/desk/sessions", token, nil, 200, &list)
	return len(list.Items)
}

// TestASuperusersChangeOfASignInEndsItsSessions drives what PocketBase's admin
// pages do to an agent's e-mail and password.
func TestASuperusersChangeOfASignInEndsItsSessions(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	super := superuser(t, d)
	id, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate})
	path := "/api/collections/agents/records/" + id
	patch := func(in map[string]any, status int) { d.Call("PATCH", path, super, in, status, nil) }

	patch(map[string]any{"password": "tiny", "passwordConfirm": "tiny"}, 400)
	patch(map[string]any{"password": "nine char", "passwordConfirm": "nine char"}, 400)
	d.Call("GET", "/api/desk/me", token, nil, 200, nil)
	if n := len(logged(t, d, "agent.password_changed")); n != 0 {
		t.Errorf("%d events of a password that was refused", n)
	}

	patch(map[string]any{"password": "a password of root", "passwordConfirm": "a password of root"}, 200)
	d.Call("GET", "/api/desk/me", token, nil, 401, nil)
	if e := last(t, d, "agent.password_changed", id); e.Actor.Kind != desk.ActorSuper {
		t.Errorf("changed by %+v", e.Actor)
	}
	if ended := logged(t, d, "session.ended"); len(ended) != 1 || ended[0].Reason != "password_changed" || ended[0].Actor.Kind != desk.ActorSuper {
		t.Errorf("ended: %+v", ended)
	}

	token = d.SignIn("aiko@people.test", "a password of root")
	if n := sessions(d, token); n != 1 {
		t.Errorf("%d sessions are listed", n)
	}
	patch(map[string]any{"email": "sato@people.test", "name": "Aiko Sato"}, 200)
	d.Call("GET", "/api/desk/me", token, nil, 401, nil)
	last(t, d, "agent.email_changed", id)
	last(t, d, "agent.renamed", id)
	token = d.SignIn("sato@people.test", "a password of root")

	patch(map[string]any{"signature": `<p>Aiko</p><script>alert(1)</script>`}, 200)
	last(t, d, "agent.signature_changed", id)
	var me struct {
		Agent struct{ Name, Signature string }
	}
	d.Call("GET", "/api/desk/me", token, nil, 200, &me)
	if me.Agent.Name != "Aiko Sato" || strings.Contains(me.Agent.Signature, "script") || !strings.Contains(me.Agent.Signature, "Aiko") {
		t.Errorf("the agent is now %+v", me.Agent)
	}
	agree(t, d)
}

// TestALinkOfAMailEndsTheSessionsOfTheOldPassword uses the links that PocketBase
// mails to whoever forgot the password or changes the address.
func TestALinkOfAMailEndsTheSessionsOfTheOldPassword(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	id, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate})
	record := func() *core.Record {
		r, err := d.App.FindRecordById("agents", id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	reset, err := record().NewPasswordResetToken()
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{"token": reset, "password": "remembered again", "passwordConfirm": "remembered again"}
	d.Call("POST", "/api/collections/agents/confirm-password-reset", "", in, 204, nil)
	d.Call("GET", "/api/desk/me", token, nil, 401, nil)
	if e := last(t, d, "agent.password_changed", id); e.Actor != desk.Agent(id) || e.Reason != "reset_by_mail" {
		t.Errorf("event %+v", e)
	}
	d.Call("POST", "/api/collections/agents/confirm-password-reset", "", in, 400, nil)

	token = d.SignIn("aiko@people.test", "remembered again")
	change, err := record().NewEmailChangeToken("sato@people.test")
	if err != nil {
		t.Fatal(err)
	}
	d.Call("POST", "/api/collections/agents/confirm-email-change", "", map[string]string{"token": change, "password": "remembered again"}, 204, nil)
	d.Call("GET", "/api/desk/me", token, nil, 401, nil)
	last(t, d, "agent.email_changed", id)
	if n := len(logged(t, d, "session.ended")); n != 2 {
		t.Errorf("%d sessions ended in the log", n)
	}
	if n := sessions(d, d.SignIn("sato@people.test", "remembered again")); n != 1 {
		t.Errorf("%d sessions are listed", n)
	}
}

func TestNobodySignsInAsSomebodyElse(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	id, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate})
	before := len(logged(t, d, "session.started"))
	_, body := d.Call("POST", "/api/collections/agents/impersonate/"+id, superuser(t, d), map[string]any{"duration": 3600}, 403, nil)
	if !strings.Contains(body, "Nobody signs in as somebody else") || strings.Contains(body, `"token"`) {
		t.Errorf("the answer is %s", body)
	}
	if n := len(logged(t, d, "session.started")); n != before || sessions(d, token) != 1 {
		t.Errorf("a session was started: %d events instead of %d", n, before)
	}
	var out struct{ Token string }
	d.Call("POST", "/api/collections/agents/auth-refresh", token, nil, 200, &out)
	d.Call("GET", "/api/desk/me", out.Token, nil, 200, nil)
	if sessions(d, token) != 1 {
		t.Error("a refresh started a session")
	}
	d.Call("POST", "/api/desk/sign-out", token, map[string]any{}, 204, nil)
	d.Call("POST", "/api/collections/agents/auth-refresh", out.Token, nil, 401, nil)
}

// TestASuperuserIsMadeBesideARunningDesk holds that the command asks the desk
// that has the folder, and that a folder nobody has is locked by the command.
func TestASuperuserIsMadeBesideARunningDesk(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	upsert := func(password string) int {
		return cli.Main([]string{"superuser", "upsert", "root@people.test", password, "--dir", d.Dir})
	}
	signIn := func(password string, status int) {
		d.Call("POST", "/api/collections/_superusers/auth-with-password", "", map[string]string{"identity": "root@people.test", "password": password}, status, nil)
	}
	if code := upsert("first password"); code != 0 {
		t.Fatalf("the command ends with %d", code)
	}
	made := logged(t, d, "superuser.created")
	if len(made) != 1 || made[0].Actor != desk.System("command") {
		t.Fatalf("events %+v", made)
	}
	signIn("first password", 200)
	last(t, d, "superuser.signed_in", made[0].Subject)
	if code := upsert("another password"); code != 0 {
		t.Fatalf("the command ends with %d", code)
	}
	last(t, d, "superuser.password_changed", made[0].Subject)
	signIn("first password", 400)
	signIn("another password", 200)
	if code := upsert("short"); code != 1 {
		t.Errorf("a short password ends with %d", code)
	}
	d.Call("POST", "/api/control/superuser", d.Token, map[string]string{"email": "x@people.test", "password": "0123456789"}, 401, nil)

	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if code := upsert("third password"); code != 0 {
		t.Fatalf("without a running desk the command ends with %d", code)
	}
	again := desktest.Start(t, desktest.Options{Dir: d.Dir, IMAP: &desktest.Server{}})
	if n := len(logged(t, again, "superuser.password_changed")); n != 2 {
		t.Errorf("%d changes of a password are logged", n)
	}
}

// TestTheTicketsOfWhoLeavesWaitForOthers follows three tickets of two agents:
// whoever leaves a team or the desk hands back what is not finished, and a
// solved ticket that comes back later goes to nobody who left.
func TestTheTicketsOfWhoLeavesWaitForOthers(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	numbers := make([]int64, 3)
	for i := range numbers {
		d.Receive("a@a.test", desktest.Mail("a@a.test", fmt.Sprintf("Matter %d", i), "text"))
		numbers[i] = d.WaitTickets(i + 1)[i].Number
	}
	var other struct{ ID string }
	support := d.Tickets()[0].Team.ID
	d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Orders"}, 201, &other)
	aiko, _ := hire(d, "Aiko", []desk.Role{desk.RoleAssociate}, support, other.ID)
	change := func(number int64, in map[string]any) {
		d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", number), d.Token, in, 200, nil)
	}
	assignee := func(number int64) string {
		var ticket desktest.Ticket
		d.Get(fmt.Sprintf("/api/desk/tickets/%d", number), &ticket)
		if ticket.Assignee == nil {
			return ""
		}
		return ticket.Assignee.ID
	}
	for _, n := range numbers {
		change(n, map[string]any{"assignee": aiko})
	}
	change(numbers[1], map[string]any{"team": other.ID})
	change(numbers[2], map[string]any{"status": "solved"})

	d.Call("PATCH", "/api/desk/agents/"+aiko, d.Token, map[string]any{"teams": []string{other.ID}}, 200, nil)
	d.Eventually("the ticket of the team left is unassigned", func() bool { return assignee(numbers[0]) == "" })
	if assignee(numbers[1]) != aiko || assignee(numbers[2]) != aiko {
		t.Errorf("also taken: %q %q", assignee(numbers[1]), assignee(numbers[2]))
	}
	e := logged(t, d, "ticket.unassigned")
	if len(e) != 1 || e[0].Old != aiko || e[0].Reason != "left_team" || e[0].Actor.Kind != desk.ActorAgent {
		t.Errorf("events %+v", e)
	}

	change(numbers[2], map[string]any{"status": "open"})
	d.Eventually("the reopened ticket is unassigned", func() bool { return assignee(numbers[2]) == "" })

	d.Call("PATCH", "/api/desk/agents/"+aiko, d.Token, map[string]any{"active": false}, 200, nil)
	d.Eventually("the last ticket is unassigned", func() bool { return assignee(numbers[1]) == "" })

	d.Call("PATCH", "/api/desk/agents/"+aiko, d.Token, map[string]any{"active": true}, 200, nil)
	change(numbers[1], map[string]any{"assignee": aiko})
	d.Call("PATCH", "/api/desk/teams/"+other.ID, d.Token, map[string]any{"members": []string{}}, 200, nil)
	d.Eventually("the team's other members get it", func() bool { return assignee(numbers[1]) == "" })
	agree(t, d)
}

// TestWhatPeopleDoIsInTheLog holds that each change leaves its event, and no
// change leaves none.
func TestWhatPeopleDoIsInTheLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	var made struct {
		ID      string
		Members []string
	}
	if _, body := d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Orders"}, 201, &made); made.Members == nil {
		t.Errorf("a team without members is %s", body)
	}
	team := "/api/desk/teams/" + made.ID
	count := func(kind string, want int) {
		t.Helper()
		if n := len(logged(t, d, kind)); n != want {
			t.Errorf("%d %s instead of %d", n, kind, want)
		}
	}
	id, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate}, made.ID)
	joined := logged(t, d, "agent.teams_changed")
	if len(joined) != 1 || joined[0].Subject != id || joined[0].New != made.ID {
		t.Errorf("joining a team: %+v", joined)
	}
	for _, in := range []map[string]any{{"name": "Orders"}, {"members": []string{id, id}}, {}} {
		d.Call("PATCH", team, d.Token, in, 200, nil)
	}
	count("team.changed", 0)
	count("team.renamed", 0)
	d.Call("PATCH", team, d.Token, map[string]any{"name": "Parcels"}, 200, nil)
	count("team.renamed", 1)
	count("team.changed", 0)
	d.Call("PATCH", team, d.Token, map[string]any{"members": []string{}}, 200, nil)
	if e := last(t, d, "team.changed", made.ID); e.Old != id || e.New != "" {
		t.Errorf("members: %+v", e)
	}
	d.Call("PATCH", "/api/desk/agents/"+id, d.Token, map[string]any{"teams": []string{}}, 200, nil)
	count("agent.teams_changed", 1)

	d.Call("PATCH", "/api/desk/me", token, map[string]any{"signature": "<p>Aiko</p>"}, 200, nil)
	d.Call("PATCH", "/api/desk/me", token, map[string]any{"signature": "<p>Aiko</p>"}, 200, nil)
	count("agent.signature_changed", 1)

	second := d.SignIn("aiko@people.test", desktest.OwnerPassword)
	d.Call("PATCH", "/api/desk/me", second, map[string]any{"password": "another long password", "old_password": desktest.OwnerPassword}, 200, nil)
	if e := logged(t, d, "session.ended"); len(e) != 1 || e[0].Reason != "password_changed" || e[0].Actor != desk.Agent(id) {
		t.Errorf("the other session: %+v", e)
	}
	agree(t, d)
}

// TestTheLastOwnerStays holds that a 422 says what refused, by the desk's route
// and by PocketBase's.
func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	var me struct{ Agent struct{ ID string } }
	d.Get("/api/desk/me", &me)
	for path, token := range map[string]string{"/api/desk/agents/": d.Token, "/api/collections/agents/records/": superuser(t, d)} {
		var refusal struct {
			Message string
			Data    struct{ Guard string }
		}
		d.Call("PATCH", path+me.Agent.ID, token, map[string]any{"active": false}, 422, &refusal)
		if refusal.Data.Guard != "last_owner" || !strings.HasPrefix(refusal.Message, "This is the last owner") {
			t.Errorf("%s: %+v", path, refusal)
		}
	}
	d.Get("/api/desk/me", nil)
}

func TestAnInvitationsUseIsInTheLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	var inv struct{ ID, URL string }
	d.Call("POST", "/api/desk/invitations", d.Token, map[string]any{"roles": []string{"associate"}}, 201, &inv)
	path := "/api/public/invitations/" + inv.URL[strings.LastIndex(inv.URL, "/")+1:]
	var in struct{ Record struct{ ID string } }
	d.Call("POST", path, "", map[string]string{"name": "Aiko Sato", "email": "aiko@people.test", "password": "a long enough one"}, 201, &in)
	if e := last(t, d, "agent.invitation_used", inv.ID); e.New != in.Record.ID || e.Actor != desk.Agent(in.Record.ID) {
		t.Errorf("event %+v", e)
	}
}

func TestACustomersBirthIsInTheLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("maren@shop.test", desktest.Mail("maren@shop.test", "One", "text"))
	who := d.WaitTickets(1)[0].Customer
	if e := last(t, d, "customer.created", who.ID); e.Actor != desk.System("intake") || e.New != "" {
		t.Errorf("event %+v", e)
	}
	d.Receive("maren@shop.test", desktest.Mail("Maren Holt <maren@shop.test>", "Two", "text"))
	d.WaitTickets(2)
	last(t, d, "customer.named", who.ID)
	d.Receive("maren@shop.test", desktest.Mail("M. Holt <maren@shop.test>", "Three", "text"))
	d.WaitTickets(3)
	var opened struct{ Customer struct{ ID string } }
	d.Call("POST", "/api/desk/tickets", d.Token, map[string]any{
		"subject": "By phone", "channel": "phone", "body": "<p>x</p>", "customer": map[string]string{"email": "kai@shop.test", "name": "Kai"},
	}, 201, &opened)
	if e := last(t, d, "customer.created", opened.Customer.ID); e.Actor.Kind != desk.ActorAgent {
		t.Errorf("event %+v", e)
	}
	if made, named := logged(t, d, "customer.created"), logged(t, d, "customer.named"); len(made) != 2 || len(named) != 1 {
		t.Errorf("%d made, %d named", len(made), len(named))
	}
}

func TestASessionTooManyIsInTheLog(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	id := employ(d, "Aiko", []desk.Role{desk.RoleAssociate})
	r, err := d.App.FindRecordById("agents", id)
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for i := range 51 {
		token, err := d.Access.SignIn(r, "192.0.2.7", "test")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = token
		}
		time.Sleep(2 * time.Millisecond) // the oldest is told by the time
	}
	ended := logged(t, d, "session.ended")
	if len(ended) != 1 || ended[0].Reason != "too_many_sessions" || ended[0].Subject != logged(t, d, "session.started")[1].Subject {
		t.Errorf("ended: %+v", ended)
	}
	d.Call("GET", "/api/desk/me", first, nil, 401, nil)
}

func TestAnAPIKeyIsRevoked(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	key, err := d.Access.CreateKey(desk.System("test"), "Shop", []string{"ticket.read"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	_, associate := hire(d, "Aiko", []desk.Role{desk.RoleAssociate})
	var list struct {
		Items []struct {
			ID, Name string
			Scopes   []string
			Revoked  *string
		}
	}
	d.Call("GET", "/api/desk/tickets", key, nil, 200, nil)
	_, body := d.Call("GET", "/api/desk/keys", d.Token, nil, 200, &list)
	if len(list.Items) != 1 || list.Items[0].Name != "Shop" || list.Items[0].Revoked != nil || strings.Contains(body, key[:12]) {
		t.Fatalf("keys: %s", body)
	}
	path := "/api/desk/keys/" + list.Items[0].ID
	d.Call("DELETE", path, associate, nil, 403, nil)
	d.Call("DELETE", path, key, nil, 403, nil)
	d.Call("DELETE", path, d.Token, nil, 204, nil)
	d.Call("GET", "/api/desk/tickets", key, nil, 401, nil)
	d.Call("DELETE", path, d.Token, nil, 404, nil)
	last(t, d, "api_key.revoked", list.Items[0].ID)
	d.Call("GET", "/api/desk/keys", d.Token, nil, 200, &list)
	if list.Items[0].Revoked == nil {
		t.Error("the key is not shown as revoked")
	}
}

// tryFrom tries to sign in from an address of this machine.
func tryFrom(t *testing.T, d *desktest.Desk, ip, collection, email, password string) (status int, retryAfter, body string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}, DisableKeepAlives: true}}
	in, _ := json.Marshal(map[string]string{"identity": email, "password": password})
	req, err := http.NewRequestWithContext(t.Context(), "POST", d.URL+"/api/collections/"+collection+"/auth-with-password", strings.NewReader(string(in)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", "203.0.113.9") // counts for nothing
	resp, err := client.Do(req)
	if err != nil {
		t.Skipf("this machine has no address %s: %v", ip, err)
	}
	defer resp.Body.Close()
	var out struct{ Message string }
	_ = json.NewDecoder(resp.Body).Decode(&out)
	return resp.StatusCode, resp.Header.Get("Retry-After"), out.Message
}

// TestAPasswordIsNotGuessedFromManyAddresses tries accounts that exist and one
// that does not, each time from another address: none tells which is which, and
// whoever works from where they did before is not locked out.
func TestAPasswordIsNotGuessedFromManyAddresses(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	id := employ(d, "Aiko", []desk.Role{desk.RoleAssociate})
	superuser(t, d)
	address := 1
	next := func() string { address++; return fmt.Sprintf("127.0.1.%d", address) }
	answers := map[string]string{}
	for _, c := range []struct{ collection, email string }{
		{"agents", "aiko@people.test"}, {"agents", "nobody@people.test"}, {"agents", desktest.OwnerEmail}, {"_superusers", "root@people.test"},
	} {
		for i := range 10 {
			if status, _, body := tryFrom(t, d, next(), c.collection, strings.ToUpper(c.email[:1])+c.email[1:], fmt.Sprintf("guess %d", i)); status != 400 {
				t.Fatalf("guess %d at %s: %d %s", i, c.email, status, body)
			}
		}
		status, retry, body := tryFrom(t, d, next(), c.collection, c.email, desktest.OwnerPassword)
		if status != 429 || retry == "" || retry == "0" {
			t.Errorf("%s after ten wrong passwords: %d, Retry-After %q, %s", c.email, status, retry, body)
		}
		answers[strings.Map(func(r rune) rune { // the seconds differ
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, body)] += c.email + " "
	}
	if len(answers) != 1 {
		t.Errorf("the answers tell accounts apart: %v", answers)
	}
	if status, _, body := tryFrom(t, d, "127.0.0.1", "agents", desktest.OwnerEmail, desktest.OwnerPassword); status != 200 {
		t.Errorf("the owner is locked out at their own desk: %d %s", status, body)
	}
	if status, _, _ := tryFrom(t, d, next(), "agents", desktest.OwnerEmail, desktest.OwnerPassword); status != 200 {
		t.Errorf("the right password did not end the count: %d", status)
	}
	d.Eventually("the guesses are logged", func() bool { return len(logged(t, d, "agent.password_guessed")) == 3 })
	if e := logged(t, d, "agent.password_guessed")[0]; e.Subject != id {
		t.Errorf("event %+v", e)
	}
	var me struct{ Banners []struct{ ID, Text string } }
	d.Get("/api/desk/me", &me)
	if !slices.ContainsFunc(me.Banners, func(b struct{ ID, Text string }) bool {
		return b.ID == "guessed" && strings.Contains(b.Text, "Aiko")
	}) {
		t.Errorf("no banner says so: %+v", me.Banners)
	}
}

// TestAStolenSessionDoesNotGuessThePassword tries old passwords with a token.
func TestAStolenSessionDoesNotGuessThePassword(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	_, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate})
	try := func(old string, status int) {
		d.Call("PATCH", "/api/desk/me", token, map[string]any{"password": "a new long password", "old_password": old}, status, nil)
	}
	for i := range 10 {
		try(fmt.Sprintf("guess %d", i), 400)
	}
	try(desktest.OwnerPassword, 429)
}
