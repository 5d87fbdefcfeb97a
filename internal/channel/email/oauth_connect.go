package email

import (
	"context"
	"errors"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// try signs in at the mail servers with fresh tokens. A server for fetching that
// says no ends the matter: then the account is not the mailbox's, or may not be
// used so. One that can't be reached now does not, nor does one for sending.
func (s *Service) try(ctx context.Context, app core.App, c *consent, d draft, a tokenAnswer) (look Look, text string, err error) {
	var old *Mailbox
	if c.mailbox != "" {
		if old, err = s.mailboxes.stored(app, c.mailbox); err != nil {
			return look, "", err
		}
	}
	box, err := d.mailbox(old, &tokens{access: a.access})
	if err != nil {
		return look, "", err
	}
	if box.IMAP != nil {
		if look, err = s.tryLook(ctx, *box.IMAP); errors.Is(err, errSignIn) {
			text, _ := explain(err, *box.IMAP, "imap")
			return look, "", desk.Errorf(desk.Invalid, "%s", text)
		}
	}
	if box.SMTP == nil || box.SMTP.tokens == nil {
		return look, "", nil
	}
	if err := s.trySMTP(ctx, *box); errors.Is(err, errSignIn) {
		text, _ := explain(err, *box.SMTP, "smtp")
		if box.IMAP == nil {
			return look, "", desk.Errorf(desk.Invalid, "%s", text)
		}
		return look, text, nil
	}
	return look, "", nil
}

func (s *Service) trySMTP(ctx context.Context, box Mailbox) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	c, err := s.dialer.openSMTP(ctx, *box.SMTP, s.hello(box))
	if err != nil {
		return err
	}
	c.quit()
	return nil
}

// storeGrant stores what a consent gave: the mailbox if it is new, its servers,
// and the grant with its secrets sealed, all or nothing.
func (m *Mailboxes) storeGrant(app core.App, c *consent, d draft, a tokenAnswer, look Look) error {
	now := m.clock.Now()
	g := d.Grant
	g.ID, g.Consented, g.Issued, g.Account = desk.NewID(now), now, now, ""
	if len(a.accounts) > 0 {
		g.Account = d.User
	}
	if a.refreshLife > 0 {
		g.Expires = now.Add(a.refreshLife)
	}
	id, by := c.mailbox, desk.Agent(c.agent)
	err := app.RunInTransaction(func(tx core.App) error {
		if c.mailbox == "" {
			box, err := m.Add(tx, by, d.with(&tokens{}), look)
			if err != nil {
				return err
			}
			id = box.ID
		} else if err := m.change(tx, by, id, d.patch(&tokens{}), look); err != nil {
			return err
		}
		m.grants.of(id, g).start(a)
		if err := saveGrant(tx, m.box, id, g, grantSecrets{client: d.Secret, refresh: a.refresh}, by); err != nil {
			return err
		}
		return m.changed(tx, desk.Event{Kind: "mailbox.authorized", Subject: id, Actor: by, New: g.Provider})
	})
	if err == nil {
		c.mailbox = id
	}
	return err
}

// ChangeClientSecret stores another secret of the client by which a mailbox
// signs in, as when the old one has expired. Nobody has to consent again.
func (m *Mailboxes) ChangeClientSecret(by desk.Actor, mailbox, plain string) error {
	var g *Grant
	err := m.app.RunInTransaction(func(tx core.App) error {
		box, err := m.stored(tx, mailbox)
		if err != nil {
			return err
		}
		if g = box.Grant; g == nil {
			return desk.Errorf(desk.Conflict, "The mailbox %s does not sign in by OAuth2.", box.Address)
		}
		if plain == "" || oneLine(plain) != plain || len(plain) > 2000 {
			return invalid("client_secret", "Enter the client secret; it stands on one line.")
		}
		if err := saveClientSecret(tx, m.box, mailbox, plain); err != nil {
			return err
		}
		return m.changed(tx, desk.Event{Kind: "mailbox.changed", Subject: mailbox, Actor: by, Old: string(box.Kind), New: string(box.Kind)})
	})
	if err == nil {
		m.grants.of(mailbox, *g).forget()
	}
	return err
}
