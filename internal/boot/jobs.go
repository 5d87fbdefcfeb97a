package boot

import (
	"context"
	"errors"

	"github.com/deskbell/deskbell/internal/schedule"
	"github.com/deskbell/deskbell/internal/ticket"
)

// jobs registers what runs by the clock.
func (d *Desk) jobs() {
	d.Schedule.Register(schedule.Job{
		Name: "file.pair", Title: "Pair files with their rows", Spec: "30 3 * * *",
		Run: func(ctx context.Context) error { return d.Files.Pair(ctx, ticket.DraftFiles) },
	})
	d.Schedule.Register(schedule.Job{
		Name: "email.reconcile", Title: "Compare the mailboxes' servers with what was taken in", Spec: "17 * * * *",
		Run: d.Mail.Reconcile,
	})
	d.Schedule.Register(schedule.Job{
		Name: "access.tidy", Title: "Forget ended sign-ins and answered requests", Spec: "10 3 * * *",
		Run: func(context.Context) error { return errors.Join(d.Access.Tidy(), d.Replies.Tidy(), d.Notices.Tidy()) },
	})
	d.Schedule.Register(schedule.Job{
		Name: "mail.signing", Title: "Look whether the records of the keys that sign mail are in the DNS", Spec: "20 4 * * *",
		Run: d.Mail.CheckSigning,
	})
}
