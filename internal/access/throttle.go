package access

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// PocketBase's limiter counts the requests of one address. Here wrong passwords
// are counted for one account, whatever addresses they come from and whether or
// not there is such an account. A guess is worth a token of a bucket; who has
// signed in from an address before may go on from there with an empty one, so
// that nobody is locked out by somebody else's guessing.
const (
	freeTries   = 10               // wrong passwords in a row before waiting
	oneMore     = 30 * time.Second // after which one more may be tried
	maxAccounts = 10_000           // that are counted at a time
	alarmEvery  = time.Hour        // between two alarms about one account
)

// tries is what was tried on one account.
type tries struct {
	wrong   float64 // less one for each oneMore that went by
	at      time.Time
	alarmed time.Time // when the last alarm was given, zero = never
}

func (t *tries) settle(now time.Time) {
	t.wrong = max(0, t.wrong-now.Sub(t.at).Seconds()/oneMore.Seconds())
	t.at = now
}

// throttle counts wrong passwords. The zero throttle is ready.
type throttle struct {
	mu       sync.Mutex
	accounts map[string]*tries
}

// take uses a try of an account up and answers 0, or how long to wait for one
// and whether an alarm is due.
func (t *throttle) take(account string, now time.Time) (wait time.Duration, alarm bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.accounts[account]
	if a == nil {
		a = &tries{at: now}
		t.add(account, a, now)
	}
	a.settle(now)
	if a.wrong+1 <= freeTries {
		a.wrong++
		return 0, false
	}
	if alarm = a.alarmed.IsZero() || now.Sub(a.alarmed) >= alarmEvery; alarm {
		a.alarmed = now
	}
	wait = time.Duration((a.wrong + 1 - freeTries) * float64(oneMore))
	return max(wait, time.Second).Round(time.Second), alarm
}

// add makes room first when too many accounts are counted: for whoever has the
// fewest wrong tries.
func (t *throttle) add(account string, a *tries, now time.Time) {
	if t.accounts == nil {
		t.accounts = map[string]*tries{}
	}
	least, fewest := "", float64(freeTries+1)
	if len(t.accounts) >= maxAccounts {
		for name, other := range t.accounts {
			other.settle(now)
			if other.wrong < fewest {
				least, fewest = name, other.wrong
			}
		}
		delete(t.accounts, least)
	}
	t.accounts[account] = a
}

// forget ends the count of an account: its password was right.
func (t *throttle) forget(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.accounts[account]; a != nil {
		a.wrong = 0
	}
}

func accountOf(collection, identity string) string {
	return collection + " " + strings.ToLower(strings.TrimSpace(identity))
}

func tooMany(wait time.Duration) *desk.Error {
	return desk.Errorf(desk.TooMany, "Too many wrong passwords for this account. Wait %d seconds and try again.", int(wait.Seconds()))
}

// limitWrong lets a sign-in be tried while its account has tries left.
func (a *Access) limitWrong(e *core.RecordAuthWithPasswordRequestEvent) error {
	account, now := accountOf(e.Collection.Name, e.Identity), a.wall.Now()
	agent := ""
	if e.Record != nil {
		agent = e.Record.Id
	}
	wait, alarm := a.wrong.take(account, now)
	if wait > 0 {
		if alarm && agent != "" {
			a.alarm(agent, e.RealIP(), now)
		}
		known, err := signedInFrom(e.App, agent, e.RealIP())
		if err != nil {
			return err
		}
		if !known {
			e.Response.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
			return event.Sentence(tooMany(wait))
		}
	}
	err := e.Next()
	if err == nil {
		a.wrong.forget(account)
	}
	return err
}

// tryPassword checks a password of somebody who is signed in, as seldom as a
// sign-in would.
func (a *Access) tryPassword(r *core.Record, password string) error {
	account := accountOf(r.Collection().Name, r.Email())
	if wait, _ := a.wrong.take(account, a.wall.Now()); wait > 0 {
		return tooMany(wait)
	}
	if !r.ValidatePassword(password) {
		return fieldError("old_password", "This is not your password.")
	}
	a.wrong.forget(account)
	return nil
}

// guessing is an alarm: somebody guesses the password of an account.
type guessing struct {
	account string // id of the agent or superuser
	ip      string // that the last guess came from
	at      time.Time
}

// alarm hands an alarm to Run. It does not write itself: a request for an
// account that exists must not take longer than for one that does not.
func (a *Access) alarm(account, ip string, now time.Time) {
	select {
	case a.alarms <- guessing{account, ip, now}:
	default: // more than anybody reads
	}
}

// Run logs alarms until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case g := <-a.alarms:
			a.mu.Lock()
			a.guessed[g.account] = g.at
			a.mu.Unlock()
			_, err := a.log.Append(a.app, desk.Event{
				Kind: "agent.password_guessed", Subject: g.account, Actor: desk.System("access"), Detail: map[string]any{"ip": g.ip},
			})
			if err != nil {
				a.app.Logger().Error("an alarm about wrong passwords could not be logged", "account", g.account, "error", err)
			}
		}
	}
}

// Guessed lists the accounts whose password somebody has tried to guess in the
// last hour, by the id of the agent or superuser.
func (a *Access) Guessed() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for account, at := range a.guessed {
		if a.wall.Now().Sub(at) < alarmEvery {
			out = append(out, account)
		} else {
			delete(a.guessed, account)
		}
	}
	return out
}
