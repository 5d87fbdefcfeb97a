package option_test

import (
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/option"
)

func TestHoursAreOpen(t *testing.T) {
	h := option.Hours{"mon": {{"09:00", "12:00"}, {"13:00", "24:00"}}, "tue": {{"00:00", "01:30"}}}
	for at, want := range map[string]bool{
		"2026-11-23T08:59:00Z": false, "2026-11-23T09:00:00Z": true, "2026-11-23T12:00:00Z": false, "2026-11-23T23:59:00Z": true,
		"2026-11-24T00:00:00Z": true, "2026-11-24T01:30:00Z": false, "2026-11-25T10:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if h.Open(when) != want {
			t.Errorf("open at %s: %v", at, !want)
		}
	}
}
