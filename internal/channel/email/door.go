package email

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxGuests      = 200     // connections at once
	maxGuestsPerIP = 50      // at once from one address
	commandQuota   = 1 << 20 // bytes of commands between two mails
	restQuota      = 1 << 28 // bytes that follow in a mail that is too large
)

// door is the listening socket of the built-in SMTP server. It bounds how many
// connections there are and closes them in order when the desk stops.
type door struct {
	net.Listener

	mu     sync.Mutex
	guests map[*guest]struct{}
	perIP  map[string]int
	closed bool
}

func newDoor(l net.Listener) *door {
	return &door{Listener: l, guests: map[*guest]struct{}{}, perIP: map[string]int{}}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g := d.admit(c); g != nil {
			return g, nil
		}
		timer := time.AfterFunc(time.Second, func() { _ = c.Close() }) // nobody holds up the door by not reading
		_, _ = io.WriteString(c, "421 4.7.0 Too many connections, try again later\r\n")
		timer.Stop()
		_ = c.Close()
	}
}

func (d *door) admit(c net.Conn) *guest {
	ip, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.guests) >= maxGuests || d.perIP[ip] >= maxGuestsPerIP {
		return nil
	}
	g := &guest{Conn: c, door: d, ip: ip}
	g.quota.Store(commandQuota)
	d.guests[g] = struct{}{}
	d.perIP[ip]++
	return g
}

func (d *door) dismiss(g *guest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.guests[g]; !ok {
		return
	}
	delete(d.guests, g)
	if d.perIP[g.ip]--; d.perIP[g.ip] == 0 {
		delete(d.perIP, g.ip)
	}
}

// close admits nobody any more and closes the connections that bring no mail
// right now; with all, every one.
func (d *door) close(all bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for g := range d.guests {
		g.leaving.Store(true)
		if all || !g.busy.Load() {
			_ = g.Conn.Close()
		}
	}
}

// guest is one connection. Between two mails it may send commands of a bounded
// size, so that an endless line fills no memory.
type guest struct {
	net.Conn
	door    *door
	ip      string
	quota   atomic.Int64 // bytes of commands left
	busy    atomic.Bool  // a mail is on its way in
	leaving atomic.Bool  // the desk stops: nothing is read after this mail
}

var errQuota = errors.New("too many commands without a mail")

// Read implements net.Conn.
func (g *guest) Read(p []byte) (int, error) {
	if g.busy.Load() {
		return g.Conn.Read(p)
	}
	if g.leaving.Load() {
		return 0, io.EOF
	}
	if g.quota.Load() <= 0 {
		return 0, errQuota
	}
	n, err := g.Conn.Read(p)
	if !g.busy.Load() {
		g.quota.Add(-int64(n))
	}
	return n, err
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.door.dismiss(g)
	return g.Conn.Close()
}

// bringing marks the beginning and the end of a mail.
func (g *guest) bringing(mail bool) {
	g.busy.Store(mail)
	if !mail {
		g.quota.Store(commandQuota)
	}
}
