package schedule

import (
	"net/http"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

// Change is what can be changed of a timed job.
type Change struct {
	Paused *bool `json:"paused"`
}

// Routes puts the jobs page into the table.
func (s *Scheduler) Routes(t *route.Table) {
	route.Add(t, route.Route{
		Method: http.MethodGet, Path: "/api/desk/jobs", Permission: "job.read",
		Summary: "The timed jobs: when each ran and how, and when it runs next.",
	}, s.getTimed)
	route.Add(t, route.Route{
		Method: http.MethodPost, Path: "/api/desk/jobs/{name}/run", Permission: "job.run",
		Summary: "Run a timed job now.", Status: http.StatusAccepted,
	}, s.postRun)
	route.Add(t, route.Route{
		Method: http.MethodPatch, Path: "/api/desk/jobs/{name}", Permission: "job.run",
		Summary: "Pause a timed job or let it run again.",
	}, s.patchTimed)
	route.Add(t, route.Route{
		Method: http.MethodGet, Path: "/api/desk/jobs/queue", Permission: "job.read",
		Summary: "The durable jobs that are not done: dead ones first, then running and waiting ones.",
	}, s.getQueue)
	route.Add(t, route.Route{
		Method: http.MethodPost, Path: "/api/desk/jobs/queue/{id}/retry", Permission: "job.run",
		Summary: "Try a dead or waiting job again now.", Status: http.StatusAccepted,
	}, s.postRetry)
}

func (s *Scheduler) getTimed(*route.Call, route.None) (route.List[Timed], error) {
	list, err := s.Timed(s.app)
	return route.ListOf(list, ""), err
}

func (s *Scheduler) postRun(c *route.Call, _ route.None) (Timed, error) {
	if err := s.RunNow(c.Caller.Actor, c.Param("name")); err != nil {
		return Timed{}, err
	}
	return s.one(c.Param("name"))
}

func (s *Scheduler) patchTimed(c *route.Call, in Change) (Timed, error) {
	if in.Paused == nil {
		return Timed{}, desk.Errorf(desk.Invalid, `Say {"paused": true} or {"paused": false}.`)
	}
	if err := s.Pause(s.app, c.Caller.Actor, c.Param("name"), *in.Paused); err != nil {
		return Timed{}, err
	}
	return s.one(c.Param("name"))
}

func (s *Scheduler) one(name string) (Timed, error) {
	list, err := s.Timed(s.app)
	if err != nil {
		return Timed{}, err
	}
	for _, t := range list {
		if t.Name == name {
			return t, nil
		}
	}
	return Timed{}, noJob(name)
}

func (s *Scheduler) getQueue(_ *route.Call, page route.Page) (route.List[Queued], error) {
	list, next, err := s.Queue(s.app, page.Cursor, page.Size())
	return route.ListOf(list, next), err
}

func (s *Scheduler) postRetry(c *route.Call, _ route.None) (route.None, error) {
	return route.None{}, s.Retry(s.app, c.Caller.Actor, c.Param("id"))
}
