package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// looseLife is how long an upload may wait for its message, and a file on disk
// for its row.
const looseLife = 48 * time.Hour

// Pair removes uploads that no message took within looseLife and that named
// does not name, and files on disk that have no row: those of mails that turned
// out to be copies, and of transactions that never committed. The age of a row
// goes by the desk's clock, that of a file on disk by the machine's.
func (s *Files) Pair(ctx context.Context, named func(app core.App) (map[string]bool, error)) error {
	if err := s.dropLoose(desk.Millis(s.clock.Now().Add(-looseLife)), named); err != nil {
		return err
	}
	before := s.wall.Now().Add(-looseLife)
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

func (s *Files) dropLoose(before int64, named func(app core.App) (map[string]bool, error)) error {
	return s.app.RunInTransaction(func(tx core.App) error {
		loose, err := looseBefore(tx, before)
		if err != nil || len(loose) == 0 {
			return err
		}
		keep, err := named(tx)
		if err != nil {
			return err
		}
		for _, id := range loose {
			if keep[id] {
				continue
			}
			if err := dropLoose(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
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
			return ledgerHasFile(s.app, strings.TrimSuffix(name, filepath.Ext(name)), filepath.Join("mail", b.Name(), name))
		})
		if err != nil {
			return err
		}
	}
	return err
}
