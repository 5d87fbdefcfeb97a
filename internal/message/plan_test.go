package message_test

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/message"
)

func TestTheLastMessageIsFoundByItsIndex(t *testing.T) {
	app, err := boot.Bootstrap(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ResetBootstrapState() }()
	for _, cond := range []string{
		"ticket = 'x' AND kind NOT IN ('note','system','auto') AND thread = 'main' ORDER BY rowid DESC LIMIT 1",
		"ticket = 'x' AND kind = 'customer' AND rowid > (SELECT rowid FROM messages WHERE id = 'y') ORDER BY rowid LIMIT 1",
	} {
		plan, err := message.Plan(app, cond)
		if err != nil || !strings.Contains(plan, "USING INDEX idx_messages_arrival (ticket=?") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s: %s, %v", cond, plan, err)
		}
	}
}
