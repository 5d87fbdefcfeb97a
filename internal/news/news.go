// Package news tells browsers that something changed. It sends hints over
// PocketBase's event stream ("ticket 1042 changed, event 98213"); the browser
// fetches again what it shows.
//
// Topics are of our own: "me", "team:ID", "ticket:NUMBER" and "desk". Who may
// hear a topic is checked when subscribing; whose sign-in has ended hears
// nothing more. Hints wait in a bounded place for each browser and are put
// together, so a slow one holds up nobody.
package news

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	gather    = 40 * time.Millisecond // changes within it become one hint
	pingEvery = 25 * time.Second
	maxListed = 100 // tickets in one hint; beyond, the browser fetches everything
)

// Hint is what a browser is told.
type Hint struct {
	Event   int64    `json:"event"`   // seq of the last event it is about
	Tickets []int64  `json:"tickets"` // numbers, empty when there are too many or none
	Kinds   []string `json:"kinds"`   // of the events, each once
}

// News tells the browsers of one desk.
type News struct {
	app    core.App
	log    *event.Log
	clock  desk.Clock
	access *access.Access

	mu      sync.Mutex
	waiting map[string]map[string]*Hint // client id -> topic -> hint
}

// New returns the news of app.
func New(app core.App, log *event.Log, clock desk.Clock, a *access.Access) *News {
	n := &News{app: app, log: log, clock: clock, access: a, waiting: map[string]map[string]*Hint{}}
	app.OnRealtimeSubscribeRequest().BindFunc(n.subscribe)
	return n
}

const callerKey = "deskbellCaller"

// subscribe lets a browser hear only the topics its agent may.
func (n *News) subscribe(e *core.RealtimeSubscribeRequestEvent) error {
	ours := slices.ContainsFunc(e.Subscriptions, func(topic string) bool { return isOurs(nameOf(topic)) })
	if !ours {
		return e.Next()
	}
	who, err := n.access.Caller(e.RequestEvent)
	if err == nil && who == nil {
		err = desk.Errorf(desk.Unauthorized, "Sign in first.")
	}
	if err != nil {
		return route.Fail(e.RequestEvent, err)
	}
	allowed := e.Subscriptions[:0:0]
	for _, topic := range e.Subscriptions {
		name := nameOf(topic)
		if !isOurs(name) || n.may(who, name) {
			allowed = append(allowed, topic)
		}
	}
	e.Subscriptions = allowed
	e.Client.Set(callerKey, who)
	return e.Next()
}

// nameOf is a topic without the options that the SDK may add.
func nameOf(topic string) string {
	name, _, _ := strings.Cut(topic, "?")
	return name
}

func isOurs(topic string) bool {
	return topic == "me" || topic == "desk" || strings.HasPrefix(topic, "team:") || strings.HasPrefix(topic, "ticket:")
}

func (n *News) may(who *route.Caller, topic string) bool {
	kind, id, _ := strings.Cut(topic, ":")
	switch kind {
	case "me":
		return true
	case "desk":
		return who.Has("outbox.read")
	case "team":
		return access.CanTeam(who, "ticket.read", id)
	}
	number, _ := strconv.ParseInt(id, 10, 64)
	t, err := ticket.ByNumber(n.app, number)
	return err == nil && t != nil && access.CanTeam(who, "ticket.read", t.Team)
}

