//go:build unix

package crash_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// aim is the moment at which the desk is killed.
type aim int32

const (
	anywhere aim = iota + 1 // whenever the gap is over
	starting                // while it comes up again
	after250                // a mail was just taken
	after201                // a reply was just acknowledged
	inData                  // the sink is about to get a mail's content
	inBody                  // the sink has all of a mail and has not answered
	inFetch                 // a mail is being fetched by IMAP
)

var aimNames = map[aim]string{
	anywhere: "anywhere", starting: "while starting", after250: "right after 250", after201: "right after 201",
	inData: "before a mail's content", inBody: "before the sink's answer", inFetch: "while fetching",
}

// aimLimit is how long a moment is waited for.
const aimLimit = 6 * time.Second

// killer kills the desk time and again.
type killer struct {
	d     *desk
	r     *rand.Rand
	gap   time.Duration // mean of the exponential gaps
	plan  []aim
	armed atomic.Int32
	hit   chan struct{}
	done  atomic.Int32

	mu  sync.Mutex
	log []string
}

func newKiller(d *desk, r *rand.Rand, kills int, gap time.Duration) *killer {
	plan := []aim{after250, after201, inBody, starting, inData, inFetch, after250, after201, inBody}
	plan = plan[:min(len(plan), kills*3/5)]
	for len(plan) < kills {
		plan = append(plan, anywhere)
	}
	r.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	if first := slices.Index(plan, starting); first == 0 {
		plan[0], plan[1] = plan[1], plan[0] // something has to have died before
	}
	return &killer{d: d, r: r, gap: gap, plan: plan, hit: make(chan struct{})}
}

func (k *killer) run() {
	begun := time.Now()
	for _, a := range k.plan {
		how := k.strike(a)
		k.done.Add(1)
		k.mu.Lock()
		k.log = append(k.log, fmt.Sprintf("%.1f s %s", time.Since(begun).Seconds(), how))
		k.mu.Unlock()
	}
}

func (k *killer) strike(a aim) (how string) {
	if a == starting {
		time.Sleep(time.Duration(k.r.Int64N(int64(250 * time.Millisecond)))) // since the kill before
		k.d.kill()
		return aimNames[a]
	}
	time.Sleep(time.Duration(min(k.r.ExpFloat64(), 3) * float64(k.gap)))
	if a == anywhere {
		k.d.kill()
		return aimNames[a]
	}
	k.armed.Store(int32(a))
	select {
	case <-k.hit:
		return aimNames[a]
	case <-time.After(aimLimit):
	}
	if k.armed.CompareAndSwap(int32(a), 0) {
		k.d.kill()
		return "anywhere (waited in vain: " + aimNames[a] + ")"
	}
	<-k.hit
	return aimNames[a]
}

// moment is called by whoever is at a moment; it kills when that is aimed at.
func (k *killer) moment(a aim) {
	if k.armed.CompareAndSwap(int32(a), 0) {
		k.d.kill()
		k.hit <- struct{}{}
	}
}

func (k *killer) report() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(slices.Clone(k.log), ", ")
}
