package schedule

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// gate lets everybody in with the permissions that the header names.
type gate struct{}

func (gate) Caller(e *core.RequestEvent) (*route.Caller, error) {
	who := e.Request.Header.Get("Authorization")
	if who == "" {
		return nil, nil
	}
	c := &route.Caller{Actor: desk.Agent("a1"), Permissions: map[string]string{}}
	for p := range strings.SplitSeq(who, " ") {
		c.Permissions[p] = "all"
	}
	return c, nil
}

func (h *house) server(s *Scheduler) http.Handler {
	h.Helper()
	router, err := apis.NewRouter(h.app)
	if err != nil {
		h.Fatal(err)
	}
	table := route.New(h.clock)
	s.Routes(table)
	e := &core.ServeEvent{Router: router}
	e.App = h.app
	table.Bind(e, gate{})
	mux, err := router.BuildMux()
	if err != nil {
		h.Fatal(err)
	}
	return mux
}

func TestRoutes(t *testing.T) {
	h := newHouse(t)
	s := h.scheduler()
	var c counter
	s.Register(Job{Name: "test.job", Title: "Tidy up", Spec: "0 9 * * *", Run: c.run})
	s.Handle(Kind{Name: "test.work", Run: func(context.Context, *Attempt) error { return Permanent(context.Canceled) }})
	h.run(s)
	h.settled("test.job")
	id := h.enqueue(s, Work{Kind: "test.work", At: start.Add(time.Hour)})
	server := h.server(s)
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		want                    string // part of the answer
	}{
		{"", "GET", "/api/desk/jobs", "", 401, ""},
		{"ledger.read", "GET", "/api/desk/jobs", "", 403, ""},
		{"job.read", "GET", "/api/desk/jobs", "", 200, `{"items":[{"name":"test.job","title":"Tidy up","schedule":"Every day at 09:00","last":null,"next":"2026-03-02T09:00:00Z","paused":false,"running":false,"runs":0}],"next_cursor":null}`},
		{"job.read", "PATCH", "/api/desk/jobs/test.job", `{"paused":true}`, 403, ""},
		{"job.run", "PATCH", "/api/desk/jobs/test.job", `{"paused":true}`, 200, `"next":null,"paused":true`},
		{"job.run", "PATCH", "/api/desk/jobs/test.job", `{}`, 400, "paused"},
		{"job.run", "PATCH", "/api/desk/jobs/test.job", `{"spec":"x"}`, 400, "spec"},
		{"job.run", "PATCH", "/api/desk/jobs/test.none", `{"paused":true}`, 404, "test.none"},
		{"job.read", "POST", "/api/desk/jobs/test.job/run", "", 403, ""},
		{"job.run", "POST", "/api/desk/jobs/test.job/run", "", 202, `"name":"test.job"`},
		{"job.run", "POST", "/api/desk/jobs/test.none/run", "", 404, "test.none"},
		{"job.read", "GET", "/api/desk/jobs/queue?limit=5", "", 200, `{"items":[{"id":"` + id + `","kind":"test.work","state":"due","attempts":0,"due":"2026-03-02T09:00:00Z","error":"","done":0,"total":0}],"next_cursor":null}`},
		{"", "GET", "/api/desk/jobs/queue", "", 401, ""},
		{"job.read", "POST", "/api/desk/jobs/queue/" + id + "/retry", "", 403, ""},
		{"job.run", "POST", "/api/desk/jobs/queue/none/retry", "", 404, "no such job"},
		{"job.run", "POST", "/api/desk/jobs/queue/" + id + "/retry", "", 202, ""},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", c.who)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Result().Body)
		if w.Code != c.status || !strings.Contains(string(body), c.want) {
			t.Errorf("%s %s as %q: %d %s\nwant %d %s", c.method, c.path, c.who, w.Code, body, c.status, c.want)
		}
	}
	h.ran(&c, 1)
	h.eventually("the retried job is dead", func() bool { return h.one(s).State == "dead" })
}
