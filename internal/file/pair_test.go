package file_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/ticket"
)

// folder is where a file lies on disk.
func folder(t *testing.T, d *boot.Desk, f *file.File) string {
	t.Helper()
	c, err := d.App.FindCollectionByNameOrId("files")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(d.App.DataDir(), "storage", c.Id, f.ID)
}

func TestPairKeepsWhatADraftNamesAndGoesByTheRightClock(t *testing.T) {
	clock := desk.NewTestClock(time.Now())
	d, err := boot.Open(boot.Options{Dir: t.TempDir() + "/data", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	files := map[string]*file.File{}
	for _, name := range []string{"attached", "pictured", "forgotten", "prepared"} {
		f, err := d.Files.Prepare(desk.Attachment{Name: name, Content: []byte(name)}, "agent")
		if err == nil && name != "prepared" {
			err = d.Files.Commit(d.App, f, "", "")
		}
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
	}
	draft := ticket.Draft{Kind: "reply", Body: `<p><img src="` + files["pictured"].URL() + `"></p>`, Attachments: []string{files["attached"].ID}}
	if err := ticket.SaveDraft(d.App, "agent", "ticket", draft, "", desk.Millis(clock.Now())); err != nil {
		t.Fatal(err)
	}
	left := func(when string, rows, disk map[string]bool) {
		t.Helper()
		if err := d.Files.Pair(t.Context(), ticket.DraftFiles); err != nil {
			t.Fatal(err)
		}
		for name, f := range files {
			row, err := file.FindFile(d.App, f.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(folder(t, d, f)); (row != nil) != rows[name] || (err == nil) != disk[name] {
				t.Errorf("%s: %s has a row: %v, is on disk: %v", when, name, row != nil, err == nil)
			}
		}
	}
	all := map[string]bool{"attached": true, "pictured": true, "forgotten": true, "prepared": true}
	named := map[string]bool{"attached": true, "pictured": true}
	left("at once", map[string]bool{"attached": true, "pictured": true, "forgotten": true}, all)
	clock.Advance(49 * time.Hour)
	left("49 hours of the desk later", named, all)
	for _, f := range files {
		old := time.Now().Add(-49 * time.Hour)
		if err := os.Chtimes(folder(t, d, f), old, old); err != nil {
			t.Fatal(err)
		}
	}
	left("49 hours of the machine later", named, named)
}
