// Package sample fills a desk with synthetic but believable data: customers
// who write, agents who answer, tickets in every state. The same seed gives the
// same data. The demo and the benchmarks use it.
package sample

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// Batch is how many tickets share one transaction. What a batch holds depends
// on the seed and its place alone, so that filling can go on where it stopped.
const Batch = 500

// Options say how much of what to make.
type Options struct {
	Tickets  int
	Messages int          // in each ticket; 0 = 3
	Days     int          // that the tickets are spread over, back from now; 0 = 90
	Seed     uint64       // the same seed makes the same data
	Teams    []string     // ids; tickets are spread over them
	Agents   []string     // ids; nil leaves tickets unassigned
	Open     float64      // part of the tickets, the newest, that is not finished; 0 = 0.1
	Mailbox  string       // id that the tickets came through, "" for none
	Address  desk.Address // of that mailbox
	Domain   string       // of the customers' addresses, "" = example.net
}

// Filler makes the data of one desk.
type Filler struct {
	app     core.App
	log     *event.Log
	clock   desk.Clock
	tickets *ticket.Tickets
	o       Options
	rand    *rand.Rand
}

// New returns a filler; Fill does the work.
func New(app core.App, log *event.Log, clock desk.Clock, tickets *ticket.Tickets, o Options) *Filler {
	if o.Messages == 0 {
		o.Messages = 3
	}
	if o.Days == 0 {
		o.Days = 90
	}
	if o.Open == 0 {
		o.Open = 0.1
	}
	if o.Domain == "" {
		o.Domain = "example.net"
	}
	return &Filler{app: app, log: log, clock: clock, tickets: tickets, o: o}
}

// Fill makes all the tickets.
func (f *Filler) Fill() error {
	for done := 0; done < f.o.Tickets; {
		n, err := f.Step(done)
		if err != nil {
			return err
		}
		done += n
	}
	return nil
}

// Step makes the batch after the first done tickets, a multiple of Batch, and
// returns how many tickets it made.
func (f *Filler) Step(done int) (int, error) {
	f.rand = rand.New(rand.NewPCG(f.o.Seed, uint64(done/Batch)))
	n := min(Batch, f.o.Tickets-done)
	return n, f.app.RunInTransaction(func(tx core.App) error {
		for i := done; i < done+n; i++ {
			if err := f.one(tx, i); err != nil {
				return fmt.Errorf("sample ticket %d: %w", i, err)
			}
		}
		return nil
	})
}

// Made returns how many tickets an earlier run with the same options has made.
func (f *Filler) Made() (int, error) {
	batches := (f.o.Tickets + Batch - 1) / Batch
	var err error
	first := sort.Search(batches, func(b int) bool {
		var found []message.Ref
		if err == nil {
			found, err = message.ByMessageID(f.app, f.messageID(b*Batch, 0))
		}
		return len(found) == 0
	})
	return min(first*Batch, f.o.Tickets), err
}

// messageID is the Message-ID of message n of ticket i.
func (f *Filler) messageID(i, n int) string {
	return fmt.Sprintf("%d.%d.%d.%d@%s", f.o.Seed, f.o.Tickets, i, n, f.o.Domain)
}

// one makes ticket number i of the sample: the oldest come first.
func (f *Filler) one(tx core.App, i int) error {
	now := f.clock.Now()
	span := time.Duration(f.o.Days) * 24 * time.Hour
	opened := f.past(f.workTime(now.Add(-span + span*time.Duration(i)/time.Duration(f.o.Tickets))))
	matter := matters[f.rand.IntN(len(matters))]
	from := f.person()
	who, err := customer.ByAddress(tx, f.log, desk.System("sample"), desk.Millis(opened), from)
	if err != nil {
		return err
	}
	product := products[f.rand.IntN(len(products))]
	first := matter.body(product)
	open := float64(f.o.Tickets-i) <= float64(f.o.Tickets)*f.o.Open && f.rand.Float64() < 0.95 || f.rand.Float64() < f.o.Open/20
	t, err := f.tickets.Open(tx, desk.Customer(who.ID), ticket.Opening{
		Subject: matter.about(product), Channel: desk.ChannelEmail, Mailbox: f.o.Mailbox,
		Team: f.o.Teams[f.rand.IntN(len(f.o.Teams))], Customer: who.ID, Priority: f.priority(), Type: matter.kind, Preview: first, At: desk.Millis(opened),
		Reason: "new_sender_or_matter",
	})
	if err != nil {
		return err
	}
	if err := ticket.Join(tx, t.ID, from, desk.Millis(opened)); err != nil {
		return err
	}
	return f.talk(tx, &conversation{number: i, ticket: t, who: who.ID, from: from, matter: matter, product: product, at: opened, open: open})
}

// conversation is a ticket being filled.
type conversation struct {
	number  int // of the ticket in the sample
	ticket  *ticket.Ticket
	who     string // customer id
	from    desk.Address
	matter  matter
	product string
	at      time.Time // opened
	open    bool      // not finished
}

