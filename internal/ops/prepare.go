package ops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/deskbell/deskbell/internal/desk"
)

// probeFile is written and removed to see whether the folder takes data.
const probeFile = ".write-probe"

// probeSize is how much a probe writes; a disk that has no room for it has none
// for a mail either.
const probeSize = 256 << 10

// prepare makes sure that dir is a folder with a run folder in it.
func prepare(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o700)
	case err == nil && !info.IsDir():
		return desk.Errorf(desk.Invalid, "%s is not a folder; name another one with --dir, or move that file away.", dir)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, runFolder), 0o700)
	}
	if err != nil {
		return explain(dir, err)
	}
	return nil
}

// Writable tells whether the folder takes data, by writing and removing some:
// nil, or a desk.Unavailable sentence. It costs one fsync.
func Writable(dir string) error {
	if err := tryWrite(dir); err != nil {
		return explain(dir, err)
	}
	return nil
}

func tryWrite(dir string) error {
	path := filepath.Join(dir, probeFile)
	defer os.Remove(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// explain says why the data folder can't be used and how to mend it.
func explain(dir string, err error) error {
	switch {
	case noSpace(err):
		return desk.Errorf(desk.Unavailable, "The disk under the data folder %s is full; make room on it.", dir)
	case readOnly(err):
		return desk.Errorf(desk.Unavailable, "The data folder %s is on a disk mounted read-only; mount it writable, or name another folder with --dir.", dir)
	case errors.Is(err, fs.ErrPermission):
		return denied(dir)
	case notFolder(err):
		return desk.Errorf(desk.Invalid, "The data folder %s can't be made, since a part of that path is a file; name another one with --dir.", dir)
	case errors.Is(err, fs.ErrExist):
		return desk.Errorf(desk.Invalid, "%s is a link that leads nowhere; mend the link, or name another folder with --dir.", dir)
	}
	return desk.Errorf(desk.Unavailable, "The data folder %s can't be used: %s.", dir, reason(err))
}

// denied says who owns the folder, or the closest one above that there is.
func denied(dir string) error {
	at := filepath.Clean(dir)
	for {
		if _, err := os.Lstat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	what := "The data folder " + dir
	if at != filepath.Clean(dir) {
		what = "The data folder " + dir + " can't be made: " + at
	}
	if owner, me, known := owners(at); known && owner != me {
		return desk.Errorf(desk.Unavailable, "%s belongs to user %s, and Deskbell runs as %s; run it as %s, or name another folder with --dir.", what, owner, me, owner)
	}
	return desk.Errorf(desk.Unavailable, "%s is read-only for this user; make it writable (chmod u+rwx %s), or name another folder with --dir.", what, at)
}

// reason is what the operating system said, without the path.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}
