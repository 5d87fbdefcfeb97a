package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// How long the network may take. A limit is about silence: it ends a
// connection on which no byte moved for so long.
const (
	connectTimeout   = 30 * time.Second
	greetingTimeout  = time.Minute
	commandTimeout   = time.Minute
	transferTimeout  = 3 * time.Minute  // between two pieces of a mail, RFC 5321 4.5.3.2.5
	finalDotTimeout  = 10 * time.Minute // for the answer to a whole mail, RFC 5321 4.5.3.2.6
	lastWordsTimeout = 5 * time.Second  // for an answer when the desk is about to stop
)

// dialer connects to mail servers.
type dialer struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	roots *x509.CertPool // nil for the system's
}

// connect opens a connection; with SecurityTLS the handshake is done. The
// connection is closed when ctx ends, until release is called.
func (d dialer) connect(ctx context.Context, s Server) (w *wire, c net.Conn, release func(), err error) {
	dialCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := d.dial(dialCtx, "tcp", s.Addr())
	if err != nil {
		return nil, nil, nil, err
	}
	w = &wire{Conn: raw}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	release = func() { stop() }
	if s.Security != SecurityTLS {
		return w, w, release, nil
	}
	secure := tls.Client(w, d.tlsConfig(s))
	if err := secure.HandshakeContext(dialCtx); err != nil {
		release()
		_ = raw.Close()
		return nil, nil, nil, &tlsError{err}
	}
	return w, secure, release, nil
}

func (d dialer) tlsConfig(s Server) *tls.Config {
	return &tls.Config{
		ServerName: s.Host,
		RootCAs:    d.roots,
		// Opportunistic TLS keeps out listeners only; see SecurityOpportunistic.
		InsecureSkipVerify: s.Security == SecurityOpportunistic,
		MinVersion:         tls.VersionTLS12,
	}
}

// tlsError is a failed handshake.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return "TLS: " + e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// wire is a connection that notices silence.
type wire struct {
	net.Conn
	moved   atomic.Int64 // bytes in either direction
	stalled atomic.Bool  // closed because of silence
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.moved.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.moved.Add(int64(n))
	return n, err
}

// limit closes the connection once no byte moved for d, until release is called.
func (w *wire) limit(d time.Duration) (release func()) {
	var mu sync.Mutex
	var timer *time.Timer
	done := false
	seen := w.moved.Load()
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(d, func() {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return
		}
		if now := w.moved.Load(); now != seen {
			seen = now
			timer.Reset(d)
			return
		}
		w.stalled.Store(true)
		_ = w.Close()
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done = true
		timer.Stop()
	}
}
