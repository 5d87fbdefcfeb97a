package event

import (
	"errors"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// A foreign write comes past our verbs: through PocketBase's REST or SDK, or
// its admin UI. Record hooks see only those, since our own code writes by
// statement. Each owner turns them into its verbs or refuses them.

// Refuse refuses every foreign write to the named collections with a sentence
// that says where to do it instead.
func Refuse(app core.App, sentence string, collections ...string) {
	no := func(*core.RecordEvent) error { return router.NewForbiddenError(sentence, nil) }
	app.OnRecordCreate(collections...).BindFunc(no)
	app.OnRecordUpdate(collections...).BindFunc(no)
	app.OnRecordDelete(collections...).BindFunc(no)
}

// RefuseDelete refuses foreign deletes of records, one by one or all at once.
func RefuseDelete(app core.App, sentence string, collections ...string) {
	app.OnRecordDelete(collections...).BindFunc(func(*core.RecordEvent) error { return router.NewForbiddenError(sentence, nil) })
}

// KeepCollections refuses to drop a collection or to import others over it:
// what the desk stands on changes by its migrations only.
func KeepCollections(app core.App) {
	no := router.NewForbiddenError("The collections of a desk change with its version, not by hand.", nil)
	app.OnCollectionDeleteRequest().BindFunc(func(*core.CollectionRequestEvent) error { return no })
	app.OnCollectionsImportRequest().BindFunc(func(*core.CollectionsImportRequestEvent) error { return no })
}

// Foreign is who makes a foreign write.
func Foreign(e *core.RequestEvent) desk.Actor {
	switch {
	case e.Auth == nil:
		return desk.System("rest")
	case e.Auth.IsSuperuser():
		return desk.Actor{Kind: desk.ActorSuper, ID: e.Auth.Id}
	}
	return desk.Agent(e.Auth.Id)
}

// Within runs verb and then the foreign write itself in one transaction.
func Within(e *core.RecordRequestEvent, verb func(tx core.App) error) error {
	return WithinRequest(e.RequestEvent, e.Next, verb)
}

// WithinRequest is Within for PocketBase's other requests: next goes on with
// the one of e.
func WithinRequest(e *core.RequestEvent, next func() error, verb func(tx core.App) error) error {
	return e.App.RunInTransaction(func(tx core.App) error {
		outside := e.App
		e.App = tx
		defer func() { e.App = outside }()
		if err := verb(tx); err != nil {
			return Sentence(err)
		}
		return next()
	})
}

// Sentence makes an error of ours one of PocketBase's, with the same sentence
// and data.
func Sentence(err error) error {
	var e *desk.Error
	if !errors.As(err, &e) {
		return err
	}
	out := router.NewApiError(e.Code.Status(), e.Text, nil)
	if e.Data != nil {
		out.Data = e.Data // NewApiError would rewrite what is no error of PocketBase's
	}
	return out
}
