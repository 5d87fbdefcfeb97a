package access

import (
	"database/sql"
	"errors"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// UpsertSuperuser makes an account of PocketBase's admin pages, or gives the
// one of this address another password.
func (a *Access) UpsertSuperuser(by desk.Actor, email, password string) error {
	collection, err := a.app.FindCachedCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	kind := "superuser.password_changed"
	r, err := a.app.FindAuthRecordByEmail(collection, email)
	if errors.Is(err, sql.ErrNoRows) {
		kind, err, r = "superuser.created", nil, core.NewRecord(collection)
		r.Id = desk.NewID(a.wall.Now())
		r.SetEmail(email)
	}
	if err != nil {
		return err
	}
	r.SetPassword(password) // before the transaction: it takes a while
	return a.app.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(r); err != nil {
			var wrong validation.Errors
			if errors.As(err, &wrong) {
				return desk.Errorf(desk.Invalid, "The superuser could not be saved: %s", wrong)
			}
			return err
		}
		_, err := a.log.Append(tx, desk.Event{Kind: kind, Subject: r.Id, Actor: by})
		return err
	})
}

func findSuperuser(app core.App, id string) (*core.Record, error) {
	r, err := app.FindRecordById(core.CollectionNameSuperusers, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// bindSuperusers logs what PocketBase's own pages do to superusers, and their
// sign-ins.
func (a *Access) bindSuperusers() {
	const name = core.CollectionNameSuperusers
	a.app.OnRecordCreateRequest(name).BindFunc(func(e *core.RecordRequestEvent) error {
		if e.Record.Id == "" {
			e.Record.Id = desk.NewID(a.wall.Now())
		}
		return a.logSuperuser(e, "superuser.created")
	})
	a.app.OnRecordUpdateRequest(name).BindFunc(func(e *core.RecordRequestEvent) error {
		if e.Record.GetString(core.FieldNamePassword) != "" {
			return a.logSuperuser(e, "superuser.password_changed")
		}
		return a.logSuperuser(e, "superuser.changed")
	})
	a.app.OnRecordDeleteRequest(name).BindFunc(func(e *core.RecordRequestEvent) error {
		return a.logSuperuser(e, "superuser.deleted")
	})
	a.app.OnRecordConfirmPasswordResetRequest(name).BindFunc(func(e *core.RecordConfirmPasswordResetRequestEvent) error {
		return event.WithinRequest(e.RequestEvent, e.Next, func(tx core.App) error {
			by := desk.Actor{Kind: desk.ActorSuper, ID: e.Record.Id}
			_, err := a.log.Append(tx, desk.Event{Kind: "superuser.password_changed", Subject: e.Record.Id, Actor: by, Reason: "reset_by_mail"})
			return err
		})
	})
	a.app.OnRecordAuthRequest(name).BindFunc(func(e *core.RecordAuthRequestEvent) error {
		if e.AuthMethod != "" { // else a refresh
			by := desk.Actor{Kind: desk.ActorSuper, ID: e.Record.Id}
			if _, err := a.log.Append(e.App, desk.Event{Kind: "superuser.signed_in", Subject: e.Record.Id, Actor: by, Detail: map[string]any{"ip": e.RealIP()}}); err != nil {
				return err
			}
		}
		return e.Next()
	})
}

func (a *Access) logSuperuser(e *core.RecordRequestEvent, kind string) error {
	return event.Within(e, func(tx core.App) error {
		_, err := a.log.Append(tx, desk.Event{Kind: kind, Subject: e.Record.Id, Actor: event.Foreign(e.RequestEvent)})
		return err
	})
}
