package email

import (
	"net"
	"testing"
	"time"
)

func TestSilenceEndsAConnection(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	w := &wire{Conn: a}
	release := w.limit(60 * time.Millisecond)
	defer release()
	go func() {
		for range 6 { // half as slow as the limit, for three times as long
			time.Sleep(30 * time.Millisecond)
			_, _ = b.Write([]byte("x"))
		}
	}()
	one := make([]byte, 1)
	for n := range 6 {
		if _, err := w.Read(one); err != nil {
			t.Fatalf("byte %d of a slow server: %v", n, err)
		}
	}
	if w.stalled.Load() {
		t.Fatal("a slow server was taken for a silent one")
	}
	start := time.Now()
	if _, err := w.Read(one); err == nil {
		t.Fatal("read from silence")
	}
	if err := w.cause(t.Context(), net.ErrClosed); err != errStalled { //nolint:errorlint // it is this very one
		t.Errorf("the cause is %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("silence was borne for %v", d)
	}
}

func TestReleasedLimitEndsNothing(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	w := &wire{Conn: a}
	w.limit(20 * time.Millisecond)()
	time.Sleep(60 * time.Millisecond)
	go func() { _, _ = b.Write([]byte("x")) }()
	if _, err := w.Read(make([]byte, 1)); err != nil {
		t.Errorf("got %v", err)
	}
}
