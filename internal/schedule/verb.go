package schedule

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// RunNow starts a timed job at once, also one that is paused; when it is due
// next stays as it is. It fails with desk.Conflict while the job runs, or while
// Run does not.
func (s *Scheduler) RunNow(who desk.Actor, name string) error {
	j := s.find(name)
	if j == nil {
		return noJob(name)
	}
	if s.isBusy(j) {
		return desk.Errorf(desk.Conflict, "“%s” is running already; wait for it to end.", j.Title)
	}
	if !s.start(j, occasion{by: who}) {
		return desk.Errorf(desk.Conflict, "“%s” can't start now: it runs already or the desk is stopping.", j.Title)
	}
	return nil
}

// Pause stops a timed job from being run by its plan, or lets it run again. What
// it missed while paused is not made up for. It is no error to repeat it.
func (s *Scheduler) Pause(app core.App, who desk.Actor, name string, paused bool) error {
	if s.find(name) == nil {
		return noJob(name)
	}
	kind, since := jobResumed, desk.Time(0)
	if paused {
		kind, since = jobPaused, s.clock.Now()
	}
	err := app.RunInTransaction(func(tx core.App) error {
		changed, err := writePause(tx, name, since, pausedText(who))
		if err != nil || !changed {
			return err
		}
		return s.record(tx, about(kind, name, who))
	})
	poke(s.timer)
	return err
}

// Retry makes a dead job due again with all its attempts, or a waiting one due
// now. It fails with desk.Conflict while the job runs.
func (s *Scheduler) Retry(app core.App, who desk.Actor, id string) error {
	err := app.RunInTransaction(func(tx core.App) error {
		kind, changed, found, err := writeRetry(tx, id, s.clock.Now())
		switch {
		case err != nil:
			return err
		case !found:
			return desk.Errorf(desk.NotFound, "There is no such job any more; it may have been done meanwhile.")
		case !changed:
			return desk.Errorf(desk.Conflict, "The job is running already; wait for it to end.")
		}
		e := about(jobRetried, id, who)
		e.New = kind
		return s.record(tx, e)
	})
	poke(s.queue)
	return err
}

func noJob(name string) error {
	if r := []rune(name); len(r) > 60 {
		name = string(r[:60]) + "…"
	}
	return desk.Errorf(desk.NotFound, "There is no job named %q.", name)
}

// Bind refuses changes of the rows that come past the scheduler, through
// PocketBase's admin UI or its REST.
func Bind(app core.App) {
	refuse := func(*core.RecordEvent) error {
		return router.NewForbiddenError("Jobs are run, paused and retried on the jobs page, where it is logged.", nil)
	}
	for _, name := range collections {
		app.OnRecordCreate(name).BindFunc(refuse)
		app.OnRecordUpdate(name).BindFunc(refuse)
		app.OnRecordDelete(name).BindFunc(refuse)
	}
}
