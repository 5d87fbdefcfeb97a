package schedule

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Timed is a timed job as the jobs page shows it.
type Timed struct {
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	Schedule string     `json:"schedule"` // its spec in words
	Last     *Last      `json:"last"`     // null before the first run
	Next     *time.Time `json:"next"`     // null for never or while paused
	Paused   bool       `json:"paused"`
	Running  bool       `json:"running"`
	Runs     int64      `json:"runs"` // ever begun
}

// Last is how the last run of a timed job went.
type Last struct {
	Started time.Time `json:"started"`
	MS      int64     `json:"ms"`      // how long it took, 0 while it runs
	Outcome string    `json:"outcome"` // ok, failed, interrupted; "" while it runs
	Error   *string   `json:"error"`   // null for none
}

// Queued is a durable job as the jobs page shows it.
type Queued struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Key      string    `json:"key,omitempty"`
	State    string    `json:"state"` // due, running or dead
	Attempts int       `json:"attempts"`
	Due      time.Time `json:"due"`
	Error    string    `json:"error"` // of the last attempt, "" for none
	Done     int64     `json:"done"`  // progress, out of Total
	Total    int64     `json:"total"` // 0 = unknown

	at place
}

// place is where a job stands in the list of the queue.
type place struct {
	Rank int
	Due  int64
	ID   string
}

// Timed lists the timed jobs in the order in which they were registered.
func (s *Scheduler) Timed(app core.App) ([]Timed, error) {
	rows, err := readRows(app)
	if err != nil {
		return nil, err
	}
	list := make([]Timed, 0, len(s.timed))
	for _, j := range s.timed {
		list = append(list, show(j, rows[j.Name], s.isBusy(j)))
	}
	return list, nil
}

func show(j *timedJob, r row, busy bool) Timed {
	t := Timed{
		Name: j.Name, Title: j.Title, Schedule: words(j.Spec, j.TimeZone),
		Paused: !r.paused.IsZero(), Running: busy, Runs: r.runs,
	}
	if !t.Paused && !r.next.IsZero() {
		t.Next = &r.next
	}
	if r.started.IsZero() {
		return t
	}
	t.Last = &Last{Started: r.started}
	if r.outcome != running {
		t.Last.Outcome, t.Last.MS = r.outcome, r.ms
		if r.err != "" {
			t.Last.Error = &r.err
		}
	}
	return t
}

// Queue lists durable jobs, dead ones first, then running ones, then waiting ones
// by their time, and answers the cursor of the next page, "" for none.
func (s *Scheduler) Queue(app core.App, cursor string, limit int) ([]Queued, string, error) {
	after := place{Rank: -1}
	if cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || json.Unmarshal(text, &after) != nil {
			return nil, "", desk.Errorf(desk.Invalid, "The cursor is none that this list answered; begin without one.")
		}
	}
	list, err := readQueue(app, after, limit+1)
	if err != nil || len(list) <= limit {
		return list, "", err
	}
	list = list[:limit]
	text, err := json.Marshal(list[limit-1].at)
	return list, base64.RawURLEncoding.EncodeToString(text), err
}

// Health is how well the scheduler keeps up.
type Health struct {
	Lag     time.Duration // how long the oldest due job waits, at most since the start or the last leap of the clock
	Late    string        // the name of that job's loop: "timed" or "queue", "" when nothing waits
	Due     int           // durable jobs that are due and wait
	Running int           // durable jobs at work
	Dead    int           // durable jobs that wait for a person

	since time.Time
}

// Health looks at the rows; jobs that run, are paused or have no handler here do
// not count as waiting.
func (s *Scheduler) Health(app core.App) (Health, error) {
	now := s.clock.Now()
	h := Health{since: s.waitingSince(now)}
	var err error
	if h.Due, h.Running, h.Dead, err = countQueue(app, now); err != nil {
		return h, err
	}
	due, err := firstDue(app, s.available(nil))
	if err != nil {
		return h, err
	}
	h.wait("queue", due, now)
	rows, err := readRows(app)
	if err != nil {
		return h, err
	}
	for _, j := range s.timed {
		if r := rows[j.Name]; r.paused.IsZero() && !s.isBusy(j) {
			h.wait("timed", r.next, now)
		}
	}
	return h, nil
}

func (h *Health) wait(loop string, due, now time.Time) {
	if due.IsZero() {
		return
	}
	if due.Before(h.since) {
		due = h.since
	}
	if lag := now.Sub(due); lag > h.Lag {
		h.Lag, h.Late = lag, loop
	}
}

// waitingSince is since when nothing but the work itself keeps due jobs
// waiting; without Run that is now.
func (s *Scheduler) waitingSince(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work == nil {
		return now
	}
	return s.since
}
