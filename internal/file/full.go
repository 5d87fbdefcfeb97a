package file

import (
	"errors"
	"sync"

	"github.com/deskbell/deskbell/internal/desk"
)

// ErrFull is what Store answers when the disk has no room; nothing was stored
// and whoever offers the mail keeps it and tries again.
var ErrFull = desk.Errorf(desk.Unavailable, "The disk is full: mail waits at its server until there is space again.")

// spare is how much more room than its bytes a mail needs: pages of the
// database and its log.
const spare = 1 << 20

// fullness remembers the largest mail that found no room.
type fullness struct {
	mu   sync.Mutex
	full bool
	size int64 // bytes of that mail
}

// note turns an error for want of space into ErrFull and remembers the size it
// was about; a success of that size clears the memory.
func (f *fullness) note(err error, size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		if size >= f.size {
			f.full, f.size = false, 0
		}
	case IsFull(err):
		f.full, f.size = true, max(f.size, size)
		return ErrFull
	}
	return err
}

func (f *fullness) get() (need int64, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size + spare, f.full
}

func (f *fullness) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full, f.size = false, 0
}

// IsFull reports whether err says that the disk has no room left.
func IsFull(err error) bool { return errors.Is(err, ErrFull) || desk.DiskFull(err) }
