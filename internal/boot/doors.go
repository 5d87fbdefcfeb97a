package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/apis"
)

// hsts has browsers come by HTTPS alone from the first visit on, for a year.
const hsts = "max-age=31536000"

// doors are the sockets on which the desk is reached.
type doors struct {
	web   net.Listener // the pages, by HTTPS with a domain
	plain net.Listener // HTTP beside HTTPS: the authority's questions, and the way to HTTPS; nil without a domain
	local net.Listener // for commands on this machine, which need no certificate; nil without a domain
	url   string       // how people reach the pages
}

// open binds the sockets, so that a taken port is told before anything runs.
func (d *Desk) openDoors(o ServeOptions) (*doors, error) {
	if d.Certificates == nil {
		web, err := listen(o.HTTPAddr, "--http")
		if err != nil {
			return nil, err
		}
		return &doors{web: web, url: "http://" + shownHost(web.Addr().String())}, nil
	}
	in := &doors{url: "https://" + d.name()}
	for _, s := range []struct {
		to         *net.Listener
		addr, flag string
	}{{&in.web, or(o.HTTPSAddr, ":443"), "--https"}, {&in.plain, or(o.HTTPAddr, ":80"), "--http"}, {&in.local, "127.0.0.1:0", "loopback"}} {
		l, err := listen(s.addr, s.flag)
		if err != nil {
			in.close()
			return nil, err
		}
		*s.to = l
	}
	return in, nil
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("can't listen on %s (%s): ports below 1024 need a right; give it with setcap cap_net_bind_service=+ep on the executable, or in systemd by AmbientCapabilities=CAP_NET_BIND_SERVICE", addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s (%s): %w", addr, flag, err)
	}
	return l, nil
}

func (in *doors) close() {
	for _, l := range []net.Listener{in.web, in.plain, in.local} {
		if l != nil {
			l.Close()
		}
	}
}

// control is the URL at which commands on this machine reach the desk.
func (in *doors) control() string {
	if in.local == nil {
		return in.url
	}
	return "http://" + in.local.Addr().String()
}

// config is what PocketBase has to know of the sockets.
func (d *Desk) config(in *doors) apis.ServeConfig {
	if d.Certificates == nil {
		return apis.ServeConfig{HttpAddr: in.web.Addr().String(), AllowedOrigins: []string{in.url}}
	}
	config := apis.ServeConfig{HttpsAddr: in.web.Addr().String()}
	for _, domain := range d.Domains {
		config.AllowedOrigins = append(config.AllowedOrigins, "https://"+domain)
	}
	return config
}

// beside serves what goes beside the pages, until stop is called.
func (d *Desk) beside(in *doors) (stop func()) {
	if in.plain == nil {
		return func() {}
	}
	var wg sync.WaitGroup
	var servers []*http.Server
	for l, h := range map[net.Listener]http.Handler{in.plain: d.Certificates.Handler(http.HandlerFunc(d.toHTTPS)), in.local: &d.commands} {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 5 * time.Minute, ErrorLog: quiet(d.App.Logger())}
		servers = append(servers, server)
		wg.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				d.App.Logger().Error("a socket is not served any more", "address", l.Addr().String(), "error", err)
			}
		})
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for _, s := range servers {
			if s.Shutdown(ctx) != nil {
				_ = s.Close()
			}
		}
		wg.Wait()
	}
}

// toHTTPS sends whoever comes by HTTP on to HTTPS. What was sent in the clear
// already, such as a form, is not taken.
func (d *Desk) toHTTPS(w http.ResponseWriter, r *http.Request) {
	host := d.ownHost(r.Host)
	for _, s := range d.Certificates.States() {
		if s.Domain == host && s.Until.IsZero() {
			w.Header().Set("Retry-After", "60")
			http.Error(w, host+" has no certificate yet, so Deskbell can't be reached by HTTPS. If this lasts, its log says why.", http.StatusServiceUnavailable)
			return
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "Use https://"+host+".", http.StatusForbidden)
		return
	}
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusMovedPermanently)
}

// ownHost is a host that somebody asked for, if it is one of the desk's domains,
// else the desk's own name.
func (d *Desk) ownHost(asked string) string {
	host, _, err := net.SplitHostPort(asked)
	if err != nil {
		host = asked
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); slices.Contains(d.Domains, host) {
		return host
	}
	return d.name()
}

// strict tells browsers to come by HTTPS alone.
func strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", hsts)
		h.ServeHTTP(w, r)
	})
}

// commands serves what commands on this machine ask, as soon as the routes are
// there, and nothing else.
type commands struct{ routes atomic.Pointer[http.Handler] }

// ServeHTTP implements http.Handler.
func (c *commands) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	routes := c.routes.Load()
	if routes == nil || !strings.HasPrefix(r.URL.Path, "/api/control/") {
		http.Error(w, "Only commands on this machine are answered here.", http.StatusNotFound)
		return
	}
	(*routes).ServeHTTP(w, r)
}
