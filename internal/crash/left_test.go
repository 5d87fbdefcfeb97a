//go:build unix

package crash_test

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/klauspost/compress/zstd"
	"github.com/pocketbase/pocketbase/core"
)

// checkDatabase looks at what a desk that has stopped left on disk: sound
// databases, a log without a gap whose chain holds, and a file for every row.
func checkDatabase(t *testing.T, dir string) {
	t.Helper()
	app, err := boot.Bootstrap(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ResetBootstrapState() }()
	for name, db := range map[string]func(string) string{
		"data.db":      func(q string) string { return answer(t, sqlite.Reader(app), q) },
		"auxiliary.db": func(q string) string { return auxAnswer(t, app, q) },
	} {
		if got := db("PRAGMA integrity_check"); got != "ok" {
			t.Errorf("integrity of %s: %s", name, got)
		}
		if got := db("PRAGMA foreign_key_check"); got != "" {
			t.Errorf("foreign keys of %s: %s", name, got)
		}
	}
	if bad, err := event.Verify(app); err != nil || bad != 0 {
		t.Errorf("the chain of the log breaks at %d, %v", bad, err)
	}
	if got := answer(t, sqlite.Reader(app), "SELECT 'from ' || min(seq) || ', ' || (max(seq) - count(*)) || ' missing' FROM events"); got != "from 1, 0 missing" {
		t.Errorf("the log goes %s", got)
	}
	checkRows(t, app, dir)
}

type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

// answer is all that a query answers, on one line.
func answer(t *testing.T, db querier, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values := make([]sql.NullString, len(columns))
		to := make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			all = append(all, v.String)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func auxAnswer(t *testing.T, app core.App, query string) string {
	t.Helper()
	var all []string
	if err := app.AuxConcurrentDB().NewQuery(query).Column(&all); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// checkRows holds that every row's file is there and whole.
func checkRows(t *testing.T, app core.App, dir string) {
	t.Helper()
	folder, err := app.FindCollectionByNameOrId("files")
	if err != nil {
		t.Fatal(err)
	}
	check := func(query string, path func(id, file string) string, unpack func([]byte) []byte) (n int) {
		err := sqlite.Each(app, func(r *sql.Rows) error {
			var id, file, sha string
			if err := r.Scan(&id, &file, &sha); err != nil {
				return err
			}
			n++
			content, err := os.ReadFile(path(id, file))
			if err != nil || sum(string(unpack(content))) != sha {
				t.Errorf("the file of row %s is missing or not whole: %v", id, err)
			}
			return nil
		}, query)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unzip.Close()
	attached := check("SELECT id, file, sha256 FROM files", func(id, file string) string { return filepath.Join(dir, "storage", folder.Id, id, file) },
		func(b []byte) []byte { return b })
	mails := check("SELECT id, path, sha256 FROM ledger WHERE path <> ''", func(_, file string) string { return filepath.Join(dir, "storage", file) },
		func(b []byte) []byte { out, _ := unzip.DecodeAll(b, nil); return out })
	if attached == 0 || mails == 0 {
		t.Errorf("%d attachments and %d large mails lie on disk; the test tests less than it says", attached, mails)
	}
}

// checkPairing holds that a look three days later leaves exactly one file for
// every row: what kills and copies left behind is gone, and nothing else.
func (w *world) checkPairing() {
	t, d := w.t, w.d
	t.Helper()
	before := filesUnder(t, d.o.dir)
	d.down()
	grow(t, filepath.Join(d.o.dir, "storage"), 72*time.Hour)
	d.o.args = append(d.o.args, "--test-clock")
	d.o.env = append(d.o.env, "DESKBELL_TEST_CLOCK="+time.Now().Add(72*time.Hour).UTC().Format(time.RFC3339))
	d.start()
	d.signIn()
	begun := time.Now().Add(71 * time.Hour)
	status, body, err := d.try("POST", "/api/desk/jobs/file.pair/run", "", map[string]any{})
	if err != nil || status != 202 && status != 409 { // 409: the desk makes up for the missed night by itself
		t.Fatalf("the pairing could not be started: %d %s %v", status, body, err)
	}
	d.eventually("files are paired with their rows", 20*time.Second, func() bool {
		for _, j := range pages[struct {
			Name string
			Last *struct {
				Started time.Time
				Outcome string
			}
		}](d, "/api/desk/jobs?") {
			if j.Name == "file.pair" && j.Last != nil && j.Last.Started.After(begun) && j.Last.Outcome == "ok" {
				return true
			}
		}
		return false
	})
	if code, _ := d.process.terminate(12 * time.Second); code != 0 {
		t.Errorf("SIGTERM: exit %d", code)
	}
	app, err := boot.Bootstrap(d.o.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ResetBootstrapState() }()
	checkRows(t, app, d.o.dir)
	rows := answer(t, sqlite.Reader(app), "SELECT (SELECT count(*) FROM files) + (SELECT count(*) FROM ledger WHERE path <> '')")
	after := filesUnder(t, d.o.dir)
	if got := len(after); rows != strconv.Itoa(got) {
		t.Errorf("%d files for %s rows", got, rows)
	}
	t.Logf("%d files of kills and copies were tidied away, %d stay", len(before)-len(after), len(after))
}

// grow makes what lies in a folder older: the desk's clock can be moved, the one
// by which the disk dates files can't.
func grow(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at := time.Now().Add(-by)
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// filesUnder lists the files in the storage of a data folder.
func filesUnder(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "storage"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
