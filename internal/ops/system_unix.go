//go:build unix

package ops

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock takes the lock of f, alone or shared with others, without waiting. It
// ends when f is closed, or with the process; a child does not inherit it.
func lock(f *os.File, alone bool) error {
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}

// DiskSpace is how much of the disk under dir this user may still fill, and the
// size of the disk, in bytes.
func DiskSpace(dir string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	size := uint64(s.Bsize)
	return uint64(max(0, s.Bavail)) * size, uint64(s.Blocks) * size, nil
}

func noSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

func readOnly(err error) bool { return errors.Is(err, unix.EROFS) }

func notFolder(err error) bool { return errors.Is(err, unix.ENOTDIR) }

// owners names the owner of path and the user of this process.
func owners(path string) (owner, me string, known bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", "", false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", "", false
	}
	return userName(int(s.Uid)), userName(os.Geteuid()), true
}

func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return u.Username
	}
	return id
}
