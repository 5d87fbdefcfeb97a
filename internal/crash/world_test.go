//go:build unix

package crash_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/emersion/go-imap/v2"
)

// size is how much happens.
type size struct {
	mails, replies, kills int
	length                time.Duration // over which mails and replies are spread
}

// world is everybody around the desk: customers and their servers, agents,
// and whoever kills it.
type world struct {
	t      *testing.T
	d      *desk
	sink   *smtptest.Server
	box    *imaptest.Server
	killer *killer
	size   size
	begun  time.Time

	bodies, rcpts  atomic.Int64
	offers, renews atomic.Int64 // mails brought by SMTP; UIDVALIDITY changes
	moved          atomic.Int64 // mails that another client moved away

	mu       sync.Mutex
	letters  map[string]*letter // by stamp
	accepted map[string]string  // SHA-256 of what the desk has to have -> stamp
	replies  map[string]*reply  // by stamp
	heard    int                // mails of the sink that customers looked at
	unheard  []sent
}

// reply is an answer of an agent.
type reply struct {
	stamp     string
	number    int64  // of the ticket
	id        string // of the message, "" until acknowledged
	messageID string
}

func (w *world) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }

// live lets everything happen and returns when all of it has.
func (w *world) live() {
	w.begun = time.Now()
	w.sink.SetScript(w.script)
	w.box.BeforeFetch(func(imap.NumSet) error { w.killer.moment(inFetch); return nil })
	var all sync.WaitGroup
	all.Go(w.killer.run)
	all.Go(w.customers)
	all.Go(w.agents)
	all.Wait()
	w.sink.SetScript(nil)
	w.box.BeforeFetch(nil)
}

// pace waits for the turn of the i-th of n things: they are spread over the
// time, and do not run ahead of the kills unless one waits for them.
func (w *world) pace(i, n int) {
	const ahead = 3
	time.Sleep(time.Until(w.begun.Add(w.size.length * time.Duration(i) / time.Duration(n))))
	for w.killer.armed.Load() == 0 && i*w.size.kills > (int(w.killer.done.Load())+ahead)*n {
		time.Sleep(10 * time.Millisecond)
	}
}

// script is how the sink behaves: a little slow, and at times it breaks off.
func (w *world) script(step, _ string) string {
	switch step {
	case "RCPT":
		if n := w.rcpts.Add(1); n == 10 || n == 30 {
			return "451 4.3.0 try again later"
		}
	case "DATA":
		w.killer.moment(inData)
	case smtptest.Body:
		n := w.bodies.Add(1)
		time.Sleep(time.Duration(n*17%50) * time.Millisecond)
		w.killer.moment(inBody)
		switch {
		case n%30 == 12:
			return smtptest.AcceptAndDrop
		case n%60 == 25:
			return smtptest.Drop
		}
	}
	return ""
}

// customers write: half of it comes by SMTP, half by IMAP, some both ways. The
// mailbox's server cuts connections and numbers its folder anew.
func (w *world) customers() {
	bySMTP := make(chan *letter, w.size.mails)
	var couriers sync.WaitGroup
	for i := range 3 {
		couriers.Go(func() { w.courier(bySMTP, w.rand(10+uint64(i))) })
	}
	r, n := w.rand(2), w.size.mails
	for i := range n {
		w.pace(i, n)
		l := w.write(r, i)
		switch {
		case i%2 == 0:
			bySMTP <- l
		case i%20 == 7: // a copy for us and one for an address that is forwarded to us
			bySMTP <- l
			w.appendMail(l, elsewhere(l.raw), false)
		default:
			w.appendMail(l, l.raw, r.IntN(8) == 0)
		}
		switch {
		case i == n*35/100, i == n*7/10:
			w.box.Renumber(w.t)
			w.renews.Add(1)
		case i%50 == 49:
			w.box.DropConnections()
		}
	}
	close(bySMTP)
	couriers.Wait()
}

// write makes a letter; each fifth answers a reply of ours if there is one.
func (w *world) write(r *rand.Rand, i int) *letter {
	w.mu.Lock()
	defer w.mu.Unlock()
	mails := w.sink.Mails()
	for _, m := range mails[w.heard:] {
		if s, ok := received(m); ok {
			w.unheard = append(w.unheard, s)
		}
	}
	w.heard = len(mails)
	var answer *sent
	if i%5 == 2 && len(w.unheard) > 0 {
		answer = &w.unheard[0]
		w.unheard = w.unheard[1:]
	}
	l := compose(r, i, answer)
	w.letters[l.stamp] = l
	return l
}

