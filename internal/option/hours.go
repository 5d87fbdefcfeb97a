package option

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Hours says when the desk is open: for each day of the week its spans of local
// wall-clock time, earliest first. A day without spans is closed. As JSON it is
// {"mon":[["09:00","12:00"],["13:00","17:00"]]}; a night is written as two
// spans, up to "24:00" and from "00:00".
type Hours map[string][]Span

// Span is a half-open piece of a day, "HH:MM" to "HH:MM".
type Span [2]string

// UnmarshalJSON implements json.Unmarshaler; a span is exactly two times.
func (s *Span) UnmarshalJSON(b []byte) error {
	var times []string
	if err := json.Unmarshal(b, &times); err != nil {
		return err
	}
	if len(times) != len(s) {
		return fmt.Errorf("a span of %d times", len(times))
	}
	*s = Span(times)
	return nil
}

// days are the names of the days in Hours, by time.Weekday.
var days = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads hours from JSON. The error completes a sentence that begins
// with the name of the setting.
func ParseHours(value json.RawMessage) (Hours, error) {
	var h Hours
	if !decode(value, &h) {
		return nil, fmt.Errorf(`must give spans for each day, as in {"mon":[["09:00","17:00"]]}`)
	}
	for day, spans := range h {
		if !known(day) {
			return nil, fmt.Errorf("has a day %q; days are mon, tue, wed, thu, fri, sat and sun", short(day))
		}
		last := 0
		for i, s := range spans {
			from, to, err := s.minutes()
			switch {
			case err != nil:
				return nil, err
			case from >= to:
				return nil, fmt.Errorf("opens at %s and closes at %s on %s; it must close after it opens", s[0], s[1], day)
			case i > 0 && from < last:
				return nil, fmt.Errorf("has spans on %s that overlap or are out of order; put the earlier one first", day)
			}
			last = to
		}
	}
	return h, nil
}

// On lists the spans of a day of the week.
func (h Hours) On(day time.Weekday) []Span { return h[days[day]] }

// Open reports whether it is open at a time, by the clock of that time's zone.
func (h Hours) Open(at time.Time) bool {
	now := at.Hour()*60 + at.Minute()
	for _, s := range h.On(at.Weekday()) {
		if from, to := s.Minutes(); from <= now && now < to {
			return true
		}
	}
	return false
}

// Closed reports whether there is no open minute in the week.
func (h Hours) Closed() bool {
	for _, spans := range h {
		if len(spans) > 0 {
			return false
		}
	}
	return true
}

// Minutes are the start and the end of a checked span in minutes after
// midnight, at most 1440.
func (s Span) Minutes() (from, to int) {
	from, to, _ = s.minutes()
	return from, to
}

func (s Span) minutes() (from, to int, err error) {
	if from, err = minute(s[0]); err != nil {
		return 0, 0, err
	}
	to, err = minute(s[1])
	return from, to, err
}

func minute(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("has the time %q; write hours and minutes, as in 09:00", short(text))
	}
	return t.Hour()*60 + t.Minute(), nil
}

func known(day string) bool {
	for _, d := range days {
		if d == day {
			return true
		}
	}
	return false
}

// short keeps a typed text from making a sentence unreadable.
func short(text string) string {
	r := []rune(strings.ToValidUTF8(text, "?"))
	if len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return string(r)
}
