package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// looseLife is how long an upload may wait for its message, and a file on disk
// for its row.
const looseLife = 48 * time.Hour

// Pair removes uploads that no message took within looseLife, and files on
// disk that have no row: those of mails that turned out to be copies, and of
// transactions that never committed.
func (s *Files) Pair(ctx context.Context) error {
	before := s.clock.Now().Add(-looseLife)
	if err := sqlite.Exec(s.app, "DELETE FROM files WHERE message = '' AND created < ?", desk.Millis(before)); err != nil {
		return err
	}
	root, err := s.folder(s.app, "")
	if err != nil {
		return err
	}
	err = s.sweep(ctx, root, before, func(id string) (bool, error) {
		f, err := FindFile(s.app, id)
		return f != nil, err
	})
	if err != nil {
		return err
	}
	return s.sweepMail(ctx, before)
}

// sweep removes the folders under root that are older than before and whose
// name no row carries.
func (s *Files) sweep(ctx context.Context, root string, before time.Time, known func(id string) (bool, error)) error {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := e.Info()
		if err != nil || info.ModTime().After(before) {
			continue
		}
		has, err := known(e.Name())
		if err != nil {
			return err
		}
		if !has {
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				return err
			}
		}
	}
	return err
}

// sweepMail removes raw mails on disk whose ledger row never committed.
func (s *Files) sweepMail(ctx context.Context, before time.Time) error {
	root := filepath.Join(s.app.DataDir(), "storage", "mail")
	buckets, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, b := range buckets {
		err := s.sweep(ctx, filepath.Join(root, b.Name()), before, func(name string) (bool, error) {
			return ledgerHasFile(s.app, filepath.Join("mail", b.Name(), name))
		})
		if err != nil {
			return err
		}
	}
	return err
}

func ledgerHasFile(app core.App, path string) (bool, error) {
	id := filepath.Base(path)
	if ext := filepath.Ext(id); ext != "" {
		id = id[:len(id)-len(ext)]
	}
	return sqlite.One(app, []any{new(string)}, "SELECT id FROM ledger WHERE id = ? AND path = ?", id, path)
}
