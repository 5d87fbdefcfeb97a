package email

import (
	"fmt"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// signing tells whether the desk signs mail from the domain.
func (v dnsView) signing() shownSigning {
	shown := shownSigning{Wish: v.domain.signing, State: "waiting", Text: "The desk signs as soon as it sees the record of its key."}
	if len(v.keys) > 0 && v.keys[0].seen.IsZero() {
		shown.Next = &v.keys[0].selector
	}
	for _, k := range v.keys {
		switch {
		case !k.seen.IsZero():
			shown.State, shown.Selector, shown.Since, shown.Text = "on", &k.selector, stamp(k.seen), fmt.Sprintf("The desk signs mail from %s.", v.domain.name)
		case !k.lost.IsZero() && shown.State == "waiting":
			shown.State, shown.Since, shown.Text = "lost", stamp(k.lost), lostText(k)
		}
		if shown.State == "on" {
			break
		}
	}
	c := carrierOf(v.box.SMTP)
	switch {
	case v.domain.signing == SigningOff:
		return shownSigning{Wish: SigningOff, State: "off", Text: "The desk does not sign mail from " + v.domain.name + "."}
	case v.domain.signing == SigningAuto && c != nil && c.signs:
		return shownSigning{Wish: SigningAuto, State: "provider", Text: c.name + " signs mail itself."}
	}
	return shown
}

func (s *Service) setSigning(c *route.Call, wish Signing) error {
	switch wish {
	case SigningAuto, SigningOn, SigningOff:
	default:
		return invalid("signing", "Signing must be auto, on or off.")
	}
	box, domain, err := s.ownDomain(c.App, c.Param("id"))
	if err != nil {
		return err
	}
	return c.App.RunInTransaction(func(tx core.App) error {
		old, err := loadDomain(tx, domain)
		if err != nil || old.signing == wish {
			return err
		}
		if err := saveSigning(tx, domain, wish); err != nil {
			return err
		}
		return s.mailboxes.changed(tx, desk.Event{Kind: "mailbox.signing_set", Subject: box.ID, Actor: c.Caller.Actor, Old: string(old.signing), New: string(wish)})
	})
}
