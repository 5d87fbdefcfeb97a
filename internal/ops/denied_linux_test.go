package ops

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"golang.org/x/sys/unix"
)

// asNobody runs f without root's rights on files, which tests often have.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its rights
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

func TestFolderOfOthersIsOneSentence(t *testing.T) {
	parent := t.TempDir()
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "data")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // t.TempDir lies in a folder of root's alone
		if err := os.Chmod(filepath.Dir(parent), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		_, err := Take(dir)
		// Of nobody, seen by a process that calls itself root: theirs, not ours.
		if desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), dir) ||
			!strings.Contains(err.Error(), "belongs to user") && !strings.Contains(err.Error(), "read-only for this user") {
			t.Errorf("a folder without rights: %v", err)
		}
		_, err = Take(filepath.Join(dir, "deep", "data"))
		if desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), "can't be made: "+dir) {
			t.Errorf("a folder in it: %v", err)
		}
	})
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 0, 0); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			if _, err := Take(dir); desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), "is read-only for this user; make it writable (chmod u+rwx "+dir+")") {
				t.Errorf("our own folder, read-only: %v", err)
			}
		})
	}
}
