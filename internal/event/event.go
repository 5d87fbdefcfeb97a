// Package event owns the one log of the desk: a row for everything that
// happens, written in the transaction that changes the thing itself, never
// changed and never deleted.
//
// Append writes; Subscribe reads on, at least once and in order, with a cursor
// of its own that survives a restart; Guard lets a package refuse a change
// inside its transaction. Rows carry ids, numbers and enum words. What is
// personal stands in event_details, which can be erased: the row keeps a
// salted digest of it, and every row's hash covers the one before, so an
// erased detail breaks neither the chain nor a number.
package event

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// Log is the log of one desk.
type Log struct {
	app    core.App
	clock  desk.Clock
	guards map[string][]GuardFunc
	hub    hub
}

// New returns the log of app; it has to be told of its subscribers and guards
// before anything is appended.
func New(app core.App, clock desk.Clock) *Log {
	return &Log{app: app, clock: clock, guards: map[string][]GuardFunc{}}
}

// GuardFunc looks at a change that is about to happen inside tx and refuses it
// by an error, a desk.Refused one with a sentence for people.
type GuardFunc func(tx core.App, e desk.Event) error

// Guard registers f for a change named "noun.verbWillBe".
func (l *Log) Guard(name string, f GuardFunc) { l.guards[name] = append(l.guards[name], f) }

// WillBe asks every guard of the named change; the first refusal is returned.
// Its data says by "guard" what refused: the change's name, unless the guard
// names itself.
func (l *Log) WillBe(tx core.App, name string, e desk.Event) error {
	for _, f := range l.guards[name] {
		err := f(tx, e)
		if err == nil {
			continue
		}
		var refusal *desk.Error
		if errors.As(err, &refusal) && refusal.Code == desk.Refused {
			return refusal.With("guard", name)
		}
		return err
	}
	return nil
}

// Append writes events in tx, in order, and wakes the subscribers once tx has
// committed. It fills in Seq and, where it is zero, At, and returns the last
// sequence number.
func (l *Log) Append(tx core.App, events ...desk.Event) (last int64, err error) {
	if tx.TxInfo() == nil { // a row and the one before it belong together
		err = tx.RunInTransaction(func(tx core.App) error {
			last, err = l.Append(tx, events...)
			return err
		})
		return last, err
	}
	seq, hash, err := lastRow(tx)
	if err != nil {
		return 0, err
	}
	now := desk.Millis(l.clock.Now())
	for i := range events {
		e := &events[i]
		seq++
		e.Seq = seq
		if e.At == 0 {
			e.At = now
		}
		digest, err := writeDetail(tx, seq, e.Detail)
		if err != nil {
			return 0, err
		}
		hash = chain(hash, *e, digest)
		if err := writeRow(tx, *e, digest, hash); err != nil {
			return 0, err
		}
	}
	l.wakeAfter(tx)
	return seq, nil
}

// wakeAfter wakes the subscribers when the transaction of tx has committed, or
// at once when there is none.
func (l *Log) wakeAfter(tx core.App) {
	info := tx.TxInfo()
	if info == nil {
		l.hub.wake()
		return
	}
	info.OnComplete(func(err error) error {
		if err == nil {
			l.hub.wake()
		}
		return nil
	})
}

// chain is the hash of a row: SHA-256 over the hash before it and its columns.
func chain(before []byte, e desk.Event, digest []byte) []byte {
	h := sha256.New()
	h.Write(before)
	var n [8]byte
	for _, v := range []int64{e.Seq, e.At} {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	for _, s := range []string{e.Kind, e.Ticket, e.Message, e.Subject, string(e.Actor.Kind), e.Actor.ID, e.Reason, e.Old, e.New} {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	h.Write(digest)
	return h.Sum(nil)
}

// saltedDetail is what stands in event_details: the facts and the 128 bits
// that keep anybody from guessing them out of the digest.
type saltedDetail struct {
	Salt   string         `json:"salt"`
	Detail map[string]any `json:"detail"`
}

func digestOf(text []byte) []byte {
	d := sha256.Sum256(text)
	return d[:]
}

// Verify walks the whole chain and answers the sequence number of the first
// row that does not fit, or 0 when all do; an erased detail is no fault.
func Verify(app core.App) (int64, error) {
	var before []byte
	var bad int64
	err := eachRow(app, "ORDER BY seq", nil, func(e desk.Event, digest, hash []byte) error {
		if bad == 0 && hex.EncodeToString(chain(before, e, digest)) != hex.EncodeToString(hash) {
			bad = e.Seq
		}
		before = hash
		return nil
	})
	if err != nil || bad != 0 {
		return bad, err
	}
	return firstForgedDetail(app)
}

func firstForgedDetail(app core.App) (int64, error) {
	var bad int64
	err := eachDetail(app, func(seq int64, text string, digest []byte) error {
		if bad == 0 && string(digestOf([]byte(text))) != string(digest) {
			bad = seq
		}
		return nil
	})
	return bad, err
}

// OfTicket lists the events of a ticket, oldest first, with their details.
func OfTicket(app core.App, ticket string) ([]desk.Event, error) {
	var out []desk.Event
	err := eachRow(app, "WHERE ticket = ? ORDER BY seq", []any{ticket}, func(e desk.Event, _, _ []byte) error {
		out = append(out, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, addDetails(app, out)
}

// Happened reports whether an event of one of the kinds happened to a ticket
// after seq.
func Happened(app core.App, ticket string, after int64, kinds ...string) (bool, error) {
	found := false
	err := eachRow(app, "WHERE ticket = ? AND seq > ? ORDER BY seq", []any{ticket, after}, func(e desk.Event, _, _ []byte) error {
		found = found || slices.Contains(kinds, e.Kind)
		return nil
	})
	return found, err
}

// agentKinds are the kinds of HappenedToAgent, as their index says them.
const agentKinds = "kind IN ('agent.left','agent.password_changed','agent.email_changed')"

// HappenedToAgent reports whether an agent left, or changed password or e-mail,
// after seq.
func HappenedToAgent(app core.App, agent string, after int64) (bool, error) {
	found := false
	err := eachRow(app, "WHERE subject = ? AND seq > ? AND "+agentKinds+" LIMIT 1", []any{agent, after}, func(desk.Event, []byte, []byte) error {
		found = true
		return nil
	})
	return found, err
}

// Last is the newest sequence number, 0 for an empty log.
func Last(app core.App) (int64, error) {
	seq, _, err := lastRow(app)
	return seq, err
}

// Since lists up to limit events after seq, oldest first, without details.
func Since(app core.App, seq int64, limit int) ([]desk.Event, error) {
	var out []desk.Event
	err := eachRow(app, "WHERE seq > ? ORDER BY seq LIMIT ?", []any{seq, limit}, func(e desk.Event, _, _ []byte) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

func parseDetail(text string) (map[string]any, error) {
	var d saltedDetail
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("read an event's detail: %w", err)
	}
	return d.Detail, nil
}
