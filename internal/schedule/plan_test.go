package schedule

import (
	"strings"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func mustPlan(t *testing.T, spec, name string) plan {
	t.Helper()
	p, err := newPlan(spec, zone(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each line lists every run between from (left out) and to, on the local clock
// with its offset.
func TestEveryRunOverAChangeOfTheClock(t *testing.T) {
	for _, c := range []struct{ name, spec, zone, from, to, runs string }{
		{
			"gap: the nightly job runs once, an hour later", "30 2 * * *", "Europe/Berlin",
			"2026-03-27T12:00+01:00", "2026-03-31T00:00+02:00",
			"28T02:30+01:00 29T03:30+02:00 30T02:30+02:00",
		},
		{
			"gap: the same time as another run is one run", "30 2,3 * * *", "Europe/Berlin",
			"2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "29T03:30+02:00",
		},
		{
			"gap: at its very start", "0 2 * * *", "Europe/Berlin",
			"2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "29T03:00+02:00",
		},
		{
			"gap: at its end nothing moves", "0 3 * * *", "Europe/Berlin",
			"2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "29T03:00+02:00",
		},
		{
			"doubled hour: once, the first time", "30 2 * * *", "Europe/Berlin",
			"2026-10-24T12:00+02:00", "2026-10-27T00:00+01:00",
			"25T02:30+02:00 26T02:30+01:00",
		},
		{
			"doubled hour: several times in it", "*/20 2 * * *", "Europe/Berlin",
			"2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00",
			"25T02:00+02:00 25T02:20+02:00 25T02:40+02:00",
		},
		{
			"doubled hour: the end of it is not in it", "0 3 * * *", "Europe/Berlin",
			"2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", "25T03:00+01:00",
		},
		{
			"doubled hour: asked from the second one", "30 1 * * *", "America/New_York",
			"2026-11-01T01:10-05:00", "2026-11-03T00:00-05:00", "02T01:30-05:00",
		},
		{
			"hourly: the gap is left out", "0 * * * *", "America/New_York",
			"2026-03-08T00:30-05:00", "2026-03-08T05:00-04:00",
			"08T01:00-05:00 08T03:00-04:00 08T04:00-04:00 08T05:00-04:00",
		},
		{
			"hourly: both doubled hours", "0 * * * *", "America/New_York",
			"2026-11-01T00:30-04:00", "2026-11-01T03:00-05:00",
			"01T01:00-04:00 01T01:00-05:00 01T02:00-05:00 01T03:00-05:00",
		},
		{
			"half an hour: gap", "15 2 * * *", "Australia/Lord_Howe",
			"2026-10-03T12:00+10:30", "2026-10-05T12:00+11:00",
			"04T02:45+11:00 05T02:15+11:00",
		},
		{
			"half an hour: doubled", "45 1 * * *", "Australia/Lord_Howe",
			"2026-04-04T12:00+11:00", "2026-04-06T12:00+10:30",
			"05T01:45+11:00 06T01:45+10:30",
		},
		{
			"midnight that is not there", "0 0 * * *", "America/Sao_Paulo",
			"2018-11-03T12:00-03:00", "2018-11-05T12:00-02:00",
			"04T01:00-02:00 05T00:00-02:00",
		},
		{
			"midnight that is there twice", "30 23 * * *", "America/Sao_Paulo",
			"2018-02-17T12:00-02:00", "2018-02-18T23:59-03:00",
			"17T23:30-02:00 18T23:30-03:00",
		},
		{
			"a day that is not there", "30 2 * * *", "Pacific/Apia",
			"2011-12-29T12:00-10:00", "2012-01-01T12:00+14:00",
			"31T02:30+14:00 01T02:30+14:00",
		},
		{
			"weekdays only", "0 9 * * 1-5", "Europe/Berlin",
			"2026-03-27T08:00+01:00", "2026-03-31T00:00+02:00",
			"27T09:00+01:00 30T09:00+02:00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustPlan(t, c.spec, c.zone)
			at, to := parse(t, c.from), parse(t, c.to)
			var got []string
			for at = p.next(at); !at.After(to) && len(got) < 50; at = p.next(at) {
				got = append(got, at.In(p.zone).Format("02T15:04-07:00"))
			}
			if s := strings.Join(got, " "); s != c.runs {
				t.Errorf("got  %s\nwant %s", s, c.runs)
			}
		})
	}
}

func parse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04-07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Whatever moment one asks from, the answer is the next run of the same list.
func TestNextIsTheSameFromEveryMoment(t *testing.T) {
	for _, c := range []struct{ spec, zone, from string }{
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00+01:00"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00+02:00"},
		{"*/25 1-3 * * *", "America/New_York", "2026-03-07T12:00-05:00"},
		{"*/25 1-3 * * *", "America/New_York", "2026-10-31T12:00-04:00"},
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00+10:30"},
		{"*/10 * * * *", "Australia/Lord_Howe", "2026-04-04T12:00+11:00"},
	} {
		p := mustPlan(t, c.spec, c.zone)
		from := parse(t, c.from)
		want := p.next(from)
		for at := from; at.Before(from.Add(36 * time.Hour)); at = at.Add(5 * time.Minute) {
			if !want.After(at) {
				want = p.next(want)
			}
			if got := p.next(at); !got.Equal(want) {
				t.Fatalf("%s %s: after %s comes %s, the list says %s", c.spec, c.zone, at.In(p.zone), got.In(p.zone), want.In(p.zone))
			}
		}
	}
}

func TestPlans(t *testing.T) {
	from := time.Date(2026, 3, 1, 9, 0, 0, 500, time.UTC)
	if got := mustPlan(t, "@every 90s", "UTC").next(from); !got.Equal(time.Date(2026, 3, 1, 9, 1, 30, 0, time.UTC)) {
		t.Errorf("every 90 s: %s", got)
	}
	if got := mustPlan(t, "0 0 30 2 *", "Europe/Berlin").next(from); !got.IsZero() {
		t.Errorf("30 February: %s", got)
	}
	if got := mustPlan(t, "0 0 29 2 *", "Europe/Berlin").next(from); !got.Equal(time.Date(2028, 2, 28, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("29 February: %s", got)
	}
	for _, bad := range []string{"", "* * * *", "61 * * * *", "@every soon", "TZ=UTC 0 0 * * *", "@reboot"} {
		if _, err := newPlan(bad, time.UTC); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestClockBackDoesNotBringAFixedTimeAgain(t *testing.T) {
	slot := time.Date(2026, 3, 1, 2, 30, 0, 0, time.UTC)
	nightly, often := mustPlan(t, "30 2 * * *", "UTC"), mustPlan(t, "*/5 * * * *", "UTC")
	for back, want := range map[time.Duration]time.Time{
		time.Hour:                 slot.AddDate(0, 0, 1),
		10 * 365 * 24 * time.Hour: nightly.next(slot.Add(-10 * 365 * 24 * time.Hour)),
	} {
		if got := nightly.upcoming(slot.Add(-back), slot); !got.Equal(want) {
			t.Errorf("nightly, back by %s: %s, want %s", back, got, want)
		}
	}
	if got := often.upcoming(slot.Add(-time.Hour), slot); !got.Equal(slot.Add(-55 * time.Minute)) {
		t.Errorf("every five minutes, back by an hour: %s", got)
	}
}

func TestWords(t *testing.T) {
	for _, c := range [][3]string{
		{"@every 5m", "", "Every 5 minutes"},
		{"@every 1h", "", "Every hour"},
		{"@every 90s", "", "Every 90 seconds"},
		{"@every 1500ms", "", "Every 1.5s"},
		{"* * * * *", "", "Every minute"},
		{"*/15 * * * *", "", "Every 15 minutes"},
		{"0 * * * *", "", "Every hour"},
		{"7 * * * *", "", "Every hour at 7 past"},
		{"@daily", "", "Every day at 00:00"},
		{"30 2 * * *", "", "Every day at 02:30"},
		{"5 9 * * 1", "UTC", "Every Monday at 09:05 (UTC)"},
		{"0 9 * * 1-5", "", "Monday to Friday at 09:00"},
		{"0 4 1 * *", "", "On day 1 of every month at 04:00"},
		{"0 4 1 1 *", "", "0 4 1 1 *"},
		{"0 4 1 * 1", "", "0 4 1 * 1"},
		{"0 4,5 * * *", "", "0 4,5 * * *"},
	} {
		if got := words(c[0], c[1]); got != c[2] {
			t.Errorf("%s: %q, want %q", c[0], got, c[2])
		}
	}
}
