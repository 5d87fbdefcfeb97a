package email

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest/imaptest"
	"github.com/deskbell/deskbell/internal/desktest/smtptest"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/team"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the system tables
)

// kit is a desk with an email service and a ledger in memory.
type kit struct {
	app     core.App
	boxes   *Mailboxes
	service *Service
	ledger  *memory
	clock   desk.Clock
}

func newKit(t testing.TB, change ...func(*Options)) *kit {
	t.Helper()
	t.Setenv(secret.Env, "a secret for the tests")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: migrated(t), DBConnect: sqlite.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	box, err := secret.Open(app.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{app: app, ledger: newMemory(), clock: desk.SystemClock{}}
	log := event.New(app, k.clock)
	k.boxes = NewMailboxes(app, log, box, k.clock)
	if _, err := team.New(app, log, k.clock).Add(app, desk.System("test"), "Support"); err != nil {
		t.Fatal(err)
	}
	o := Options{
		App: app, Mailboxes: k.boxes, Ledger: k.ledger, Guard: &netguard.Guard{}, Box: box, Clock: k.clock,
		Logger: slog.New(slog.DiscardHandler), Hostname: "desk.invalid",
	}
	for _, f := range change {
		f(&o)
	}
	k.service = New(o)
	k.service.timing = timing{other: 20 * time.Millisecond, idle: 5 * time.Second, poll: 20 * time.Millisecond, retry: 5 * time.Millisecond, most: 50 * time.Millisecond, probe: 3 * time.Second}
	return k
}

var template struct {
	once sync.Once
	data []byte
	err  error
}

// migrated returns a data folder with an up-to-date database.
func migrated(t testing.TB) string {
	t.Helper()
	template.once.Do(func() {
		dir := t.TempDir()
		app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: sqlite.Connect})
		template.err = errors.Join(app.Bootstrap(), app.RunAllMigrations(), app.ResetBootstrapState())
		if template.err == nil {
			template.data, template.err = os.ReadFile(filepath.Join(dir, "data.db"))
		}
	})
	dir := t.TempDir()
	if err := errors.Join(template.err, os.WriteFile(filepath.Join(dir, "data.db"), template.data, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run starts the service and stops it with the test, or when stop is called.
func (k *kit) run(t testing.TB) (stop func()) {
	t.Helper()
	if err := k.service.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.service.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(8 * time.Second):
			t.Error("the service does not stop")
		}
	})
	t.Cleanup(stop)
	return stop
}

// add connects a mailbox.
func (k *kit) add(t testing.TB, in Input) *Mailbox {
	t.Helper()
	return k.addAfter(t, in, Look{})
}

func (k *kit) addAfter(t testing.TB, in Input, look Look) *Mailbox {
	t.Helper()
	var box *Mailbox
	err := k.app.RunInTransaction(func(tx core.App) (err error) {
		box, err = k.boxes.Add(tx, desk.System("test"), in, look)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// state waits until a mailbox is in a state and returns its sentence.
func (k *kit) state(t testing.TB, id string, want State) string {
	t.Helper()
	var last Mailbox
	for range 500 {
		box, err := k.boxes.Find(k.app, id)
		if err != nil || box == nil {
			t.Fatalf("find mailbox: %v, %v", box, err)
		}
		if last = *box; box.State == want {
			return box.StateText
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the mailbox is %s (%s), want %s", last.State, last.StateText, want)
	return ""
}

func ptr[T any](v T) *T { return &v }

func imapInput(s *imaptest.Server) *ServerInput {
	return &ServerInput{Host: "127.0.0.1", Port: s.Port(), Security: SecurityNone, User: "user", Password: ptr("password")}
}

func smtpInput(s *smtptest.Server) *ServerInput {
	return &ServerInput{Host: "127.0.0.1", Port: s.Port(), Security: SecurityNone}
}

// memory is a Ledger that keeps what it was given, each source id once.
type memory struct {
	mu    sync.Mutex
	seen  map[string]bool
	mails []desk.Inbound
	calls int
	fail  error
	more  chan struct{}
}

func newMemory() *memory { return &memory{seen: map[string]bool{}, more: make(chan struct{})} }

// Store implements Ledger.
func (m *memory) Store(_ context.Context, in ...desk.Inbound) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.fail != nil {
		return m.fail
	}
	for _, i := range in {
		k := i.Mailbox + " " + i.SourceID
		if i.SourceID != "" && m.seen[k] {
			continue
		}
		m.seen[k] = true
		m.mails = append(m.mails, i)
	}
	close(m.more)
	m.more = make(chan struct{})
	return nil
}

// Missing implements Ledger.
func (m *memory) Missing(mailbox string, ids []string) (missing []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if !m.seen[mailbox+" "+id] {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// forget makes the ledger lose a mail, as a restored backup would.
func (m *memory) forget(mailbox, sourceID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, mailbox+" "+sourceID)
}

func (m *memory) failing(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// wait returns the mails as soon as there are n.
func (m *memory) wait(t testing.TB, n int) []desk.Inbound {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		m.mu.Lock()
		mails, more := append([]desk.Inbound(nil), m.mails...), m.more
		m.mu.Unlock()
		if len(mails) >= n {
			return mails
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("the ledger has %d mails after 15 s, want %d", len(mails), n)
		}
	}
}

// still checks that nothing more comes within a moment.
func (m *memory) still(t *testing.T, n int) {
	t.Helper()
	time.Sleep(150 * time.Millisecond)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mails) != n {
		t.Fatalf("the ledger has %d mails, want %d", len(m.mails), n)
	}
}
