package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// inbox is the folder that is read.
const inbox = "INBOX"

// imapConn is a connection to an IMAP server, signed in.
type imapConn struct {
	client  *imapclient.Client
	wire    *wire
	release func()        // the context of opening closes it no more
	news    chan struct{} // gets something when the server tells of new mails
}

// connectIMAP is openIMAP with the access token of s, if one is needed.
func (d dialer) connectIMAP(ctx context.Context, s Server) (*imapConn, error) {
	c, err := d.imapClient(ctx, s, s.Security)
	if err != nil && s.Security == SecurityOpportunistic && ctx.Err() == nil && !errors.Is(err, errUnreachable) && !errors.Is(err, errStalled) {
		c, err = d.imapClient(ctx, s, SecurityNone) // it does not know STARTTLS
	}
	if err != nil {
		return nil, err
	}
	err = c.within(ctx, commandTimeout, func() error { return c.signIn(s) })
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

var errUnreachable = errors.New("not reached")

func (d dialer) imapClient(ctx context.Context, s Server, security Security) (*imapConn, error) {
	w, conn, release, err := d.connect(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	c := &imapConn{wire: w, release: release, news: make(chan struct{}, 1)}
	options := &imapclient.Options{
		TLSConfig:             d.tlsConfig(s),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: c.tell},
	}
	err = c.within(ctx, greetingTimeout, func() error {
		if s.tokens != nil && security == SecurityStartTLS {
			if conn, err = d.startTLSFirst(w, s); err != nil {
				return err
			}
			security = SecurityTLS
		}
		if security != SecurityStartTLS && security != SecurityOpportunistic {
			c.client = imapclient.New(emptyLine{conn}, options)
			return c.client.WaitGreeting()
		}
		client, err := imapclient.NewStartTLS(conn, options)
		c.client = client
		var no *imap.Error
		if errors.As(err, &no) {
			return &tlsError{errNoStartTLS}
		}
		if err != nil {
			return &tlsError{err}
		}
		return nil
	})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *imapConn) signIn(s Server) error {
	if c.client.State() == imap.ConnStateAuthenticated {
		return nil // PREAUTH
	}
	if s.User == "" {
		return desk.Errorf(desk.Invalid, "%s wants a sign-in. Enter the user and password for fetching.", s.Host)
	}
	if s.tokens != nil {
		return c.signInByToken(s)
	}
	caps := c.client.Caps()
	plain := caps.Has(imap.AuthCap("PLAIN"))
	var err error
	switch {
	case caps.Has(imap.CapLoginDisabled) && !plain:
		return desk.Errorf(desk.Invalid, "%s takes no password in the clear. Choose STARTTLS or TLS.", s.Host)
	case plain && (caps.Has(imap.CapLoginDisabled) || !isASCII(s.User+s.Password)):
		err = c.client.Authenticate(sasl.NewPlainClient("", s.User, s.Password))
	default:
		err = c.client.Login(s.User, s.Password).Wait()
	}
	var no *imap.Error
	if errors.As(err, &no) && no.Type != imap.StatusResponseTypeBye && no.Code != imap.ResponseCodeUnavailable {
		return fmt.Errorf("%w: %w", errSignIn, err)
	}
	return err
}

// open opens a folder for reading only, so that nothing the desk does can
// change a flag.
func (c *imapConn) open(ctx context.Context, name string) (data *imap.SelectData, err error) {
	err = c.within(ctx, commandTimeout, func() error {
		data, err = c.client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	return data, err
}

// tell is called by the client when the server speaks unasked; it must not block.
func (c *imapConn) tell(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages == nil {
		return
	}
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// within runs f, which talks to the server, and closes the connection when no
// byte moved for d or ctx ends.
func (c *imapConn) within(ctx context.Context, d time.Duration, f func() error) error {
	defer c.wire.limit(d)()
	if err := f(); err != nil {
		return c.wire.cause(ctx, err)
	}
	return nil
}

func (c *imapConn) close() {
	c.release()
	_ = c.wire.Close()
	if c.client != nil {
		_ = c.client.Close()
	}
}

// wait returns when there may be news: the server told so, or after pause, in
// which a notice could have got lost; a server without IDLE is asked every
// poll. An error means the connection is gone.
func (c *imapConn) wait(ctx context.Context, pause, poll time.Duration) (told bool, err error) {
	idle, err := c.idle(ctx)
	if err != nil {
		return false, err
	}
	d := poll
	if idle != nil {
		d = pause
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-c.client.Closed():
		return false, c.wire.cause(ctx, errHungUp)
	case <-timer.C:
	case <-c.news:
		told = true
	}
	if idle == nil {
		return told, nil
	}
	return told, c.within(ctx, commandTimeout, func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

// errHungUp says that the server ended the connection.
var errHungUp = fmt.Errorf("the server hung up: %w", io.ErrUnexpectedEOF)

// idle starts IDLE; nil without an error when the server does not know it.
func (c *imapConn) idle(ctx context.Context) (cmd *imapclient.IdleCommand, err error) {
	if !c.client.Caps().Has(imap.CapIdle) {
		return nil, nil
	}
	err = c.within(ctx, commandTimeout, func() error {
		cmd, err = c.client.Idle()
		return err
	})
	var no *imap.Error
	if errors.As(err, &no) && no.Type != imap.StatusResponseTypeBye {
		return nil, nil // offered, but refused: ask now and then
	}
	return cmd, err
}

// card is what is known of a mail before it is fetched.
type card struct {
	uid  uint32
	size int64
	date time.Time // INTERNALDATE, zero when unknown
}

// cards lists the mails of a set of UIDs, ordered by UID.
func (c *imapConn) cards(ctx context.Context, set imap.UIDSet, dates bool) (all []card, err error) {
	err = c.within(ctx, commandTimeout, func() error {
		cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: dates})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			var k card
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					k.uid = uint32(item.UID)
				case imapclient.FetchItemDataRFC822Size:
					k.size = item.Size
				case imapclient.FetchItemDataInternalDate:
					k.date = item.Time.UTC()
				}
			}
			if k.uid != 0 {
				all = append(all, k)
			}
		}
		return cmd.Close()
	})
	slices.SortFunc(all, func(a, b card) int { return int(int64(a.uid) - int64(b.uid)) })
	return all, err
}

// searchSince returns the UIDs from first to last of mails whose date may be
// since or later. SEARCH knows days only, of some time zone.
func (c *imapConn) searchSince(ctx context.Context, first, last uint32, since time.Time) (uids []imap.UID, err error) {
	var set imap.UIDSet
	set.AddRange(imap.UID(first), imap.UID(last))
	err = c.within(ctx, commandTimeout, func() error {
		data, err := c.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}, Since: since.Add(-48 * time.Hour)}, nil).Wait()
		if err == nil {
			uids = data.AllUIDs()
		}
		return err
	})
	return uids, err
}
