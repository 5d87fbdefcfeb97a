package setting_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/option"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/sqlite"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

func newApp(t *testing.T) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // as PocketBase ends: its log first, then its databases
		e := &core.TerminateEvent{App: app}
		_ = app.OnTerminate().Trigger(e, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
	})
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	setting.Bind(app)
	return app
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func TestDefaultsThenValues(t *testing.T) {
	app := newApp(t)
	if got := setting.Int(app, setting.MailUndoSeconds); got != 10 {
		t.Errorf("undo window is %d at first", got)
	}
	if got := setting.JSON[option.Hours](app, setting.DeskHours); len(got.On(time.Monday)) != 1 || len(got.On(time.Sunday)) != 0 {
		t.Errorf("business hours are %v at first", got)
	}
	for key, value := range map[string]any{
		setting.DeskName:        "Tea & <b>Biscuits</b>",
		setting.DeskTimeZone:    "Pacific/Auckland",
		setting.MailUndoSeconds: raw(`2.0e1`),
		setting.NetAllow:        []string{"10.0.0.0/8", "[::1]:8080"},
	} {
		if _, err := setting.Set(app, key, value); err != nil {
			t.Fatalf("set %s: %v", key, err)
		}
	}
	if got := setting.Text(app, setting.DeskName); got != "Tea & <b>Biscuits</b>" {
		t.Errorf("name is %q", got)
	}
	if got := setting.Zone(app, setting.DeskTimeZone).String(); got != "Pacific/Auckland" {
		t.Errorf("time zone is %s", got)
	}
	if got := setting.Int(app, setting.MailUndoSeconds); got != 20 {
		t.Errorf("undo window is %d", got)
	}
	if got := setting.List(app, setting.NetAllow); len(got) != 2 {
		t.Errorf("allow list is %v", got)
	}
}

func TestSetAnswersOldAndNew(t *testing.T) {
	app := newApp(t)
	c, err := setting.Set(app, setting.MailUndoSeconds, 30)
	if err != nil || c == nil || string(c.Old) != "10" || string(c.New) != "30" {
		t.Fatalf("first change is %+v, %v", c, err)
	}
	if c, err = setting.Set(app, setting.MailUndoSeconds, raw(" 30.0 ")); c != nil || err != nil {
		t.Errorf("the same value is a change: %+v, %v", c, err)
	}
	if c, err = setting.Set(app, setting.MailUndoSeconds, nil); err != nil || c == nil || string(c.New) != "10" {
		t.Errorf("back to the default is %+v, %v", c, err)
	}
	var same any
	if err := json.Unmarshal(setting.Values(app)[setting.DeskHours], &same); err != nil {
		t.Fatal(err)
	}
	if c, err = setting.Set(app, setting.DeskHours, same); c != nil || err != nil {
		t.Errorf("the same hours are a change: %+v, %v", c, err)
	}
}

func TestPatchIsAllOrNothingAndNamesEveryWrongField(t *testing.T) {
	app := newApp(t)
	_, err := setting.Patch(app, map[string]json.RawMessage{
		setting.DeskName:          raw(`"Teahouse"`),
		setting.MailUndoSeconds:   raw(`600`),
		setting.NetAllow:          raw(`["10.0.0.0/99"]`),
		"desk.colour":             raw(`"red"`),
		setting.MailAutoPerMinute: nil,
	})
	var e *desk.Error
	if !errors.As(err, &e) || e.Code != desk.Invalid {
		t.Fatalf("got %v", err)
	}
	if len(e.Data) != 3 || e.Data["desk.colour"] == nil || e.Data[setting.MailUndoSeconds] == nil || e.Data[setting.NetAllow] == nil {
		t.Errorf("wrong fields are %v", e.Data)
	}
	if !strings.Contains(e.Text, "desk.colour") {
		t.Errorf("sentence is %q", e.Text)
	}
	if got := setting.Text(app, setting.DeskName); got != "" {
		t.Errorf("the name was stored all the same: %q", got)
	}
}

func TestChangeIsSeenInsideItsTransactionAndOutsideAfterCommit(t *testing.T) {
	app := newApp(t)
	_ = setting.Int(app, setting.MailMaxMB) // fills the cache
	rollback := errors.New("rollback")
	for _, end := range []error{rollback, nil} {
		err := app.RunInTransaction(func(tx core.App) error {
			if _, err := setting.Set(tx, setting.MailMaxMB, 50); err != nil {
				return err
			}
			if in, out := setting.Int(tx, setting.MailMaxMB), setting.Int(app, setting.MailMaxMB); in != 50 || out != 25 {
				t.Errorf("inside %d, outside %d", in, out)
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		want := 25
		if end == nil {
			want = 50
		}
		if got := setting.Int(app, setting.MailMaxMB); got != want {
			t.Errorf("after %v: %d, want %d", end, got, want)
		}
	}
}

func TestStoredValueThatNoLongerFitsIsTheDefault(t *testing.T) {
	app := newApp(t)
	if err := sqlite.Exec(app, `INSERT INTO settings (key, value) VALUES ('mail.max_mb', '"many"')`); err != nil {
		t.Fatal(err)
	}
	if got := setting.Int(app, setting.MailMaxMB); got != 25 {
		t.Errorf("got %d", got)
	}
}

func TestGettersPanicOnSlips(t *testing.T) {
	app := newApp(t)
	for name, f := range map[string]func(){
		"unknown key": func() { setting.Int(app, "desk.colour") },
		"other kind":  func() { setting.Bool(app, setting.MailMaxMB) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestSaveAppendsEventsWithoutFreeText(t *testing.T) {
	app := newApp(t)
	log := event.New(app, desk.NewTestClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))
	_, err := setting.Save(app, log, desk.Agent("a1"), map[string]json.RawMessage{
		setting.DeskName: raw(`"Teahouse"`), setting.DeskTimeZone: raw(`"Asia/Tokyo"`), setting.MailMaxMB: raw(`30`),
	})
	if err != nil {
		t.Fatal(err)
	}
	events, err := event.Since(app, 0, 10)
	if err != nil || len(events) != 3 {
		t.Fatalf("events %v, %v", events, err)
	}
	name, zone, size := events[0], events[1], events[2]
	if name.Old+name.New != "" || zone.Old != "UTC" || zone.New != "Asia/Tokyo" || size.New != "30" || size.Subject != setting.MailMaxMB {
		t.Errorf("events are %+v", events)
	}
	if _, err := setting.Save(app, log, desk.Agent("a1"), map[string]json.RawMessage{setting.MailMaxMB: raw(`30`)}); err != nil {
		t.Fatal(err)
	}
	if last, _ := event.Last(app); last != 3 {
		t.Errorf("an unchanged value made an event")
	}
}

func TestForeignWriteIsRefused(t *testing.T) {
	app := newApp(t)
	c, err := app.FindCollectionByNameOrId(setting.Collection)
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Set("key", setting.MailMaxMB)
	r.Set("value", 500)
	if err := app.Save(r); err == nil || !strings.Contains(err.Error(), "settings page") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkInt(b *testing.B) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir(), DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		b.Fatal(err)
	}
	if err := app.RunAllMigrations(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		setting.Int(app, setting.MailMaxMB)
	}
}
