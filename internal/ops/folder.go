// Package ops looks after the data folder of a desk: who may use it, how a
// command finds the desk that runs on it, and how much room there is.
//
// Whoever opens the databases takes the folder first and gives it back last:
//
//	folder, err := ops.Take(dir)
//	...
//	defer folder.Release()
//
// The lock is the operating system's, so it ends with the process however that
// ends. Errors that people can mend are desk.Errors with a sentence.
package ops

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

const (
	runFolder   = "run"          // in the data folder: what belongs to a running process
	lockFile    = "lock"         // in run: locked, holds the pid for people
	controlFile = "control.json" // in run: see Control
)

// lockTries bounds how often Take tries: somebody may look for a moment whether
// the lock is free.
const (
	lockTries = 10
	lockPause = 50 * time.Millisecond
)

// errLocked is the answer of lock when somebody else holds it.
var errLocked = errors.New("locked by another process")

// Folder is a data folder that this process holds.
type Folder struct {
	dir  string
	lock *os.File // nil after Release
}

// Take makes the data folder ready (0700 if it has to be created), checks that
// it can be written, and locks it. A folder that another process holds is
// desk.Conflict with a sentence that names the process.
func Take(dir string) (*Folder, error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, explain(dir, err)
	}
	if err := lockSoon(f); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, held(dir)
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	folder := &Folder{dir: dir, lock: f}
	if err := folder.moveIn(); err != nil {
		folder.Release()
		return nil, explain(dir, err)
	}
	return folder, nil
}

// Release removes the control file and gives the folder back. It may be called
// again, and on nil.
func (f *Folder) Release() {
	if f == nil || f.lock == nil {
		return
	}
	_ = os.Remove(controlPath(f.dir))
	_ = f.lock.Close() // which unlocks
	f.lock = nil
}

// moveIn writes our pid, removes what a dead process left, and tries whether
// the folder takes data.
func (f *Folder) moveIn() error {
	if err := os.Remove(controlPath(f.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := f.lock.Truncate(0); err != nil {
		return err
	}
	if _, err := f.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return err
	}
	return tryWrite(f.dir)
}

// lockSoon locks f, patient for half a second.
func lockSoon(f *os.File) error {
	for i := 0; ; i++ {
		err := lock(f, true)
		if !errors.Is(err, errLocked) || i == lockTries {
			return err
		}
		time.Sleep(lockPause)
	}
}

func held(dir string) error {
	process, stop := "another process", "stop it first"
	if pid := holder(dir); pid != 0 {
		process, stop = fmt.Sprintf("process %d", pid), fmt.Sprintf("stop it first (kill %d)", pid)
	}
	return desk.Errorf(desk.Conflict, "The data folder %s is in use by %s; %s, or name another folder with --dir.", dir, process, stop)
}

// holder is the pid in the lock file, 0 when there is none.
func holder(dir string) int {
	text, err := os.ReadFile(lockPath(dir))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func lockPath(dir string) string { return filepath.Join(dir, runFolder, lockFile) }

func controlPath(dir string) string { return filepath.Join(dir, runFolder, controlFile) }
