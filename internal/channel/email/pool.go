package email

import (
	"context"
	"sync"
	"time"
)

const (
	maxIdle     = 4                // connections kept per mailbox
	maxPerConn  = 100              // mails over one connection; some servers hang up at more
	idleTimeout = 10 * time.Second // servers dislike idle clients
)

// pool keeps connections of a mailbox for its next mail.
type pool struct {
	dialer    dialer
	recovered func(doing string) // deferred by every goroutine

	mu     sync.Mutex
	idle   map[string][]*idleConn
	closed bool
	wg     sync.WaitGroup // goroutines that take leave
}

type idleConn struct {
	*smtpConn
	timer *time.Timer
}

// take returns a connection that is ready for a mail.
func (p *pool) take(ctx context.Context, mailbox string, s Server, hello string) (*smtpConn, error) {
	for {
		c := p.pop(mailbox)
		if c == nil {
			return p.dialer.openSMTP(ctx, s, hello)
		}
		if c.server == s && c.fresh(ctx) == nil {
			return c, nil
		}
		_ = c.wire.Close()
	}
}

func (p *pool) pop(mailbox string) *smtpConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[mailbox]
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1]
	p.idle[mailbox] = list[:len(list)-1]
	last.timer.Stop()
	return last.smtpConn
}

// give keeps a connection for the next mail, or takes leave of it.
func (p *pool) give(mailbox string, c *smtpConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed { // the desk stops and waits for nobody
		_ = c.wire.Close()
		return
	}
	if c.mails >= maxPerConn || len(p.idle[mailbox]) >= maxIdle {
		p.leave(c)
		return
	}
	kept := &idleConn{smtpConn: c}
	kept.timer = time.AfterFunc(idleTimeout, func() { p.expire(mailbox, kept) })
	if p.idle == nil {
		p.idle = map[string][]*idleConn{}
	}
	p.idle[mailbox] = append(p.idle[mailbox], kept)
}

func (p *pool) expire(mailbox string, old *idleConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.idle[mailbox] {
		if c == old {
			p.idle[mailbox] = append(p.idle[mailbox][:i:i], p.idle[mailbox][i+1:]...)
			p.leave(c.smtpConn)
			return
		}
	}
}

// leave says goodbye in the background; p.mu is held.
func (p *pool) leave(c *smtpConn) {
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		defer p.recovered("leave SMTP server")
		c.quit()
	}()
}

// close takes leave of every connection and waits for it.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, list := range p.idle {
		for _, c := range list {
			c.timer.Stop()
			p.leave(c.smtpConn)
		}
	}
	p.idle = nil
	p.mu.Unlock()
	p.wg.Wait()
}
