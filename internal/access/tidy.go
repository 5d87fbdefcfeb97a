package access

import (
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
)

// How long what is over is kept.
const (
	keepEndedSessions = 90 * 24 * time.Hour
	keepAnswered      = 7 * 24 * time.Hour
)

// Tidy forgets sign-ins that ended long ago and the results of requests that
// nobody will repeat any more.
func (a *Access) Tidy() error {
	now := a.wall.Now()
	before := desk.Millis(now.Add(-keepEndedSessions))
	if err := sqlite.Exec(a.app, "DELETE FROM sessions WHERE (ended <> 0 AND ended < ?) OR expires < ?", before, before); err != nil {
		return err
	}
	return sqlite.Exec(a.app, "DELETE FROM requests_done WHERE at < ?", desk.Millis(a.clock.Now().Add(-keepAnswered)))
}
