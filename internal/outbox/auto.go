package outbox

import (
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// AutoTo is how many automatic answers were written to an address since a time.
func AutoTo(app core.App, address string, since int64) (n int, err error) {
	_, err = sqlite.One(app, []any{&n}, `SELECT count(*) FROM delivery_recipients r JOIN deliveries d ON d.id = r.delivery AND d.kind = 'auto'
		WHERE r.auto = 1 AND r.address = ? COLLATE NOCASE AND r.created > ?`, address, since)
	return n, err
}
