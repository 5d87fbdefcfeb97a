package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/deskbell/deskbell/internal/ops"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/workspace"
	"github.com/deskbell/deskbell/ui"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// stopWithin bounds how long a stop waits for what runs.
const stopWithin = 8 * time.Second

// ServeOptions are what serving needs besides.
type ServeOptions struct {
	HTTPAddr  string    // host:port, port 0 for any free one; with a domain "" = :80
	HTTPSAddr string    // with a domain only; "" = :443
	Out       io.Writer // where the ready line and the set-up link go
}

// part is something that runs while the desk does.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// parts lists what runs, in the order of starting; stopping goes backwards, so
// that whoever takes work in stops before who does it.
func (d *Desk) parts() []part {
	all := []part{
		{"ledger", d.Ledger.Run},
		{"outbox", d.Outbox.Run},
		{"reply watch", d.Replies.Watch},
		{"acknowledgements", d.Replies.Acknowledge},
		{"notices", d.Notices.Tell},
		{"answers by mail", d.Notices.Enter},
		{"intake", d.Intake.Run},
		{"schedule", d.Schedule.Run},
		{"news", d.News.Run},
		{"access", d.Access.Run},
		{"hand-back", func(ctx context.Context) error { return d.Tickets.HandBack(ctx, d.App) }},
		{"sandbox", d.Sandbox.Run},
		{"mail", d.Mail.Run},
	}
	if d.Certificates != nil {
		all = append(all, part{"certificates", d.Certificates.Run})
	}
	return all
}

// Serve runs the desk until ctx ends, then finishes what runs and returns.
func (d *Desk) Serve(ctx context.Context, o ServeOptions) error {
	in, err := d.openDoors(o)
	if err != nil {
		return err
	}
	if err := d.Mail.Listen(); err != nil {
		in.close()
		return err
	}
	d.announcer.begin(o.Out, d.Certificates == nil || d.Certificates.Ready())
	d.url = in.url
	stop := d.start()
	stopBeside := d.beside(in)
	d.bindServe(in)
	ended := make(chan error, 1)
	go func() { ended <- apis.Serve(d.App, d.config(in)) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		d.stopHTTP()
		err = <-ended
	}
	stopBeside()
	stop()
	d.terminate()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// start starts every part and returns what stops them in reverse.
func (d *Desk) start() (stop func()) {
	type running struct {
		cancel context.CancelFunc
		done   chan struct{}
		name   string
	}
	var all []running
	for _, p := range d.parts() {
		ctx, cancel := context.WithCancel(context.Background())
		r := running{cancel, make(chan struct{}), p.name}
		go func() {
			defer close(r.done)
			d.keep(ctx, p)
		}()
		all = append(all, r)
	}
	return func() {
		deadline := time.After(stopWithin)
		for i := len(all) - 1; i >= 0; i-- {
			all[i].cancel()
			select {
			case <-all[i].done:
			case <-deadline:
				d.App.Logger().Error("a part did not stop in time", "part", all[i].name)
				for _, r := range all[:i] {
					r.cancel()
				}
				time.Sleep(time.Second)
				return
			}
		}
	}
}

// keep runs a part and starts it again when it fails or panics.
func (d *Desk) keep(ctx context.Context, p part) {
	for ctx.Err() == nil {
		err := func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = fmt.Errorf("panic: %v", r)
				}
			}()
			return p.run(ctx)
		}()
		if ctx.Err() != nil {
			return
		}
		d.App.Logger().Error("a part ended and is started again", "part", p.name, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// bindServe prepares PocketBase's server: our routes, our pages, our listener.
func (d *Desk) bindServe(in *doors) {
	var once sync.Once
	d.App.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // PocketBase's own set-up link would be a second, stronger one
		e.Listener = in.web
		e.Server.ReadHeaderTimeout = 10 * time.Second
		d.server = e.Server
		d.guardRoutes(e)
		d.Routes.Bind(e, d.Access)
		workspace.NewApp(ui.Dist()).Bind(e)
		if err := e.Next(); err != nil {
			return err
		}
		if d.Certificates != nil {
			routes := e.Server.Handler
			d.commands.routes.Store(&routes)
			e.Server.TLSConfig, e.Server.Handler = d.Certificates.Config(), strict(routes)
		}
		once.Do(func() { d.accepts(in) })
		return nil
	})
}

// accepts publishes how to reach the desk and prints it.
func (d *Desk) accepts(in *doors) {
	if err := d.folder.Publish(ops.Control{URL: in.control(), Token: d.controlToken, Version: d.Version, Started: d.Wall.Now()}); err != nil {
		d.App.Logger().Error("the control file could not be written", "error", err)
	}
	d.announcer.accepts(func(out io.Writer) { d.ready(in.url, out) })
}

// ready prints how to reach the desk.
func (d *Desk) ready(url string, out io.Writer) {
	fmt.Fprintf(out, "Deskbell is ready on %s\n", url)
	if addr := d.Mail.SMTPAddr(); addr != "" {
		fmt.Fprintf(out, "Mail is taken on %s\n", addr)
	}
	done, err := setup.Done(d.App)
	if err == nil && !done {
		fmt.Fprintf(out, "Set up your desk (this link works once): %s/setup?token=%s\n", url, d.Setup.Link())
	}
}

// stopHTTP lets the server finish what it answers; event streams, which never
// end by themselves, are cut.
func (d *Desk) stopHTTP() {
	if d.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := d.server.Shutdown(ctx); err != nil {
		_ = d.server.Close()
	}
}

// terminate ends what PocketBase runs by itself, its log among it: last, so
// that what the parts logged while stopping is kept.
func (d *Desk) terminate() {
	event := &core.TerminateEvent{App: d.App}
	if err := d.App.OnTerminate().Trigger(event, func(*core.TerminateEvent) error { return nil }); err != nil {
		slog.Error("PocketBase did not stop cleanly", "error", err)
	}
}

// shownHost is an address as one types it into a browser.
func shownHost(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
