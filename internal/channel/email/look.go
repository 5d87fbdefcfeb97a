package email

import (
	"context"
	"time"
)

// lookTimeout bounds a look at an IMAP folder before its mailbox is stored.
const lookTimeout = 10 * time.Second

// Look is where an IMAP folder ends before its mailbox is connected, so that
// every mail behind it is taken in and none before. The zero Look knows nothing.
type Look struct{ position *folder }

// Look looks at the IMAP folder of a mailbox about to be added. It answers the
// zero Look when that can't be done now; then Mailboxes.Add goes by time.
func (s *Service) Look(ctx context.Context, in Input) Look {
	box, err := in.mailbox(nil)
	if err != nil || box.IMAP == nil {
		return Look{}
	}
	return s.lookAt(ctx, *box.IMAP)
}

func (s *Service) lookAt(ctx context.Context, server Server) Look {
	look, _ := s.tryLook(ctx, server)
	return look
}

// tryLook is lookAt that tells why there is nothing to see.
func (s *Service) tryLook(ctx context.Context, server Server) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	c, err := s.dialer.openIMAP(ctx, server)
	if err != nil {
		return Look{}, err
	}
	defer c.close()
	sel, err := c.open(ctx, inbox)
	if err != nil {
		return Look{}, err
	}
	if sel.UIDNext == 0 {
		if sel.UIDNext, err = c.uidNext(ctx, sel.NumMessages); err != nil {
			return Look{}, err
		}
	}
	newest, err := c.newest(ctx, sel.NumMessages)
	if err != nil {
		return Look{}, err
	}
	f := begin(inbox, sel, newest, time.Time{}, false)
	return Look{position: &f}, nil
}
