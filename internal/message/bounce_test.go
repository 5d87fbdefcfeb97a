package message

import (
	"slices"
	"testing"
)

func TestReportsAboutOneMailAddUp(t *testing.T) {
	delay := Bounce{Recipients: []string{"a@a.test"}, Status: "4.4.1", Delayed: true, At: "1"}
	full := Bounce{Recipients: []string{"a@a.test"}, Status: "5.2.2", At: "2"}
	gone := Bounce{Recipients: []string{"A@a.test"}, Status: "5.1.1", Permanent: true, At: "3"}
	other := Bounce{Recipients: []string{"b@a.test"}, Status: "5.7.1", Permanent: true, At: "4"}
	for _, c := range []struct {
		name   string
		known  *Bounce
		report Bounce
		want   Bounce
		news   bool
	}{
		{"the first", nil, gone, gone, true},
		{"a failure after a delay", &delay, full, full, true},
		{"a delay after a failure", &gone, delay, gone, false},
		{"the same again", &gone, gone, gone, false},
		{"the same address, now for good", &full, gone, Bounce{Recipients: []string{"a@a.test"}, Status: "5.1.1", Permanent: true, At: "2"}, true},
		{"another address", &gone, other, Bounce{Recipients: []string{"A@a.test", "b@a.test"}, Status: "5.1.1", Permanent: true, At: "3"}, true},
	} {
		got, news := c.known.with(c.report)
		if news != c.news || got.Status != c.want.Status || got.Permanent != c.want.Permanent || got.At != c.want.At || got.Delayed != c.want.Delayed || !slices.Equal(got.Recipients, c.want.Recipients) {
			t.Errorf("%s: %+v, news %v", c.name, *got, news)
		}
	}
	if len(gone.Recipients) != 1 {
		t.Errorf("a report was changed: %+v", gone)
	}
}
