package event_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func TestARefusalNamesItsGuard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want any
	}{
		"by the change":        {desk.Errorf(desk.Refused, "No."), "ticket.solveWillBe"},
		"by itself":            {desk.Errorf(desk.Refused, "No.").With("guard", "hook.rule_7"), "hook.rule_7"},
		"not a refusal":        {desk.Errorf(desk.Invalid, "No."), nil},
		"nothing for a person": {errors.New("disk on fire"), nil},
	} {
		log := event.New(nil, desk.SystemClock{})
		log.Guard("ticket.solveWillBe", func(core.App, desk.Event) error { return c.err })
		err := log.WillBe(nil, "ticket.solveWillBe", desk.Event{})
		var e *desk.Error
		if errors.As(err, &e); err == nil || e == nil != (name == "nothing for a person") {
			t.Fatalf("%s: %v", name, err)
		}
		if e != nil && e.Data["guard"] != c.want {
			t.Errorf("%s: data %v, not %v", name, e.Data, c.want)
		}
		if err := log.WillBe(nil, "ticket.reopenWillBe", desk.Event{}); err != nil {
			t.Errorf("%s: another change was refused: %v", name, err)
		}
	}
}

// TestAForeignRefusalKeepsItsData holds that PocketBase's routes answer with
// the same status, sentence and data as the desk's.
func TestAForeignRefusalKeepsItsData(t *testing.T) {
	t.Parallel()
	err := event.Sentence(desk.Errorf(desk.Refused, "Somebody else works on it.").With("guard", "ticket.solveWillBe").With("name", map[string]string{"code": "taken"}))
	var e *router.ApiError
	if !errors.As(err, &e) {
		t.Fatalf("%T %v", err, err)
	}
	text, _ := json.Marshal(e)
	const want = `{"data":{"guard":"ticket.solveWillBe","name":{"code":"taken"}},"message":"Somebody else works on it.","status":422}`
	if string(text) != want {
		t.Errorf("%s", text)
	}
	for code, status := range map[desk.Code]int{desk.Unauthorized: 401, desk.TooMany: 429, desk.TooLarge: 413, desk.Unavailable: 503} {
		if errors.As(event.Sentence(desk.Errorf(code, "x.")), &e); e.Status != status {
			t.Errorf("%s becomes %d", code, e.Status)
		}
	}
	if plain := errors.New("disk on fire"); !errors.Is(event.Sentence(plain), plain) || errors.As(event.Sentence(plain), &e) {
		t.Error("an error for nobody became a sentence")
	}
}
