package file

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// ErrFull is what Store answers when the disk has no room; nothing was stored
// and whoever offers the mail keeps it and tries again.
var ErrFull = desk.Errorf(desk.Unavailable, "The disk is full: mail waits at its server until there is space again.")

// fullness remembers whether the last write ran out of space.
type fullness struct {
	mu    sync.Mutex
	since time.Time
}

// note turns an error for want of space into ErrFull and remembers it; a
// success clears the memory.
func (f *fullness) note(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.since = time.Time{}
		return nil
	}
	if !IsFull(err) {
		return err
	}
	if f.since.IsZero() {
		f.since = desk.SystemClock{}.Now()
	}
	return ErrFull
}

func (f *fullness) get() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since, !f.since.IsZero()
}

// IsFull reports whether err says that the disk has no room left.
func IsFull(err error) bool {
	if err == nil {
		return false
	}
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		strings.Contains(err.Error(), "database or disk is full") || strings.Contains(err.Error(), "(13)")
}
