package schedule

import (
	"database/sql"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// collections are those of this package.
var collections = [...]string{"schedules", "jobs"}

// readRows returns the rows of the timed jobs by name.
func readRows(app core.App) (map[string]row, error) {
	rows := map[string]row{}
	return rows, sqlite.Each(app, func(r *sql.Rows) error {
		var w row
		var next, slot, started, paused int64
		err := r.Scan(&w.name, &w.plan, &next, &slot, &started, &w.outcome, &w.err, &w.ms, &w.runs, &w.cut, &paused, &w.pausedBy)
		w.next, w.slot, w.started, w.paused = desk.Time(next), desk.Time(slot), desk.Time(started), desk.Time(paused)
		rows[w.name] = w
		return err
	}, "SELECT name, plan, next, slot, started, outcome, error, ms, runs, cut, paused, paused_by FROM schedules")
}

// writePlan stores by what plan a job runs and when it is due.
func writePlan(app core.App, r row) error {
	return sqlite.Exec(app, "INSERT INTO schedules (name, plan, next) VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET plan = excluded.plan, next = excluded.next",
		r.name, r.plan, desk.Millis(r.next))
}

// writeSlot begins the run that was due at slot.
func writeSlot(app core.App, name string, now, slot time.Time, plan string, next time.Time) error {
	return sqlite.Exec(app, "UPDATE schedules SET outcome = 'running', started = ?, runs = runs + 1, slot = ?, plan = ?, next = ? WHERE name = ?",
		desk.Millis(now), desk.Millis(slot), plan, desk.Millis(next), name)
}

// writeStart begins a run by hand; when the job is due next stays as it is.
func writeStart(app core.App, name string, now time.Time) error {
	return sqlite.Exec(app, `INSERT INTO schedules (name, outcome, started, runs) VALUES (?,'running',?,1)
		ON CONFLICT (name) DO UPDATE SET outcome = 'running', started = excluded.started, runs = runs + 1`, name, desk.Millis(now))
}

func writeFinish(app core.App, name string, now time.Time, took time.Duration, failure error) error {
	outcome, text := ok, ""
	if failure != nil {
		outcome, text = failed, sentence(failure)
	}
	return sqlite.Exec(app, "UPDATE schedules SET outcome = ?, error = ?, finished = ?, ms = ?, cut = 0 WHERE name = ?",
		outcome, text, desk.Millis(now), max(0, took.Milliseconds()), name)
}

func writeInterrupted(app core.App, r row) error {
	return sqlite.Exec(app, "UPDATE schedules SET outcome = ?, error = ?, cut = cut + 1, next = ? WHERE name = ?",
		interrupted, leftText, desk.Millis(r.next), r.name)
}

// leftText is the error of what was running when the process ended.
const leftText = "The desk stopped in the middle of it."

// writePause stores since when and by whom a job is paused; a zero time resumes
// it. It tells whether that changed anything.
func writePause(tx core.App, name string, since time.Time, who string) (bool, error) {
	if since.IsZero() {
		n, err := sqlite.Changed(tx, "UPDATE schedules SET paused = 0, paused_by = '' WHERE name = ? AND paused <> 0", name)
		return n > 0, err
	}
	n, err := sqlite.Changed(tx, `INSERT INTO schedules (name, paused, paused_by) VALUES (?,?,?)
		ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, paused_by = excluded.paused_by WHERE paused = 0`,
		name, desk.Millis(since), who)
	return n > 0, err
}

// insertWork puts work into the queue, or into the row with the same key, and
// returns the id of the row. See Enqueue for what happens to that row.
func insertWork(tx core.App, id string, w Work, payload []byte, now time.Time) (string, error) {
	_, err := sqlite.One(tx, []any{&id}, `INSERT INTO jobs (id, kind, key, payload, state, due, created, updated) VALUES (?,?,?,?,'due',?,?,?)
		ON CONFLICT (kind, key) WHERE key <> '' DO UPDATE SET
			payload = excluded.payload, updated = excluded.updated,
			due = CASE WHEN state = 'running' THEN due
				WHEN state = 'dead' OR ? THEN excluded.due
				WHEN attempts > 0 THEN due
				ELSE min(due, excluded.due) END,
			again = CASE WHEN state <> 'running' THEN 0
				WHEN again <= 0 OR ? THEN excluded.due
				ELSE min(again, excluded.due) END,
			attempts = CASE WHEN state = 'running' THEN attempts WHEN state = 'dead' OR ? THEN 0 ELSE attempts END,
			error = CASE WHEN state = 'dead' THEN '' ELSE error END,
			state = CASE WHEN state = 'dead' THEN 'due' ELSE state END
		RETURNING id`,
		id, w.Kind, w.Key, string(payload), desk.Millis(w.At), desk.Millis(now), desk.Millis(now), w.Move, w.Move, w.Move)
	return id, err
}

func deleteWork(tx core.App, kind, key string) (bool, error) {
	n, err := sqlite.Changed(tx, "DELETE FROM jobs WHERE kind = ? AND key = ? AND state <> 'running'", kind, key)
	return n > 0, err
}

// writeLastAttempt marks running work as not to be repeated.
func writeLastAttempt(tx core.App, kind, key string) error {
	return sqlite.Exec(tx, "UPDATE jobs SET again = -1 WHERE kind = ? AND key = ? AND state = 'running'", kind, key)
}

// claimWork leases the oldest due job of the given kinds, nil if there is none.
func claimWork(tx core.App, instance string, kinds []string, now, until time.Time) (*Attempt, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	a := &Attempt{}
	var payload string
	args := append([]any{instance, desk.Millis(until), desk.Millis(now), desk.Millis(now)}, anys(kinds)...)
	found, err := sqlite.One(tx, []any{&a.ID, &a.Kind, &a.Key, &a.Number, &payload},
		`UPDATE jobs SET state = 'running', lease_by = ?, lease_until = ?, attempts = attempts + 1, again = 0, done = 0, total = 0, updated = ?
		WHERE id = (SELECT id FROM jobs WHERE state = 'due' AND due <= ? AND kind IN (`+sqlite.Marks(len(kinds))+`) ORDER BY due, id LIMIT 1)
		RETURNING id, kind, key, attempts, payload`, args...)
	if err != nil || !found {
		return nil, err
	}
	a.payload = []byte(payload)
	return a, nil
}

// mine is the condition that a row is leased for the attempt a; its arguments
// are those of args.
const mine = " WHERE id = ? AND state = 'running' AND lease_by = ? AND attempts = ?"

func (a *Attempt) args(before ...any) []any { return append(before, a.ID, a.s.instance, a.Number) }

// requeueAgain makes the job due once more if it was asked for during the attempt.
func requeueAgain(tx core.App, a *Attempt, now time.Time) (int64, error) {
	return sqlite.Changed(tx, "UPDATE jobs SET state = 'due', due = again, again = 0, attempts = 0, error = '', lease_by = '', updated = ?"+mine+" AND again > 0",
		a.args(desk.Millis(now))...)
}

func deleteDone(tx core.App, a *Attempt) (int64, error) {
	return sqlite.Changed(tx, "DELETE FROM jobs"+mine, a.args()...)
}

// dropCancelled takes the job out of the queue if it was cancelled during the
// attempt; otherwise it calls write.
func dropCancelled(app core.App, a *Attempt, write func(tx core.App) error) error {
	return app.RunInTransaction(func(tx core.App) error {
		n, err := sqlite.Changed(tx, "DELETE FROM jobs"+mine+" AND again < 0", a.args()...)
		if err != nil || n > 0 {
			return err
		}
		return write(tx)
	})
}

// writeRelease gives the job back as if there had been no attempt.
func writeRelease(app core.App, a *Attempt, now time.Time) error {
	return dropCancelled(app, a, func(tx core.App) error {
		return sqlite.Exec(tx, "UPDATE jobs SET state = 'due', due = ?, again = 0, attempts = attempts - 1, lease_by = '', updated = ?"+mine,
			a.args(desk.Millis(now), desk.Millis(now))...)
	})
}

func writeFailure(app core.App, a *Attempt, text string, due, now time.Time) error {
	return dropCancelled(app, a, func(tx core.App) error {
		return sqlite.Exec(tx, "UPDATE jobs SET state = 'due', due = max(?, again), again = 0, error = ?, lease_by = '', updated = ?"+mine,
			a.args(desk.Millis(due), text, desk.Millis(now))...)
	})
}

func writeDead(app core.App, a *Attempt, text string, now time.Time) error {
	return dropCancelled(app, a, func(tx core.App) error {
		n, err := requeueAgain(tx, a, now)
		if err != nil || n > 0 {
			return err
		}
		return sqlite.Exec(tx, "UPDATE jobs SET state = 'dead', error = ?, lease_by = '', updated = ?"+mine,
			a.args(text, desk.Millis(now))...)
	})
}

func writeProgress(app core.App, a *Attempt, done, total int64) error {
	return sqlite.Exec(app, "UPDATE jobs SET done = ?, total = ?"+mine, a.args(done, total)...)
}

func renew(tx core.App, instance string, ids []string, until time.Time) error {
	args := append([]any{desk.Millis(until), instance}, anys(ids)...)
	return sqlite.Exec(tx, "UPDATE jobs SET lease_until = ? WHERE state = 'running' AND lease_by = ? AND id IN ("+sqlite.Marks(len(ids))+")", args...)
}

// left is a running job whose worker is no more.
type left struct {
	id, kind string
	attempts int
}

// readLeft lists the running jobs that are not among ours and whose lease ended
// before now; a zero now lists them whatever their lease.
func readLeft(tx core.App, ours []string, now time.Time) ([]left, error) {
	query := "SELECT id, kind, attempts FROM jobs WHERE state = 'running'"
	var args []any
	if !now.IsZero() {
		query += " AND lease_until <= ?"
		args = append(args, desk.Millis(now))
	}
	if len(ours) > 0 {
		query += " AND id NOT IN (" + sqlite.Marks(len(ours)) + ")"
		args = append(args, anys(ours)...)
	}
	var all []left
	return all, sqlite.Each(tx, func(r *sql.Rows) error {
		var l left
		err := r.Scan(&l.id, &l.kind, &l.attempts)
		all = append(all, l)
		return err
	}, query, args...)
}

// freeWork makes a left job due, or dead when it had its last attempt.
func freeWork(tx core.App, l left, dead bool, now time.Time) error {
	n, err := sqlite.Changed(tx, "DELETE FROM jobs WHERE id = ? AND again < 0", l.id)
	if err != nil || n > 0 {
		return err
	}
	state := "due"
	if dead {
		state = "dead"
	}
	return sqlite.Exec(tx, `UPDATE jobs SET state = CASE WHEN again > 0 THEN 'due' ELSE ? END, due = max(?, again),
		attempts = CASE WHEN again > 0 THEN 0 ELSE attempts END, again = 0, lease_by = '', error = ?, updated = ? WHERE id = ?`,
		state, desk.Millis(now), leftText, desk.Millis(now), l.id)
}

// bringForward makes due what was put off, or meant for at once, by a clock that
// was ahead of now; appointments stay.
func bringForward(tx core.App, now time.Time) error {
	ms := desk.Millis(now)
	return sqlite.Exec(tx, "UPDATE jobs SET due = ?, updated = ? WHERE state = 'due' AND due > ? AND updated > ? AND (attempts > 0 OR due <= created)",
		ms, ms, ms, ms)
}

// firstDue is when the first job of the given kinds is due, zero for never.
func firstDue(app core.App, kinds []string) (time.Time, error) {
	if len(kinds) == 0 {
		return time.Time{}, nil
	}
	var ms int64
	_, err := sqlite.One(app, []any{&ms}, "SELECT due FROM jobs WHERE state = 'due' AND kind IN ("+sqlite.Marks(len(kinds))+") ORDER BY due, id LIMIT 1", anys(kinds)...)
	return desk.Time(ms), err
}

// firstLeaseEnd is when the first lease ends that is not of ours, zero for never.
func firstLeaseEnd(app core.App, ours []string) (time.Time, error) {
	query := "SELECT lease_until FROM jobs WHERE state = 'running'"
	if len(ours) > 0 {
		query += " AND id NOT IN (" + sqlite.Marks(len(ours)) + ")"
	}
	var ms int64
	_, err := sqlite.One(app, []any{&ms}, query+" ORDER BY lease_until LIMIT 1", anys(ours)...)
	return desk.Time(ms), err
}

// stateRank orders the queue for people: what needs them first.
const stateRank = "CASE state WHEN 'dead' THEN 0 WHEN 'running' THEN 1 ELSE 2 END"

// readQueue lists up to limit jobs after the given place.
func readQueue(app core.App, after place, limit int) ([]Queued, error) {
	var all []Queued
	return all, sqlite.Each(app, func(r *sql.Rows) error {
		var q Queued
		var due int64
		err := r.Scan(&q.at.Rank, &q.ID, &q.Kind, &q.Key, &q.State, &q.Attempts, &due, &q.Error, &q.Done, &q.Total)
		q.Due = desk.Time(due)
		q.at.Due, q.at.ID = due, q.ID
		all = append(all, q)
		return err
	}, "SELECT "+stateRank+", id, kind, key, state, attempts, due, error, done, total FROM jobs WHERE ("+stateRank+", due, id) > (?,?,?) ORDER BY 1, due, id LIMIT ?",
		after.Rank, after.Due, after.ID, limit)
}

// writeRetry makes a waiting or dead job due now and answers its kind; found
// tells whether there is such a job at all.
func writeRetry(tx core.App, id string, now time.Time) (kind string, changed, found bool, err error) {
	found, err = sqlite.One(tx, []any{&kind}, "SELECT kind FROM jobs WHERE id = ?", id)
	if err != nil || !found {
		return kind, false, found, err
	}
	n, err := sqlite.Changed(tx, "UPDATE jobs SET attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END, state = 'due', due = ?, updated = ? WHERE id = ? AND state <> 'running'",
		desk.Millis(now), desk.Millis(now), id)
	return kind, n > 0, true, err
}

// countQueue counts the jobs by state; waiting ones only if they are due at now.
func countQueue(app core.App, now time.Time) (due, busy, dead int, err error) {
	_, err = sqlite.One(app, []any{&due, &busy, &dead},
		`SELECT (SELECT count(*) FROM jobs WHERE state = 'due' AND due <= ?),
			(SELECT count(*) FROM jobs WHERE state = 'running'), (SELECT count(*) FROM jobs WHERE state = 'dead')`, desk.Millis(now))
	return due, busy, dead, err
}

func anys(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
