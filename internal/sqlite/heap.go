package sqlite

import "modernc.org/libc"

// SQLite takes and gives back its scratch memory thousands of times a second.
// Its allocator hands a page of memory back to the system whenever the last
// piece on it is freed, and asks for it again a moment later; that was a sixth
// of the CPU time of a write. One small piece kept for good in each size class
// keeps the pages.
func init() {
	tls := libc.NewTLS()
	for size := uint64(16); size <= 32<<10; size *= 2 {
		libc.Xmalloc(tls, size)
	}
}
