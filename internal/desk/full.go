package desk

import (
	"errors"
	"strings"
	"syscall"
)

// DiskFull reports whether err says that the disk has no room left.
func DiskFull(err error) bool {
	return err != nil && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		strings.Contains(err.Error(), "database or disk is full"))
}
