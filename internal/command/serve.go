package command

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/spf13/cobra"
)

// clockEnv starts the test clock; only with serve --test-clock.
const clockEnv = "DESKBELL_TEST_CLOCK"

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Serve the desk", Args: cobra.NoArgs,
		Long: "Serve the desk until SIGTERM. Prints “Deskbell is ready on URL” once it accepts requests.",
	}
	serveFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return serve(c, dirOf(c)) }
	return c
}

func serveFlags(c *cobra.Command) {
	c.Flags().String("http", "127.0.0.1:8090", "address to serve on")
	c.Flags().String("smtp", "", "address of the built-in SMTP listener, off unless given")
	c.Flags().String("tls-cert", "", "PEM file of a certificate: the SMTP listener then offers STARTTLS")
	c.Flags().String("tls-key", "", "PEM file of the certificate's key")
	c.Flags().StringArray("allow-net", nil, "private host, address or CIDR that guarded connections may reach (repeatable)")
	c.Flags().Bool("test-clock", false, "run on a clock that can be moved, from "+clockEnv)
}

func serve(c *cobra.Command, dir string) error { return serveWith(c, dir, nil) }

// heapGoal is what the heap is kept to while there is a way: mails made to be
// expensive leave much garbage behind in a moment. It is no limit; GOMEMLIMIT
// in the environment wins.
const heapGoal = 280 << 20

// serveWith does something to the opened desk before it is served; prepare may
// be nil.
func serveWith(c *cobra.Command, dir string, prepare func(*boot.Desk) error) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapGoal)
	}
	o := boot.Options{Dir: dir, Version: Version}
	o.SMTPAddr, _ = c.Flags().GetString("smtp")
	o.TLSCert, _ = c.Flags().GetString("tls-cert")
	o.TLSKey, _ = c.Flags().GetString("tls-key")
	o.AllowNet, _ = c.Flags().GetStringArray("allow-net")
	if test, _ := c.Flags().GetBool("test-clock"); test {
		clock, err := testClock()
		if err != nil {
			return err
		}
		o.Clock = clock
	}
	d, err := boot.Open(o)
	if err != nil {
		return err
	}
	defer d.Close()
	if prepare != nil {
		if err := prepare(d); err != nil {
			return err
		}
	}
	addr, _ := c.Flags().GetString("http")
	return d.Serve(c.Context(), boot.ServeOptions{HTTPAddr: addr, Out: c.OutOrStdout()})
}

func testClock() (desk.Clock, error) {
	start := os.Getenv(clockEnv)
	if start == "" {
		return desk.NewTestClock(time.Now()), nil
	}
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return nil, fmt.Errorf("%s must be a time such as 2027-01-31T09:00:00Z, not %q", clockEnv, start)
	}
	return desk.NewTestClock(at), nil
}
