package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// starBit marks a field of a cron.SpecSchedule that was written as "*".
const starBit = 1 << 63

// plan tells when a timed job is due.
type plan struct {
	text  string             // spec and time zone, as stored with the row
	every cron.Schedule      // of "@every", nil for a calendar spec
	spec  *cron.SpecSchedule // nil for "@every"
	zone  *time.Location
	fixed bool // at certain hours of the day, not every hour
}

// newPlan reads a spec: five fields, "@every 90s" or a word such as "@daily".
func newPlan(spec string, zone *time.Location) (plan, error) {
	if strings.Contains(spec, "TZ=") {
		return plan{}, fmt.Errorf("spec %q names a time zone; it belongs in TimeZone", spec)
	}
	s, err := cron.ParseStandard(spec)
	if err != nil {
		return plan{}, fmt.Errorf("spec %q: %w", spec, err)
	}
	c, ok := s.(*cron.SpecSchedule)
	if !ok {
		return plan{text: spec, every: s}, nil
	}
	return plan{text: spec + " " + zone.String(), spec: c, zone: zone, fixed: c.Hour&starBit == 0}, nil
}

// next is the first time after t when the job is due, zero if it never is.
//
// A calendar spec is matched against the clock on the wall. A job of certain
// hours runs once for each such time: one that falls into the gap when clocks
// go forward runs as much later as the gap is wide (02:30 at 03:30), one in the
// hour that comes twice runs the first time. A job of every hour goes by
// elapsed time: it leaves out the gap and runs in both doubled hours.
//
// Between two changes of a zone's offset its clock is an even one, so each
// such piece is asked separately, with robfig's Next in a fixed zone.
func (p plan) next(t time.Time) time.Time {
	if p.every != nil {
		return p.every.Next(t).UTC()
	}
	at := t.In(p.zone)
	for range 40 { // pieces; robfig looks five years ahead, and zones change twice a year
		start, end := at.ZoneBounds()
		if found := p.within(t, at, start, end); !found.IsZero() {
			return found.UTC()
		}
		if end.IsZero() {
			break
		}
		at = end
	}
	return time.Time{}
}

// within is the first due time after t in the piece [start, end) around at;
// zero bounds are open.
func (p plan) within(t, at, start, end time.Time) time.Time {
	_, offset := at.Zone()
	from, moved := t, time.Duration(0)
	if !start.IsZero() {
		if start.After(t) {
			from = start.Add(-1)
		}
		_, before := start.Add(-1).Zone()
		moved = time.Duration(offset-before) * time.Second
	}
	first := from
	if repeated := start.Add(-moved - 1); p.fixed && moved < 0 && repeated.After(from) {
		first = repeated // that hour was there already
	}
	due := p.at(first, offset)
	if p.fixed && moved > 0 { // the gap, on a clock that nobody moved
		skipped := p.at(from, offset-int(moved/time.Second))
		if !skipped.IsZero() && skipped.Before(start.Add(moved)) && (due.IsZero() || skipped.Before(due)) {
			due = skipped
		}
	}
	if !end.IsZero() && !due.Before(end) {
		return time.Time{}
	}
	return due
}

// at is the first match after t on a clock that is offset seconds ahead of UTC.
func (p plan) at(t time.Time, offset int) time.Time {
	spec := *p.spec
	spec.Location = time.FixedZone("", offset)
	return spec.Next(t)
}

// upcoming is next, for a job that ran last for the due time slot: a clock that
// went back by a day or less does not bring the same fixed time again.
func (p plan) upcoming(now, slot time.Time) time.Time {
	if p.fixed && slot.After(now) && slot.Sub(now) <= 24*time.Hour {
		return p.next(slot)
	}
	return p.next(now)
}
