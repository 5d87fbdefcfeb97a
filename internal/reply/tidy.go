package reply

import (
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// keepAnswered is how long the result of a request is kept for whoever repeats
// it.
const keepAnswered = 7 * 24 * time.Hour

// Tidy forgets the results of requests that nobody will repeat any more.
func (r *Replies) Tidy() error {
	return forget(r.App, desk.Millis(r.Clock.Now().Add(-keepAnswered)))
}
