package email

import (
	"bytes"
	"context"

	"github.com/deskbell/deskbell/internal/mail"
	"github.com/emersion/go-imap/v2"
)

// related picks the mails that belong to tickets among those of a folder of
// sent mail, by their headers alone: what else people send is none of the
// desk's business and is not fetched.
func (r *fetcher) related(ctx context.Context, c *imapConn, cards []card) ([]card, error) {
	heads, err := c.heads(ctx, cards, "Message-ID", "In-Reply-To", "References")
	if err != nil {
		return nil, err
	}
	var out []card
	for _, k := range cards {
		h := mail.Parse(heads[k.uid])
		refs := append(h.References, h.InReplyTo...)
		if len(refs) == 0 {
			continue
		}
		ours, err := r.service.options.Threads.Belongs(h.MessageID, refs)
		if err != nil {
			return nil, &ledgerError{err}
		}
		if ours {
			out = append(out, k)
		}
	}
	return out, nil
}

// heads reads some fields of mails, by UID.
func (c *imapConn) heads(ctx context.Context, cards []card, fields ...string) (heads map[uint32][]byte, err error) {
	var set imap.UIDSet
	for _, k := range cards {
		set.AddNum(imap.UID(k.uid))
	}
	section := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: fields}
	heads = map[uint32][]byte{}
	err = c.within(ctx, commandTimeout, func() error {
		cmd := c.client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		var broken error
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			uid, f, err := readFetched(msg, maxHeader)
			switch {
			case err != nil:
				broken = err
			case uid != 0 && f != nil:
				heads[uid] = append(bytes.TrimRight(f.raw, "\r\n"), "\r\n\r\n"...)
			}
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		return broken
	})
	return heads, err
}
