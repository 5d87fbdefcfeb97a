package outbox_test

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/outbox"
)

func TestWhatIsAskedOftenGoesByAnIndex(t *testing.T) {
	app, err := boot.Bootstrap(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ResetBootstrapState() }()
	plans, err := outbox.Plans(app)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"live":      "SEARCH d USING COVERING INDEX idx_deliveries_state (state=?)",
		"attention": "SEARCH d USING COVERING INDEX idx_deliveries_attention",
		"list":      "SEARCH d USING INDEX idx_deliveries_attention",
		"put away":  "SCAN d USING INDEX idx_deliveries_put_away",
		"sent":      "SEARCH d USING COVERING INDEX idx_deliveries_state (state=? AND updated>?)",
		"mailboxes": "SEARCH r USING INDEX idx_delivery_recipients_waiting (mailbox>?)",
		"due":       "SEARCH r USING INDEX idx_delivery_recipients_waiting (mailbox=? AND auto=? AND next_try>? AND next_try<?)",
		"next":      "SEARCH delivery_recipients USING COVERING INDEX idx_delivery_recipients_due (state=? AND next_try>?)",
	} {
		if plan := plans[name]; !strings.Contains(plan, want) || strings.Contains(plan, "SCAN d;") || strings.Contains(plan, "SCAN r;") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}
