package command

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/deskbell/deskbell/internal/boot"
	"github.com/deskbell/deskbell/internal/certificate"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/spf13/cobra"
)

// clockEnv starts the test clock; only with serve --test-clock.
const clockEnv = "DESKBELL_TEST_CLOCK"

const serveHelp = `Serve the desk until SIGTERM. Prints “Deskbell is ready on URL” once it accepts
requests.

With one or more domains, the first being the desk's own name, Deskbell serves
them by HTTPS: it gets a certificate for each from Let's Encrypt, whose terms
you accept by this, and renews it by itself. For that each domain has to point
at this machine, with ports 80 and 443 reachable from outside. HTTP on port 80
answers the certificate authority and sends everybody else on to HTTPS. The
built-in SMTP listener uses the same certificate. A certificate that can't be
had is said in one sentence and tried again; the desk stays up meanwhile.

Behind a router or load balancer that forwards ports 80 and 443 to other ones,
name those with --http and --https.`

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "serve [DOMAIN...]", Short: "Serve the desk, with domains by HTTPS", Long: serveHelp,
		Example: "  deskbell serve\n  deskbell serve help.example.com --smtp :25",
		Args: func(_ *cobra.Command, args []string) error {
			_, err := domains(args)
			return err
		},
	}
	serveFlags(c)
	c.Flags().String("https", ":443", "address to serve domains on by HTTPS")
	c.Flags().String("acme-directory", "", "directory URL of another certificate authority than Let's Encrypt")
	c.Flags().String("acme-roots", "", "PEM file of who signed that authority's own certificate")
	c.RunE = func(c *cobra.Command, _ []string) error { return serve(c, dirOf(c)) }
	return c
}

// domains reads the domains to serve, each once.
func domains(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		d, err := certificate.Domain(a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out, nil
}

func serveFlags(c *cobra.Command) {
	c.Flags().String("http", "127.0.0.1:8090", "address to serve on; with a domain :80 unless given")
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

// overHTTPS reads what serving by HTTPS needs, and refuses flags that don't go
// together.
func overHTTPS(c *cobra.Command, o *boot.Options, s *boot.ServeOptions) error {
	if c.Name() != "serve" {
		return nil
	}
	var err error
	if o.Domains, err = domains(c.Flags().Args()); err != nil {
		return err
	}
	o.ACMEDirectory, _ = c.Flags().GetString("acme-directory")
	o.ACMERoots, _ = c.Flags().GetString("acme-roots")
	if len(o.Domains) == 0 {
		for _, name := range []string{"https", "acme-directory", "acme-roots"} {
			if c.Flags().Changed(name) {
				return usageError{fmt.Errorf("--%s needs a domain: deskbell serve help.example.com", name)}
			}
		}
		return nil
	}
	if o.TLSCert != "" || o.TLSKey != "" {
		return usageError{errors.New("a domain gets its certificates by itself: leave out --tls-cert and --tls-key, or leave out the domain")}
	}
	s.HTTPSAddr, _ = c.Flags().GetString("https")
	if !c.Flags().Changed("http") {
		s.HTTPAddr = ""
	}
	return nil
}

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
	so := boot.ServeOptions{Out: c.OutOrStdout()}
	so.HTTPAddr, _ = c.Flags().GetString("http")
	if err := overHTTPS(c, &o, &so); err != nil {
		return err
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
	return d.Serve(c.Context(), so)
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
