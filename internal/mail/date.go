package mail

import (
	netmail "net/mail"
	"strings"
	"time"
)

// parseDate reads a Date value in the forms real mail has; zero if it can't.
// It is what the sender claims: never use it to order tickets or start clocks.
func parseDate(s string) time.Time {
	if s == "" || len(s) > 200 {
		return time.Time{}
	}
	if t, err := netmail.ParseDate(s); err == nil {
		return t.UTC()
	}
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, ".", ":")), " ")
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 { // an unknown zone name
		if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05", s[:i]); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700",
	"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon, 2 Jan 2006 15:04", "Mon, 2 Jan 2006 15:04:05 MST",
	"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006", "Mon, Jan 2 2006 15:04:05 -0700",
	"Mon, 2-Jan-2006 15:04:05 -0700", "Mon, 2-Jan-06 15:04:05 MST", "Monday, 2 January 2006 15:04:05 -0700", "Mon, 2 January 2006 15:04:05 -0700",
	"Mon, 2 Jan 06 15:04:05 -0700", "Mon,2 Jan 2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", time.RFC3339,
}
