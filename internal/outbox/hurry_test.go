package outbox_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

func TestHurryTriesAtOnceWhatWaitsForItsMailbox(t *testing.T) {
	var mended atomic.Bool
	k := start(t, func(func(desk.SendState) error) desk.SendResult {
		if !mended.Load() {
			return desk.SendResult{State: desk.SendDeferred, Answer: "Connect again."}
		}
		return desk.SendResult{State: desk.SendSent, Answer: "250 ok"}
	})
	k.wait(desk.SendDeferred)
	mended.Store(true)
	if err := k.outbox.Hurry("another"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	k.wait(desk.SendDeferred) // a minute would pass before the next try
	if err := k.outbox.Hurry("box"); err != nil {
		t.Fatal(err)
	}
	if d := k.wait(desk.SendSent); d.Attempts != 2 {
		t.Errorf("%d tries", d.Attempts)
	}
}
