package access

import (
	"fmt"
	"testing"
	"time"
)

func TestGuessingWaitsAndIsForgotten(t *testing.T) {
	t.Parallel()
	var wrong throttle
	now := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	try := func(want time.Duration, wantAlarm bool) {
		t.Helper()
		if wait, alarm := wrong.take("agents ines", now); wait != want || alarm != wantAlarm {
			t.Errorf("wait %v, alarm %v instead of %v, %v", wait, alarm, want, wantAlarm)
		}
	}
	for range freeTries {
		try(0, false)
	}
	try(oneMore, true)
	now = now.Add(10 * time.Second)
	try(20*time.Second, false)
	if wait, _ := wrong.take("agents tomasz", now); wait != 0 {
		t.Errorf("somebody else waits %v", wait)
	}
	now = now.Add(20 * time.Second)
	try(0, false) // one more
	try(oneMore, false)
	now = now.Add(alarmEvery)
	for range freeTries {
		try(0, false) // the count has run out
	}
	try(oneMore, true)
	wrong.forget("agents ines")
	try(0, false)
}

// TestManyAccountsDoNotMakeTheCountForget tries as many names as are counted
// at most: the one that was tried in earnest is counted on.
func TestManyAccountsDoNotMakeTheCountForget(t *testing.T) {
	t.Parallel()
	var wrong throttle
	now := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	for range freeTries {
		wrong.take("agents ines", now)
	}
	for i := range maxAccounts + 50 {
		wrong.take(fmt.Sprint("agents nobody", i), now)
	}
	if n := len(wrong.accounts); n > maxAccounts {
		t.Errorf("%d accounts are counted", n)
	}
	if wait, _ := wrong.take("agents ines", now); wait == 0 {
		t.Error("the count was forgotten")
	}
}
