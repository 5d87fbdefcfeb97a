package intake

import (
	"context"
	"net/netip"
	"sync"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mailauth"
)

// judges is how many senders are checked at once: it is the domain name system
// that takes its time.
const judges = 24

// judgeAll checks who wrote letters, outside of any transaction.
func (in *Intake) judgeAll(ctx context.Context, letters []*letter) {
	slots := make(chan struct{}, judges)
	var wg sync.WaitGroup
	for _, l := range letters {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			in.judge(ctx, l)
		}()
	}
	wg.Wait()
}

// judge puts the verdict on a letter; one that can't be reached is neutral.
func (in *Intake) judge(ctx context.Context, l *letter) {
	raw := l.raw
	l.raw = nil
	l.auth = mailauth.Verdict{Result: desk.AuthNone, Why: mailauth.WhyUnknown}
	if l.err != nil || l.mail == nil || l.entry.Origin != file.OriginLive || l.entry.Channel != desk.ChannelEmail {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			in.App.Logger().Error("a sender could not be checked", "entry", l.entry.ID, "panic", p)
		}
	}()
	own, err := in.Mailboxes.OwnDomain(l.mail.From.Address)
	if err != nil {
		l.err = err
		return
	}
	trusted, err := in.Mailboxes.AuthServersOf(l.entry.Mailbox)
	if err != nil {
		l.err = err
		return
	}
	peer, _ := netip.ParseAddr(l.entry.Peer) // zero when it was fetched
	l.auth = in.Judge.Judge(ctx, mailauth.Mail{
		Raw: raw, Header: &l.mail.Header, From: l.mail.From.Address, Authors: l.mail.FromCount, Peer: peer.Unmap(),
		Helo: l.entry.Helo, MailFrom: l.entry.MailFrom, Trusted: trusted, Own: own,
	})
}
