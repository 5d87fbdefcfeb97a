package notify

import (
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

// remembered is how long an expired notice is known, so that a late answer is
// told from a forged one.
const remembered = 90 * 24 * time.Hour

// Tidy forgets the notices that expired long ago.
func (n *Notices) Tidy() error {
	return forget(n.App, desk.Millis(n.Clock.Now().Add(-remembered)))
}
