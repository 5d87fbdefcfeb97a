package boot

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"sync"
)

// announcer prints what the person at the terminal waits for. The desk is ready
// once it accepts requests and, with a domain, has its certificate.
type announcer struct {
	mu        sync.Mutex
	out       io.Writer
	ready     func(out io.Writer) // prints; nil until requests are accepted, and once it has printed
	certified bool
}

// begin says where to print, and whether the first certificate is there or
// needless.
func (a *announcer) begin(out io.Writer, certified bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out, a.certified = out, certified
}

// accepts notes that requests are accepted from now on.
func (a *announcer) accepts(ready func(out io.Writer)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = ready
	a.print()
}

// gotCertificate notes that the desk's own name has a certificate.
func (a *announcer) gotCertificate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.certified = true
	a.print()
}

func (a *announcer) print() {
	if a.certified && a.ready != nil {
		a.ready(a.out)
		a.ready = nil
	}
}

// say prints a line.
func (a *announcer) say(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.out != nil {
		fmt.Fprintf(a.out, format, args...)
	}
}

// quiet takes the complaints of a server about its clients, which strangers cause.
func quiet(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