func (w *world) took(l *letter, raw string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted[sum(raw)] = l.stamp
}

// appendMail puts a letter into the mailbox; now and then somebody's phone moves
// it away at once, whether the desk has read it or not.
func (w *world) appendMail(l *letter, raw string, phone bool) {
	uid := w.box.Append(w.t, raw)
	w.took(l, raw)
	if phone {
		w.box.Move(w.t, uid, archive)
		w.moved.Add(1)
	}
}

// archive is where the phone moves mails.
const archive = "Archive"

// courier brings letters; now and then it misses the 250 and comes again.
func (w *world) courier(letters <-chan *letter, r *rand.Rand) {
	for l := range letters {
		w.offer(l, r)
		if r.IntN(12) == 0 {
			w.offer(l, r)
		}
	}
}

// patience is how long anybody tries one thing.
const patience = 40 * time.Second

// offer brings a letter until the desk has said 250.
func (w *world) offer(l *letter, r *rand.Rand) {
	for last := time.Now().Add(patience); ; {
		_, addr, err := w.d.where()
		if err != nil {
			w.t.Errorf("a mail could not be brought: %v", err)
			return
		}
		w.offers.Add(1)
		err = bring(addr, l.from, l.raw)
		if err == nil {
			w.killer.moment(after250)
			w.took(l, l.raw)
			return
		}
		if codeOf(err)/100 == 5 || time.Now().After(last) {
			w.t.Errorf("a mail was not taken: %v", err)
			return
		}
		time.Sleep(time.Duration(30+r.IntN(150)) * time.Millisecond)
	}
}

// agents answer, several at once.
func (w *world) agents() {
	turns := make(chan int)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			r := w.rand(20 + uint64(i))
			for turn := range turns {
				w.answer(r, turn)
			}
		})
	}
	for i := range w.size.replies {
		w.pace(i, w.size.replies)
		turns <- i
	}
	close(turns)
	all.Wait()
}

// answer writes one reply into some ticket and asks until it is acknowledged.
func (w *world) answer(r *rand.Rand, turn int) {
	number := w.someTicket(r)
	if number == 0 {
		return
	}
	p := &reply{stamp: newStamp(r), number: number}
	w.mu.Lock()
	w.replies[p.stamp] = p
	w.mu.Unlock()
	in := map[string]any{"body": "<p>A new pole is on its way.</p><p>" + p.stamp + "</p>", "undo_s": turn % 2}
	w.post(p, in)
	if r.IntN(5) == 0 { // the answer got lost on its way to the browser
		w.post(p, in)
	}
}

// post sends a reply until it is acknowledged, always under the same key.
func (w *world) post(p *reply, in any) {
	for last := time.Now().Add(patience); ; {
		status, body, err := w.d.try("POST", fmt.Sprintf("/api/desk/tickets/%d/replies", p.number), "key "+p.stamp, in)
		if err != nil && time.Now().Before(last) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		w.killer.moment(after201)
		var out struct {
			ID        string
			MessageID string `json:"message_id"`
		}
		if err != nil || status != 201 || json.Unmarshal(body, &out) != nil {
			w.t.Errorf("a reply was answered %d %s %v", status, body, err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if p.id != "" && p.id != out.ID {
			w.t.Errorf("the same key made two messages, %s and %s", p.id, out.ID)
		}
		p.id, p.messageID = out.ID, out.MessageID
		return
	}
}

// someTicket is the number of a ticket there is, 0 when the desk is gone.
func (w *world) someTicket(r *rand.Rand) int64 {
	for last := time.Now().Add(patience); ; {
		status, body, err := w.d.try("GET", "/api/desk/tickets?limit=100", "", nil)
		var list struct{ Items []struct{ Number int64 } }
		if err == nil && status == 200 && json.Unmarshal(body, &list) == nil && len(list.Items) > 0 {
			return list.Items[r.IntN(len(list.Items))].Number
		}
		if time.Now().After(last) {
			w.t.Errorf("tickets could not be listed: %d %s %v", status, body, err)
			return 0
		}
		time.Sleep(50 * time.Millisecond)
	}
}