// talk writes the messages of a ticket in turns and leaves it as it stands.
func (f *Filler) talk(tx core.App, c *conversation) error {
	t, m := c.ticket, c.matter
	agent := ""
	if len(f.o.Agents) > 0 {
		agent = f.o.Agents[f.rand.IntN(len(f.o.Agents))]
	}
	n := f.o.Messages
	if c.open && f.rand.IntN(3) > 0 {
		n = 1
	}
	last := c.at
	for i := range n {
		text := m.body(c.product)
		msg := &message.Message{
			Ticket: t.ID, Kind: desk.KindCustomer, Author: desk.Customer(c.who), From: c.from, To: []desk.Address{f.o.Address},
			Subject: t.Subject, MayAutoRespond: true, Reason: desk.Reason{Code: "new_sender_or_matter"},
		}
		if i > 0 {
			msg.Reason, text = desk.Reason{Code: "token"}, thanks[f.rand.IntN(len(thanks))]
		}
		if i%2 == 1 {
			text = m.answer
			msg.Kind, msg.Author, msg.From, msg.To = desk.KindReply, desk.Agent(agent), f.o.Address, []desk.Address{c.from}
			msg.Reason = desk.Reason{}
			if agent == "" {
				msg.Author = desk.System("sample")
			}
		}
		msg.MessageID = f.messageID(c.number, i)
		if err := f.say(tx, t, msg, text, last); err != nil {
			return err
		}
		last = f.past(f.workTime(last.Add(time.Duration(20+f.rand.IntN(600)) * time.Minute)))
	}
	return f.leave(tx, t, agent, n, c.open)
}

func (f *Filler) say(tx core.App, t *ticket.Ticket, msg *message.Message, text string, at time.Time) error {
	id := desk.NewID(f.clock.Now())
	msg.ID, msg.Text, msg.VisibleText, msg.Created, msg.Sent = id, text, text, desk.Millis(at), desk.Millis(at)
	if err := message.Add(tx, msg, msg.Created); err != nil {
		return err
	}
	kind, speaker := "message.received", "customer"
	if msg.Kind == desk.KindReply {
		kind, speaker = "message.replied", "agent"
	}
	if _, err := f.log.Append(tx, desk.Event{Kind: kind, At: msg.Created, Ticket: t.ID, Message: id, Actor: msg.Author, Reason: msg.Reason.Code}); err != nil {
		return err
	}
	t.LastFrom, t.Preview, t.LastAt, t.Updated = speaker, text, msg.Created, msg.Created
	return nil
}

// leave gives a ticket its status and writes it as it was then.
func (f *Filler) leave(tx core.App, t *ticket.Ticket, agent string, n int, open bool) error {
	if n > 1 || f.rand.IntN(2) == 0 {
		t.Assignee = agent
	}
	switch {
	case !open:
		t.Status, t.Solved = desk.StatusSolved, t.Updated
		if f.clock.Now().Sub(desk.Time(t.Updated)) > 14*24*time.Hour {
			t.Status = desk.StatusClosed
		}
	case t.LastFrom == "agent":
		t.Status = desk.StatusPending
	case n > 1:
		t.Status = desk.StatusOpen
	}
	t.WaitingSince = 0
	if t.LastFrom == "customer" && !t.Status.Finished() {
		t.WaitingSince = t.LastAt
	}
	if t.Status != desk.StatusNew {
		kind := map[bool]string{true: "ticket.solved", false: "ticket.status_changed"}[t.Status.Finished()]
		seq, err := f.log.Append(tx, desk.Event{Kind: kind, At: t.Updated, Ticket: t.ID, Actor: desk.System("sample"), Old: "new", New: string(t.Status)})
		if err != nil {
			return err
		}
		t.Event = seq
	}
	return ticket.Restore(tx, t)
}

// workTime moves a time into working hours, mostly. It draws the same numbers
// whatever the time, so that the same seed makes the same data at any hour.
func (f *Filler) workTime(at time.Time) time.Time {
	late, hour, minute, second := f.rand.IntN(5) == 0, 8+f.rand.IntN(10), f.rand.IntN(60), f.rand.IntN(60)
	if h := at.Hour(); (h < 7 || h > 19) && !late {
		at = time.Date(at.Year(), at.Month(), at.Day(), hour, minute, second, 0, at.Location())
	}
	return at
}

// past is at, or a time shortly before now when at lies ahead.
func (f *Filler) past(at time.Time) time.Time {
	now, back := f.clock.Now(), time.Duration(f.rand.IntN(120)+1)*time.Minute
	if at.After(now) {
		return now.Add(-back)
	}
	return at
}

func (f *Filler) priority() desk.Priority {
	switch n := f.rand.IntN(20); {
	case n == 0:
		return desk.PriorityUrgent
	case n < 4:
		return desk.PriorityHigh
	case n < 6:
		return desk.PriorityLow
	}
	return desk.PriorityNormal
}

// person is a customer; some write more than once.
func (f *Filler) person() desk.Address {
	first, last := firstNames[f.rand.IntN(len(firstNames))], lastNames[f.rand.IntN(len(lastNames))]
	n := f.rand.IntN(max(1, f.o.Tickets/300) + 1)
	tail := ""
	if n > 0 {
		tail = fmt.Sprint(n)
	}
	return desk.Address{Name: first + " " + last, Address: ascii(first) + "." + ascii(last) + tail + "@" + f.o.Domain}
}
