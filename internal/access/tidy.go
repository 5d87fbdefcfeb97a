package access

import (
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// keepEnded is how long a sign-in that ended is kept.
const keepEnded = 90 * 24 * time.Hour

// Tidy forgets sign-ins that ended long ago.
func (a *Access) Tidy() error {
	return forgetSessions(a.app, desk.Millis(a.wall.Now().Add(-keepEnded)))
}
