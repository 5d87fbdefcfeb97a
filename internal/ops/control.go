package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// Control is how a command on the same machine reaches the desk that runs on a
// data folder. It stands in run/control.json (0600) while that serves.
type Control struct {
	URL     string    `json:"url"`   // on loopback
	Token   string    `json:"token"` // of this start
	PID     int       `json:"pid"`   // 0 in Publish = this process
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

const (
	startTries  = 40 // of Running, while a desk holds the folder and does not serve yet
	startPause  = 50 * time.Millisecond
	dialTimeout = 3 * time.Second
)

// Publish writes the control file, whole or not at all; Release removes it.
func (f *Folder) Publish(c Control) error {
	if c.PID == 0 {
		c.PID = os.Getpid()
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	path := controlPath(f.dir)
	if err := replace(path, append(text, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// replace gives the file at path new content by way of a second file.
func replace(path string, content []byte) error {
	next := path + ".new"
	_ = os.Remove(next) // of a process that died here; its mode may be another
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
	}
	return err
}

// Running finds the desk that serves the data folder: nil when none does, and
// the folder is free to Take. A desk that is just starting is waited for. A
// process that holds the folder without serving it is desk.Conflict, one that
// does not answer desk.Unavailable.
func Running(dir string) (*Control, error) {
	for i := 0; ; i++ {
		free, err := isFree(dir)
		if err != nil || free {
			return nil, err
		}
		c, err := readControl(dir)
		if err != nil {
			return nil, err
		}
		if c != nil {
			return c, answers(dir, c)
		}
		if i == startTries {
			return nil, held(dir)
		}
		time.Sleep(startPause)
	}
}

// isFree tells whether nobody holds the folder.
func isFree(dir string) (bool, error) {
	f, err := os.Open(lockPath(dir))
	if errors.Is(err, fs.ErrNotExist) || notFolder(err) {
		return true, nil // Take says what is wrong with it
	}
	if err != nil {
		return false, explain(dir, err)
	}
	defer f.Close() // which unlocks
	err = lock(f, false)
	if errors.Is(err, errLocked) {
		return false, nil
	}
	return err == nil, err
}

// readControl reads the control file of the process that holds the folder, nil
// when that has not written one.
func readControl(dir string) (*Control, error) {
	text, err := os.ReadFile(controlPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(dir, err)
	}
	var c Control
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, desk.Errorf(desk.Unavailable, "%s is damaged; stop the desk that runs on this folder and start it again.", filepath.Join(dir, runFolder, controlFile))
	}
	if c.PID != holder(dir) {
		return nil, nil // of a process that was killed; the new one is on its way
	}
	return &c, nil
}

// answers tells whether the desk takes connections.
func answers(dir string, c *Control) error {
	u, err := url.Parse(c.URL)
	if err == nil {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", hostPort(u), dialTimeout); err == nil {
			return conn.Close()
		}
	}
	return desk.Errorf(desk.Unavailable, "The desk that runs on %s (process %d) does not answer on %s; wait, or stop it (kill %d) and try again.", dir, c.PID, c.URL, c.PID)
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
