package boot_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/sqlite"
)

func seeded(t *testing.T, dir string, in boot.SeedInput, until int) boot.SeedOutput {
	t.Helper()
	d, err := boot.Open(boot.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for {
		out, err := d.Seed(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if out.Done >= until {
			return out
		}
	}
}

// tickets lists what the same seed has to repeat.
func tickets(t *testing.T, dir string) (all []string) {
	t.Helper()
	d, err := boot.Open(boot.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = sqlite.Each(d.App, func(r *sql.Rows) error {
		var subject, status, preview, agent string
		var messages int
		err := r.Scan(&subject, &status, &preview, &agent, &messages)
		all = append(all, fmt.Sprintln(subject, status, preview, agent, messages))
		return err
	}, `SELECT t.subject, t.status, t.preview, coalesce(a.email, ''), (SELECT count(*) FROM messages m WHERE m.ticket = t.id)
		FROM tickets t LEFT JOIN agents a ON a.id = t.assignee ORDER BY t.number`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSeedGoesOnWhereItStoppedAndRepeatsItself(t *testing.T) {
	t.Parallel()
	in := boot.SeedInput{Tickets: 1300, Messages: 2, Agents: 3, Seed: 5, Password: "a long enough one"}
	whole, parts := t.TempDir()+"/whole", t.TempDir()+"/parts"
	out := seeded(t, whole, in, 1300)
	if out.Done != 1300 {
		t.Fatalf("%d tickets", out.Done)
	}
	seeded(t, parts, in, 1000) // stopped here
	if n := len(tickets(t, parts)); n != 1000 {
		t.Fatalf("stopped with %d tickets", n)
	}
	out = seeded(t, parts, in, 1300)
	if len(out.Agents) != 0 || out.Owner != "" {
		t.Errorf("made people again: %+v", out)
	}
	a, b := tickets(t, whole), tickets(t, parts)
	if len(b) != 1300 || !slices.Equal(a, b) {
		t.Errorf("%d and %d tickets, or they differ", len(a), len(b))
	}
}

func TestSeedRefusesNothingToDo(t *testing.T) {
	t.Parallel()
	d, err := boot.Open(boot.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Seed(t.Context(), boot.SeedInput{}); err == nil {
		t.Error("made no tickets without a word")
	}
}
