package access

import (
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// SetNotices changes which mails about tickets an agent gets; nil leaves a part
// as it is.
func (a *Access) SetNotices(by desk.Actor, agent string, opened, answered *bool) error {
	return a.app.RunInTransaction(func(tx core.App) error { return a.setNotices(tx, by, agent, opened, answered) })
}

func (a *Access) setNotices(tx core.App, by desk.Actor, agent string, opened, answered *bool) error {
	old, err := FindAgent(tx, agent)
	if err != nil || old == nil {
		return err
	}
	now := *old
	if opened != nil {
		now.NotifyNew = *opened
	}
	if answered != nil {
		now.NotifyAnswer = *answered
	}
	if now.noticeWord() == old.noticeWord() {
		return nil
	}
	if err := setNotices(tx, agent, now.NotifyNew, now.NotifyAnswer); err != nil {
		return err
	}
	_, err = a.log.Append(tx, desk.Event{Kind: "agent.notices_changed", Subject: agent, Actor: by, Old: old.noticeWord(), New: now.noticeWord()})
	return err
}

func (a *Agent) noticeWord() string {
	switch {
	case a.NotifyNew && a.NotifyAnswer:
		return "new,answer"
	case a.NotifyNew:
		return "new"
	case a.NotifyAnswer:
		return "answer"
	}
	return "none"
}
