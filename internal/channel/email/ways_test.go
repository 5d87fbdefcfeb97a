package email

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

func TestWaysBeginWithWhatWorksAtOnce(t *testing.T) {
	ids := func(w shownWays) string {
		var out []string
		for _, i := range w.Items {
			word := i.ID
			if i.Ready {
				word += "!"
			}
			for _, m := range i.Missing {
				word += " " + m.Code
			}
			out = append(out, word)
		}
		return strings.Join(out, ", ")
	}
	const rest = "oauth2 oauth_client, relay account"
	for _, c := range []struct {
		listen string
		names  []string
		want   string
	}{
		{"", nil, "app_password!, forward no_name listener_off, " + rest},
		{"", []string{"help.desk.test"}, "app_password!, forward listener_off, " + rest},
		{"127.0.0.1:0", []string{"help.desk.test"}, "app_password!, forward listener_port, " + rest},
		{"0.0.0.0:0", []string{"help.desk.test"}, "app_password!, forward listener_port, " + rest},
	} {
		k := newKit(t, func(o *Options) { o.SMTPAddr, o.Names = c.listen, c.names })
		if err := k.service.Listen(); err != nil {
			t.Fatal(err)
		}
		w := k.service.ways("https://help.desk.test/callback")
		if got := ids(w); got != c.want {
			t.Errorf("%q %v:\ngot  %s\nwant %s", c.listen, c.names, got, c.want)
		}
		if (w.Listener != nil) != (c.listen != "") || (w.Name != nil) != (c.names != nil) {
			t.Errorf("got %v, %v", w.Listener, w.Name)
		}
		text, err := json.Marshal(w)
		if err != nil || strings.Contains(string(text), ":null,\"carriers") || strings.Contains(string(text), `"missing":null`) || strings.Contains(string(text), `"domains":null`) {
			t.Errorf("a list is null: %s %v", text, err)
		}
		if k.service.listener != nil {
			k.service.listener.door.Close()
		}
	}
	k := newKit(t, func(o *Options) { o.Names = []string{"help.desk.test"} })
	k.service.listener = &listener{door: newDoor(onPort25{})}
	if got := ids(k.service.ways("https://help.desk.test/callback")); got != "forward!, app_password!, "+rest {
		t.Errorf("with a listener on port 25: %s", got)
	}
	k.service.listener = nil
	if got := ids(k.service.ways("http://10.0.0.5:8090/callback")); !strings.Contains(got, "oauth2 redirect oauth_client") {
		t.Errorf("at an address that no provider sends back to: %s", got)
	}
}

// onPort25 is a listener that says it listens where mail comes in.
type onPort25 struct{ net.Listener }

func (onPort25) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv6unspecified, Port: 25} }

func TestPresets(t *testing.T) {
	w := newKit(t).service.ways("")
	if len(w.Carriers) != 5 || len(w.Relays) != 5 {
		t.Fatalf("%d carriers and %d relays", len(w.Carriers), len(w.Relays))
	}
	for _, p := range append(w.Carriers, w.Relays...) {
		if p.SMTP == nil || p.User == "" {
			t.Errorf("%s is not complete", p.ID)
		}
	}
	if g := w.Carriers[0]; g.ID != "gmail" || g.Reporter != "mx.google.com" || g.IMAP.Host != "imap.gmail.com" || g.Link == "" {
		t.Errorf("got %+v", g)
	}
}

func TestPorts(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	silent := context.DeadlineExceeded
	missing := &net.DNSError{Err: "no such host", IsNotFound: true}
	for _, c := range []struct {
		name  string
		ports map[string]error
		says  string
		want  string
	}{
		{"all", nil, "use port 465 with TLS", "open open open"},
		{"STARTTLS", map[string]error{"465": refused}, "use port 587 with STARTTLS", "refused open open"},
		{"the old port alone", map[string]error{"465": refused, "587": silent}, "on port 25 alone", "refused silent open"},
		{"the old port closed here", map[string]error{"465": refused, "587": refused, "25": silent}, "Port 25 is closed here", "refused refused silent"},
		{"all closed here", map[string]error{"465": silent, "587": silent, "25": silent}, "closed here", "silent silent silent"},
		{"no such host", map[string]error{"465": missing, "587": missing, "25": missing}, "There is no host mail.desk.test", "failed failed failed"},
		{"no mail server", map[string]error{"465": refused, "587": refused, "25": refused}, "none of the ports", "refused refused refused"},
	} {
		k := newKit(t)
		k.service.dialer.dial = func(_ context.Context, _, addr string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(addr)
			if err := c.ports[port]; err != nil || host != "mail.desk.test" {
				return nil, err
			}
			a, _ := net.Pipe()
			return a, nil
		}
		got, err := k.service.tryPorts(t.Context(), portsInput{Host: " Mail.desk.test. "})
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		for _, p := range got.Items {
			states = append(states, p.State)
		}
		if !strings.Contains(got.Text, c.says) || strings.Join(states, " ") != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestPortsAreTriedWithinSecondsAndNotEverywhere(t *testing.T) {
	k := newKit(t)
	for host, code := range map[string]desk.Code{"": desk.Invalid, "https://x.test": desk.Invalid, "169.254.169.254": desk.Refused} {
		if _, err := k.service.tryPorts(t.Context(), portsInput{Host: host}); desk.CodeOf(err) != code {
			t.Errorf("%q: %v", host, err)
		}
	}
	k.service.dialer.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > 6*time.Second {
			t.Error("a port is waited for without end")
		}
		return nil, context.DeadlineExceeded
	}
	if _, err := k.service.tryPorts(t.Context(), portsInput{Host: "x.test"}); err != nil {
		t.Error(err)
	}
}
