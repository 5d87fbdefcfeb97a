package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// words says a spec in English for the jobs page; one that has no plain form is
// answered as it is. zone is added when it is not the desk's.
func words(spec, zone string) string {
	text := phrase(spec)
	if zone != "" {
		text += " (" + zone + ")"
	}
	return text
}

// macros are the names that robfig/cron knows for common specs.
var macros = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
	"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

func phrase(spec string) string {
	if d, ok := strings.CutPrefix(spec, "@every "); ok {
		return every(d)
	}
	if m, ok := macros[spec]; ok {
		spec = m
	}
	f := strings.Fields(spec)
	if len(f) != 5 || f[3] != "*" {
		return spec
	}
	minute, hour, day, weekday := f[0], f[1], f[2], f[4]
	if hour == "*" && day == "*" && weekday == "*" {
		return hourly(spec, minute)
	}
	clock, err := time.Parse("15:4", hour+":"+minute)
	days := onDays(day, weekday)
	if err != nil || days == "" {
		return spec
	}
	return days + " at " + clock.Format("15:04")
}

func hourly(spec, minute string) string {
	if n, ok := strings.CutPrefix(minute, "*/"); ok {
		return "Every " + n + " minutes"
	}
	switch m, err := strconv.Atoi(minute); {
	case minute == "*":
		return "Every minute"
	case err != nil:
		return spec
	case m == 0:
		return "Every hour"
	default:
		return fmt.Sprintf("Every hour at %d past", m)
	}
}

var weekdays = map[string]string{
	"0": "Every Sunday", "1": "Every Monday", "2": "Every Tuesday", "3": "Every Wednesday",
	"4": "Every Thursday", "5": "Every Friday", "6": "Every Saturday", "1-5": "Monday to Friday", "*": "Every day",
}

// onDays says the day fields, "" when they have no plain form.
func onDays(day, weekday string) string {
	if day == "*" {
		return weekdays[weekday]
	}
	if n, err := strconv.Atoi(day); err == nil && weekday == "*" {
		return fmt.Sprintf("On day %d of every month", n)
	}
	return ""
}

// every says an interval with its largest whole unit.
func every(interval string) string {
	d, err := time.ParseDuration(interval)
	if err != nil {
		return "@every " + interval
	}
	for _, u := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.size && d%u.size == 0 {
			if d == u.size {
				return "Every " + u.name
			}
			return fmt.Sprintf("Every %d %ss", d/u.size, u.name)
		}
	}
	return "Every " + d.String()
}
