package story_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
)

// browser is an event stream that listens to topics.
type browser struct {
	mu    sync.Mutex
	hints map[string][]string // topic -> kinds
}

// listen opens a stream and subscribes with a token.
func listen(t *testing.T, d *desktest.Desk, token string, topics ...string) *browser {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", d.URL+"/api/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	b := &browser{hints: map[string][]string{}}
	id := make(chan string, 1)
	go b.read(resp, id)
	select {
	case client := <-id:
		d.Call("POST", "/api/realtime", token, map[string]any{"clientId": client, "subscriptions": topics}, 204, nil)
	case <-time.After(20 * time.Second):
		t.Fatal("the stream says nothing")
	}
	return b
}

func (b *browser) read(resp *http.Response, id chan<- string) {
	lines := bufio.NewScanner(resp.Body)
	topic := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event:"); ok {
			topic = strings.TrimSpace(name)
		}
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var hint struct {
			ClientID string
			Kinds    []string
		}
		_ = json.Unmarshal([]byte(data), &hint)
		if topic == "PB_CONNECT" {
			id <- hint.ClientID
			continue
		}
		b.mu.Lock()
		b.hints[topic] = append(b.hints[topic], hint.Kinds...)
		b.mu.Unlock()
	}
}

func (b *browser) heard(topic, kind string) bool { return b.times(topic, kind) > 0 }

// times is how many hints of a topic named a kind of event.
func (b *browser) times(topic, kind string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.hints[topic] {
		if k == kind {
			n++
		}
	}
	return n
}

// TestNewsOfATicketEndWithItsTeam moves a ticket away from an agent who looks
// at it: what happens to it then is none of the agent's business.
func TestNewsOfATicketEndWithItsTeam(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Moves away", "text"))
	ticket := d.WaitTickets(1)[0]
	var other struct{ ID string }
	d.Call("POST", "/api/desk/teams", d.Token, map[string]any{"name": "Board"}, 201, &other)
	_, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate}, ticket.Team.ID)
	topic, team := fmt.Sprintf("ticket:%d", ticket.Number), "team:"+ticket.Team.ID
	aiko, owner := listen(t, d, token, topic, team, "team:"+other.ID), listen(t, d, d.Token, topic)
	change := func(in map[string]any) {
		d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", ticket.Number), d.Token, in, 200, nil)
	}
	change(map[string]any{"priority": "high"})
	d.Eventually("both hear of the ticket", func() bool {
		return aiko.heard(topic, "ticket.prioritized") && owner.heard(topic, "ticket.prioritized")
	})
	change(map[string]any{"team": other.ID})
	d.Eventually("the team hears that it lost the ticket", func() bool { return aiko.heard(team, "ticket.moved") })
	change(map[string]any{"type": "complaint"})
	d.Eventually("the owner hears on", func() bool { return owner.heard(topic, "ticket.retyped") })
	change(map[string]any{"team": ticket.Team.ID})
	d.Eventually("the team hears that it has the ticket again", func() bool { return aiko.times(team, "ticket.moved") == 2 })
	if aiko.heard(topic, "ticket.moved") || aiko.heard(topic, "ticket.retyped") || aiko.heard("team:"+other.ID, "ticket.retyped") {
		t.Error("the agent heard of another team's ticket")
	}
}

// TestNewsEndWithTheKeyOrThePassword revokes what three streams were opened
// with, while somebody else hears on.
func TestNewsEndWithTheKeyOrThePassword(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Watched", "text"))
	ticket := d.WaitTickets(1)[0]
	topic := fmt.Sprintf("ticket:%d", ticket.Number)
	key, err := d.Access.CreateKey(desk.System("test"), "Shop", []string{"ticket.read"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	root := superuser(t, d)
	id, token := hire(d, "Aiko", []desk.Role{desk.RoleAssociate}, ticket.Team.ID)
	gone := map[string]*browser{"key": listen(t, d, key, topic), "superuser": listen(t, d, root, topic), "agent": listen(t, d, token, topic)}
	owner := listen(t, d, d.Token, topic)
	change := func(priority string) {
		d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", ticket.Number), d.Token, map[string]any{"priority": priority, "type": "complaint"}, 200, nil)
	}
	change("high")
	for who, b := range gone {
		d.Eventually("the "+who+" hears", func() bool { return b.heard(topic, "ticket.prioritized") })
	}
	var keys struct{ Items []struct{ ID string } }
	d.Get("/api/desk/keys", &keys)
	d.Call("DELETE", "/api/desk/keys/"+keys.Items[0].ID, d.Token, nil, 204, nil)
	d.Call("PATCH", "/api/collections/agents/records/"+id, root, map[string]any{"password": "another long one", "passwordConfirm": "another long one"}, 200, nil)
	if err := d.Access.UpsertSuperuser(desk.System("test"), "root@people.test", "another long one"); err != nil {
		t.Fatal(err)
	}
	d.Call("PATCH", fmt.Sprintf("/api/desk/tickets/%d", ticket.Number), d.Token, map[string]any{"status": "pending"}, 200, nil)
	d.Eventually("the owner hears on", func() bool { return owner.heard(topic, "ticket.status_changed") })
	time.Sleep(200 * time.Millisecond) // the others are told in no order
	for who, b := range gone {
		if b.heard(topic, "ticket.status_changed") {
			t.Errorf("the %s hears on", who)
		}
	}
}
