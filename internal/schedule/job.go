package schedule

import (
	"context"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// timedAtOnce bounds the timed jobs that run at the same time: after a long
// night many are due at once.
const timedAtOnce = 4

// lateness is how late a job with the policy Skip may start; later than that
// it counts as missed.
const lateness = time.Minute

// CatchUp says what becomes of a run that was missed: while the desk was down,
// while the clock jumped, or while the run before went on.
type CatchUp string

// The policies; the zero one is Once.
const (
	Once CatchUp = "once" // one run makes up for all that were missed
	Skip CatchUp = "skip" // wait for the next time
)

// Job is something that runs at certain times.
type Job struct {
	Name     string                          // "owner.verb"; reaches the database, never renamed
	Title    string                          // what it does, for people
	Spec     string                          // cron's five fields, "@every 90s" or "@daily"
	TimeZone string                          // "" = the desk's
	CatchUp  CatchUp                         // "" = Once
	Run      func(ctx context.Context) error // never runs twice at a time
}

// How the last run of a job ended.
const (
	running     = "running" // in the row only: nobody wrote how it ended
	ok          = "ok"
	failed      = "failed"
	interrupted = "interrupted"
)

// timedJob is a registered Job.
type timedJob struct {
	Job
	busy bool // runs or waits for a slot; guarded by Scheduler.mu
}

// Register adds a timed job; call it before Run. A name given twice, a wrong
// spec or an unknown time zone panics.
func (s *Scheduler) Register(j Job) {
	if j.Name == "" || j.Title == "" || j.Run == nil {
		panic(fmt.Sprintf("schedule: job %q needs a name, a title and something to run", j.Name))
	}
	if s.find(j.Name) != nil {
		panic("schedule: job " + j.Name + " is registered already")
	}
	switch j.CatchUp {
	case "":
		j.CatchUp = Once
	case Once, Skip:
	default:
		panic("schedule: job " + j.Name + " has no catch-up policy " + string(j.CatchUp))
	}
	if _, err := s.plan(j); err != nil {
		panic("schedule: job " + j.Name + ": " + err.Error())
	}
	s.timed = append(s.timed, &timedJob{Job: j})
}

func (s *Scheduler) find(name string) *timedJob {
	for _, j := range s.timed {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// plan reads the job's spec in its own time zone or, as that is now, the desk's.
func (s *Scheduler) plan(j Job) (plan, error) {
	if j.TimeZone == "" {
		return newPlan(j.Spec, s.zone())
	}
	zone, err := time.LoadLocation(j.TimeZone)
	if err != nil {
		return plan{}, err
	}
	return newPlan(j.Spec, zone)
}

// row is what the database knows of a timed job.
type row struct {
	name     string
	plan     string    // plan.text that next was computed by, "" before the first time
	next     time.Time // when it is due, zero for never
	slot     time.Time // the due time that the last run was for
	started  time.Time // zero before the first run
	outcome  string    // of the last run, "" before the first
	err      string
	ms       int64 // how long the last run took
	runs     int64
	cut      int64     // runs in a row that the end of the process cut short
	paused   time.Time // since when, zero for not paused
	pausedBy string
}

// settle moves r.next to where plan and clock want it and tells whether the
// job is due now.
func settle(r row, p plan, policy CatchUp, now time.Time) (row, bool) {
	missed := !r.next.IsZero() && !r.next.After(now)
	upcoming := p.upcoming(now, r.slot)
	switch {
	case missed: // stays due, whatever the plan says now
	case r.plan != p.text, r.next.IsZero(), r.next.After(upcoming): // another plan, or the clock went back
		r.next = upcoming
	}
	r.plan = p.text
	if !missed {
		return r, false
	}
	if !r.paused.IsZero() || policy == Skip && now.Sub(r.next) > lateness {
		r.next = upcoming
		return r, false
	}
	return r, true
}

// pausedText is how the row says who paused a job.
func pausedText(who desk.Actor) string { return string(who.Kind) + ":" + who.ID }
