package email

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	maxBatch      = 100       // mails fetched and stored at once
	maxBatchBytes = 8 << 20   // announced bytes fetched and stored at once; one mail may be larger
	maxRead       = 32 << 20  // bytes of one batch kept in memory, whatever was announced
	maxHeader     = 256 << 10 // bytes kept of the header of a mail that is not fetched whole
)

// fetched is a mail as it came.
type fetched struct {
	raw      []byte
	size     int64 // of the whole mail
	tooLarge bool  // raw is the header only
}

// fetch reads the mails of cards, those larger than limit as their header only.
// It never sets \Seen (BODY.PEEK) and returns all or nothing: a mail that is
// not in the result is not there any more.
func (c *imapConn) fetch(ctx context.Context, cards []card, limit int64, headers bool) (map[uint32]fetched, error) {
	var whole, large imap.UIDSet
	for _, k := range cards {
		if headers || k.size > limit {
			large.AddNum(imap.UID(k.uid))
		} else {
			whole.AddNum(imap.UID(k.uid))
		}
	}
	got := map[uint32]fetched{}
	if len(whole) > 0 {
		if err := c.fetchInto(ctx, got, whole, &imap.FetchItemBodySection{Peek: true}, limit); err != nil {
			return nil, err
		}
	}
	if len(large) > 0 {
		section := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader}
		if err := c.fetchInto(ctx, got, large, section, limit); err != nil {
			return nil, err
		}
	}
	for _, k := range cards {
		if f, ok := got[k.uid]; ok && (headers || k.size > limit) {
			f.tooLarge, f.size = true, k.size
			got[k.uid] = f
		}
	}
	return got, c.confirm(ctx, cards, got)
}

// fetchInto reads one section of every mail of set. What came before an error
// is not to be trusted: a server that announces a wrong length shows it later.
func (c *imapConn) fetchInto(ctx context.Context, got map[uint32]fetched, set imap.UIDSet, section *imap.FetchItemBodySection, limit int64) error {
	return c.within(ctx, commandTimeout, func() error {
		cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		var broken error
		total := int64(0)
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if total > maxRead {
				continue // the announced sizes were lies; confirm notices and each is fetched by itself
			}
			uid, f, err := readFetched(msg, limit)
			if err != nil {
				broken = err
			} else if uid != 0 && f != nil {
				got[uid] = *f
				total += int64(len(f.raw))
			}
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		return broken
	})
}

func readFetched(msg *imapclient.FetchMessageData, limit int64) (uid uint32, f *fetched, err error) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			one, rerr := readLiteral(item.Literal, limit)
			if rerr != nil {
				err = rerr
				continue
			}
			f = one
		}
	}
	return uid, f, err
}

// readLiteral reads a mail of the length the server announced. One that is
// larger than its RFC822.SIZE said and than limit is cut down to its header.
func readLiteral(r imap.LiteralReader, limit int64) (*fetched, error) {
	size := r.Size()
	if size <= limit {
		raw := make([]byte, size)
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, fmt.Errorf("mail shorter than announced: %w", err)
		}
		return &fetched{raw: raw, size: size}, nil
	}
	head := make([]byte, min(size, maxHeader))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("mail shorter than announced: %w", err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, err
	}
	return &fetched{raw: headerOf(head), size: size, tooLarge: true}, nil
}

// headerOf is what comes before the first empty line, with that line.
func headerOf(raw []byte) []byte {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(raw, []byte(end)); i >= 0 {
			return raw[:i+len(end)]
		}
	}
	return raw
}

// confirm makes sure that mails the server left out are really gone.
func (c *imapConn) confirm(ctx context.Context, cards []card, got map[uint32]fetched) error {
	var missing imap.UIDSet
	for _, k := range cards {
		if _, ok := got[k.uid]; !ok {
			missing.AddNum(imap.UID(k.uid))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	still, err := c.cards(ctx, missing, false)
	if err != nil {
		return err
	}
	if len(still) > 0 {
		return fmt.Errorf("%w (UID %d)", errWithheld, still[0].uid)
	}
	return nil
}

var errWithheld = fmt.Errorf("the server does not give out a mail it has")
