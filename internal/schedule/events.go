package schedule

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// The events of what people do to jobs; their subject is the name of a timed
// job, or the id of a durable one with its kind as the new value.
const (
	jobStarted = "job.started_by_hand"
	jobPaused  = "job.paused"
	jobResumed = "job.resumed"
	jobRetried = "job.retried"
)

func about(kind, subject string, who desk.Actor) desk.Event {
	return desk.Event{Kind: kind, Subject: subject, Actor: who}
}

func (s *Scheduler) record(tx core.App, e desk.Event) error {
	_, err := s.log.Append(tx, e)
	return err
}
