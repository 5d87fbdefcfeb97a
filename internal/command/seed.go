package command

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/ops"
	"github.com/spf13/cobra"
)

// progressEvery is the pause between two lines of progress.
const progressEvery = 5 * time.Second

func seedCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "seed", Short: "Fill the desk with synthetic tickets; an interrupted run goes on with the same command", Args: cobra.NoArgs,
	}
	c.Flags().Int("tickets", 0, "how many tickets")
	c.Flags().Int("messages-per-ticket", 3, "messages in each ticket")
	c.Flags().Int("agents", 0, "agents to add, over five teams")
	c.Flags().Uint64("seed", 1, "the same number makes the same data")
	c.RunE = seed
	return c
}

func seed(c *cobra.Command, _ []string) error {
	if err := need(c, "tickets"); err != nil {
		return err
	}
	var in boot.SeedInput
	in.Tickets, _ = c.Flags().GetInt("tickets")
	in.Messages, _ = c.Flags().GetInt("messages-per-ticket")
	in.Agents, _ = c.Flags().GetInt("agents")
	in.Seed, _ = c.Flags().GetUint64("seed")
	if in.Tickets < 1 || in.Messages < 1 || in.Agents < 0 {
		return usageError{fmt.Errorf("--tickets and --messages-per-ticket must be at least 1, --agents at least 0")}
	}
	in.Password = rand.Text()[:16]
	step, done, err := seeder(c, in)
	if err != nil {
		return err
	}
	defer done()
	return seedAll(c, in, step)
}

// seeder returns what makes the next part: the running desk, or this process
// with the folder to itself until done is called.
func seeder(c *cobra.Command, in boot.SeedInput) (step func() (boot.SeedOutput, error), done func(), err error) {
	dir := dirOf(c)
	running, err := ops.Running(dir)
	if err != nil {
		return nil, nil, err
	}
	if running != nil {
		return func() (out boot.SeedOutput, err error) {
			if err = c.Context().Err(); err == nil {
				err = askRunning(running, "seed", in, &out)
			}
			return out, err
		}, func() {}, nil
	}
	d, err := boot.Open(boot.Options{Dir: dir, Version: Version})
	if err != nil {
		return nil, nil, err
	}
	return func() (boot.SeedOutput, error) { return d.Seed(c.Context(), in) }, func() { d.Close() }, nil
}

func seedAll(c *cobra.Command, in boot.SeedInput, step func() (boot.SeedOutput, error)) error {
	out, err := step()
	if err != nil {
		return err
	}
	first, began, told := out.Done, time.Now(), time.Now()
	w := c.OutOrStdout()
	welcome(w, in, out)
	for out.Done < in.Tickets {
		if out, err = step(); err != nil {
			if c.Context().Err() != nil {
				return fmt.Errorf("stopped after %d of %d tickets; the same command goes on from there", out.Done, in.Tickets)
			}
			return err
		}
		if time.Since(told) >= progressEvery {
			told = time.Now()
			fmt.Fprintf(w, "%d of %d tickets, %.0f a second\n", out.Done, in.Tickets, float64(out.Done-first)/time.Since(began).Seconds())
		}
	}
	fmt.Fprintf(w, "%d tickets are there.\n", out.Done)
	return nil
}

func welcome(w io.Writer, in boot.SeedInput, out boot.SeedOutput) {
	if out.Owner != "" {
		fmt.Fprintf(w, "The desk was set up. Sign in as %s with the password %s\n", out.Owner, boot.DemoPassword)
	}
	if n := len(out.Agents); n > 0 {
		fmt.Fprintf(w, "%d agents were added, %s to %s, with the password %s\n", n, out.Agents[0], out.Agents[n-1], in.Password)
	}
}
