package schedule

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

const (
	crashDir  = "DESKBELL_TEST_CRASH_DIR" // set: this process is the one that is killed
	crashJobs = 400
	crashes   = 12
)

// TestWorkSurvivesKill kills a process that enqueues and works off jobs again
// and again. Every job that was enqueued is done; the ones that end with Done
// have their effect exactly once.
func TestWorkSurvivesKill(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashingDesk(t, dir)
		return
	}
	dir := t.TempDir()
	kills := 0
	for run := range crashes + 1 { // the last one may live
		cmd := exec.Command(os.Args[0], "-test.run=^TestWorkSurvivesKill$")
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		life := time.Duration(20+run*37%200) * time.Millisecond
		if run == crashes {
			life = time.Minute
		}
		killer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		err = cmd.Wait()
		killer.Stop()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("the desk failed by itself: %v\n%s", err, said.String())
		}
		kills++
	}
	app := openApp(t, dir)
	var enqueued, once, doubled, ever, left int
	_, err := sqlite.One(app, []any{&enqueued, &once, &doubled, &ever, &left}, `SELECT
		(SELECT count(*) FROM sent), (SELECT count(*) FROM effects), (SELECT count(*) - count(DISTINCT n) FROM effects),
		(SELECT count(DISTINCT n) FROM tries), (SELECT count(*) FROM jobs)`)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills", kills)
	if kills < 3 {
		t.Errorf("only %d kills: this proves little", kills)
	}
	if enqueued != crashJobs || once != crashJobs || doubled != 0 || ever != crashJobs || left != 0 {
		t.Errorf("of %d jobs %d were done, %d doubled, %d tried, %d left", enqueued, once, doubled, ever, left)
	}
}

// crashingDesk enqueues what is missing of crashJobs and returns when all is done.
func crashingDesk(t *testing.T, dir string) {
	app := openApp(t, dir)
	clock := desk.SystemClock{}
	for _, table := range []string{"sent (n INTEGER UNIQUE)", "effects (n INTEGER)", "tries (n INTEGER)"} {
		if err := sqlite.Exec(app, "CREATE TABLE IF NOT EXISTS "+table); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("working")
	s := New(app, event.New(app, clock), clock, func() *time.Location { return time.UTC })
	ctx, cancel := context.WithCancel(t.Context())
	s.Handle(Kind{Name: "test.effect", Attempts: 1000, Run: func(_ context.Context, a *Attempt) error {
		var n int
		if err := a.Read(&n); err != nil {
			return err
		}
		if err := sqlite.Exec(app, "INSERT INTO tries (n) VALUES (?)", n); err != nil {
			return err
		}
		return app.RunInTransaction(func(tx core.App) error {
			if err := sqlite.Exec(tx, "INSERT INTO effects (n) VALUES (?)", n); err != nil {
				return err
			}
			return a.Done(tx)
		})
	}})
	go func() {
		defer cancel()
		var from int
		if _, err := sqlite.One(app, []any{&from}, "SELECT count(*) FROM sent"); err != nil {
			t.Error(err)
			return
		}
		for n := from; n < crashJobs; n++ {
			err := app.RunInTransaction(func(tx core.App) error {
				if err := sqlite.Exec(tx, "INSERT INTO sent (n) VALUES (?)", n); err != nil {
					return err
				}
				_, err := s.Enqueue(tx, Work{Kind: "test.effect", Payload: n})
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Millisecond)
		}
		for left := 1; left > 0; time.Sleep(10 * time.Millisecond) {
			if _, err := sqlite.One(app, []any{&left}, "SELECT count(*) FROM jobs"); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
}
