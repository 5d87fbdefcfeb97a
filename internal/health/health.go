// Package health says in words how the desk is doing: what its page answers to
// monitors, and the banners that agents see. Each part that can fail registers
// a look at itself.
package health

import (
	"net/http"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// lateAfter is how long the oldest due job may wait before the page answers 503.
const lateAfter = 5 * time.Minute

// Banner is one sentence that agents see on top of every page.
type Banner struct {
	ID    string  `json:"id"`
	Level string  `json:"level"` // info, warn or danger
	Text  string  `json:"text"`
	Href  *string `json:"href"` // page that mends it, null for none
}

// Look answers the banners of one part, for a caller who may see them.
type Look func(app core.App, who *route.Caller) ([]Banner, error)

// Lag answers how long the oldest due job waits.
type Lag func() (time.Duration, error)

// Disk answers the free and whole size of the disk under the data folder, in bytes.
type Disk func() (free, total uint64, err error)

// Health knows the parts of one desk.
type Health struct {
	looks []Look
	lag   Lag
	disk  Disk
}

// New returns the health of a desk.
func New(lag Lag, disk Disk) *Health { return &Health{lag: lag, disk: disk} }

// Watch adds a look.
func (h *Health) Watch(l Look) { h.looks = append(h.looks, l) }

// Banners lists what who has to know, the worst first. A look that fails is
// itself a banner.
func (h *Health) Banners(app core.App, who *route.Caller) []Banner {
	out := []Banner{}
	for _, look := range h.looks {
		found, err := look(app, who)
		if err != nil {
			app.Logger().Error("a look at the desk's health failed", "error", err)
			found = []Banner{{ID: "look", Level: "warn", Text: "Deskbell could not look at a part of itself; the log says more."}}
		}
		for _, b := range found {
			if b.Level == "danger" {
				out = append([]Banner{b}, out...)
			} else {
				out = append(out, b)
			}
		}
	}
	return out
}

type state struct {
	Status     string  `json:"status"` // ok or late
	JobLagMS   int64   `json:"job_lag_ms"`
	Intake     queue   `json:"intake"`
	Outbox     queue   `json:"outbox"`
	Disk       *disk   `json:"disk"`
	Backup     *string `json:"last_backup"`
	Quarantine int     `json:"quarantine"`
}

type queue struct {
	Waiting int     `json:"waiting,omitempty"`
	Oldest  *string `json:"oldest"`
}

type disk struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
}

// Routes adds the page for monitors.
func (h *Health) Routes(t *route.Table) {
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/health", Permission: route.Public, Summary: "How the desk is doing; 503 when the oldest due job is late"},
		func(c *route.Call) error {
			s, err := h.state(c)
			if err != nil {
				return err
			}
			status := http.StatusOK
			if s.Status != "ok" {
				status = http.StatusServiceUnavailable
			}
			return c.JSON(status, s)
		})
}

func (h *Health) state(c *route.Call) (s state, err error) {
	lag, err := h.lag()
	if err != nil {
		return s, err
	}
	s = state{Status: "ok", JobLagMS: lag.Milliseconds()}
	if lag > lateAfter {
		s.Status = "late"
	}
	oldest, err := file.OldestWaiting(c.App)
	if err != nil {
		return s, err
	}
	s.Intake.Oldest = desk.Stamp(oldest)
	var since int64
	if s.Outbox.Waiting, since, err = outbox.Waiting(c.App); err != nil {
		return s, err
	}
	s.Outbox.Oldest = desk.Stamp(since)
	if free, total, err := h.disk(); err == nil {
		s.Disk = &disk{free, total}
	}
	s.Quarantine, err = file.CountQuarantined(c.App)
	return s, err
}