// Run tells what happens until ctx ends.
func (n *News) Run(ctx context.Context) error {
	wake := n.log.Wake()
	at, err := event.Last(n.app)
	if err != nil {
		return err
	}
	ping := time.NewTicker(pingEvery) // keep-alive of the streams, starts no work
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ping.C:
			n.ping()
			continue
		case <-wake:
		}
		pause(ctx, gather)
		if at, err = n.tell(at); err != nil {
			n.app.Logger().Error("news could not be read", "error", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// tell hands out what happened after at and answers how far it came.
func (n *News) tell(at int64) (int64, error) {
	events, err := event.Since(n.app, at, 1000)
	if err != nil || len(events) == 0 {
		return at, err
	}
	last := events[len(events)-1].Seq
	topics, err := n.topics(events)
	if err != nil {
		return at, err
	}
	for _, client := range n.app.SubscriptionsBroker().Clients() {
		n.offer(client, topics)
	}
	if len(events) == 1000 {
		return n.tell(last)
	}
	return last, nil
}

// topics puts events together to one hint for each topic they concern.
func (n *News) topics(events []desk.Event) (map[string]*Hint, error) {
	out := map[string]*Hint{}
	add := func(topic string, e desk.Event, number int64) {
		h := out[topic]
		if h == nil {
			h = &Hint{Tickets: []int64{}}
			out[topic] = h
		}
		h.merge(&Hint{Event: e.Seq, Tickets: numbers(number), Kinds: []string{e.Kind}})
	}
	known := map[string]*ticket.Ticket{}
	for _, e := range events {
		if strings.HasPrefix(e.Kind, "session.") {
			continue
		}
		add("me", e, 0)
		if !ofATicket(e.Kind) {
			add("desk", e, 0)
		}
		if e.Ticket == "" {
			continue
		}
		t, seen := known[e.Ticket]
		if !seen {
			var err error
			if t, err = ticket.Find(n.app, e.Ticket); err != nil {
				return nil, err
			}
			known[e.Ticket] = t
		}
		if t == nil {
			continue
		}
		add("ticket:"+strconv.FormatInt(t.Number, 10), e, t.Number)
		add("team:"+t.Team, e, t.Number)
		if e.Kind == "ticket.moved" && e.Old != "" {
			add("team:"+e.Old, e, t.Number)
		}
	}
	return out, nil
}

// ofATicket reports whether events of a kind concern those who see the ticket,
// and not the whole desk.
func ofATicket(kind string) bool {
	noun, _, _ := strings.Cut(kind, ".")
	return noun == "ticket" || noun == "message" || noun == "customer"
}

func numbers(n int64) []int64 {
	if n == 0 {
		return nil
	}
	return []int64{n}
}

func (h *Hint) merge(o *Hint) {
	h.Event = max(h.Event, o.Event)
	for _, n := range o.Tickets {
		if !slices.Contains(h.Tickets, n) {
			h.Tickets = append(h.Tickets, n)
		}
	}
	if len(h.Tickets) > maxListed {
		h.Tickets = []int64{}
	}
	for _, k := range o.Kinds {
		if !slices.Contains(h.Kinds, k) {
			h.Kinds = append(h.Kinds, k)
		}
	}
}

// offer leaves hints for one browser and makes sure somebody delivers them.
func (n *News) offer(client subscriptions.Client, topics map[string]*Hint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	box, delivering := n.waiting[client.Id()]
	for topic, hint := range topics {
		if !client.HasSubscription(topic) {
			continue
		}
		if box == nil {
			box = map[string]*Hint{}
		}
		if box[topic] == nil {
			box[topic] = &Hint{Tickets: []int64{}}
		}
		box[topic].merge(hint)
	}
	if box == nil {
		return
	}
	n.waiting[client.Id()] = box
	if !delivering {
		go n.deliver(client)
	}
}

// deliver sends what waits for one browser until nothing does. A browser that
// does not read holds up only this goroutine, until PocketBase drops it.
func (n *News) deliver(client subscriptions.Client) {
	defer func() {
		if p := recover(); p != nil {
			n.app.Logger().Error("news delivery panicked", "panic", p)
		}
	}()
	for {
		n.mu.Lock()
		box := n.waiting[client.Id()]
		if len(box) == 0 || client.IsDiscarded() {
			delete(n.waiting, client.Id())
			n.mu.Unlock()
			return
		}
		n.waiting[client.Id()] = map[string]*Hint{}
		n.mu.Unlock()
		if !n.goesOn(client) {
			client.Unsubscribe()
			continue
		}
		for topic, hint := range box {
			if !client.HasSubscription(topic) {
				continue
			}
			data, err := json.Marshal(hint)
			if err != nil {
				continue
			}
			client.Send(subscriptions.Message{Name: topic, Data: data})
		}
	}
}

// goesOn checks again whether the browser's caller is still signed in, and ends
// what they may not hear any more: a ticket can move, a team or a key be lost.
func (n *News) goesOn(client subscriptions.Client) bool {
	who, ok := client.Get(callerKey).(*route.Caller)
	if !ok {
		return false
	}
	if who.Actor.Kind == desk.ActorSuper { // PocketBase forgets whose password changed
		if r, ok := client.Get(apis.RealtimeClientAuthKey).(*core.Record); !ok || r.Id != who.Actor.ID {
			return false
		}
	}
	now, err := n.access.Again(n.app, who)
	if err != nil {
		n.app.Logger().Error("who hears news could not be checked", "error", err)
	}
	if now == nil {
		return false
	}
	for topic := range client.Subscriptions() {
		if name := nameOf(topic); isOurs(name) && !n.may(now, name) {
			client.Unsubscribe(topic)
		}
	}
	client.Set(callerKey, now)
	return true
}

// ping keeps the streams open through proxies that cut silent ones, and ends
// those whose sign-in has ended.
func (n *News) ping() {
	for _, client := range n.app.SubscriptionsBroker().Clients() {
		if _, ours := client.Get(callerKey).(*route.Caller); !ours {
			continue
		}
		n.offer(client, map[string]*Hint{"me": {Tickets: []int64{}, Kinds: []string{"ping"}}})
	}
}

type sinceInput struct {
	Since int64 `query:"since" json:"-"`
}

type sinceOut struct {
	Last    int64   `json:"last"`
	Tickets []int64 `json:"tickets"` // numbers the caller may see
	More    bool    `json:"more"`    // too much happened: fetch everything
}

// Routes adds the question of a browser that slept.
func (n *News) Routes(t *route.Table) {
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/events", Permission: route.SignedIn, Summary: "What changed since an event"},
		func(c *route.Call, in sinceInput) (out sinceOut, err error) {
			out.Tickets = []int64{}
			if out.Last, err = event.Last(c.App); err != nil || in.Since >= out.Last {
				return out, err
			}
			events, err := event.Since(c.App, in.Since, 500)
			if err != nil {
				return out, err
			}
			if out.More = len(events) == 500; out.More {
				return out, nil
			}
			return out, n.visible(c, events, &out)
		})
}

func (n *News) visible(c *route.Call, events []desk.Event, out *sinceOut) error {
	seen := map[string]bool{}
	for _, e := range events {
		if e.Ticket == "" || seen[e.Ticket] {
			continue
		}
		seen[e.Ticket] = true
		t, err := ticket.Find(c.App, e.Ticket)
		if err != nil {
			return err
		}
		if t != nil && access.CanTeam(c.Caller, "ticket.read", t.Team) {
			out.Tickets = append(out.Tickets, t.Number)
		}
	}
	return nil
}
