package email

import (
	"context"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// shownDNS is what the page about a mailbox's domain shows.
type shownDNS struct {
	Domain  string        `json:"domain"`
	Owner   *string       `json:"owner"`   // whose records these are when not the desk's owner's, null else
	Text    string        `json:"text"`    // one sentence about it all
	Checked *string       `json:"checked"` // when the records were last asked for, null = never
	Signing *shownSigning `json:"signing"` // null when there is nothing to sign
	Items   []Record      `json:"items"`
}

// shownSigning is whether the desk signs mail from a domain.
type shownSigning struct {
	Wish     Signing `json:"wish"`
	State    string  `json:"state"`    // off, provider, waiting, on or lost
	Selector *string `json:"selector"` // of the key that signs, null while none does
	Since    *string `json:"since"`    // since when it does, or does no more
	Next     *string `json:"next"`     // selector of a newer key that waits for its record, null for none
	Text     string  `json:"text"`
}

type dnsInput struct {
	Signing Signing `json:"signing"` // auto, on or off
}

// dnsRoutes adds the routes of the records that belong to a mailbox's domain.
func (s *Service) dnsRoutes(t *route.Table) {
	const base = "/api/desk/mailboxes/{id}/dns"
	route.Add(t, route.Route{Method: "GET", Path: base, Permission: "channel.read", Summary: "The records that a mailbox's domain should have, with what was found at the last check"},
		func(c *route.Call, _ route.None) (shownDNS, error) { return s.showDNS(c) })
	route.Add(t, route.Route{Method: "PATCH", Path: base, Permission: "channel.write", Summary: "Whether the desk signs mail from the domain: auto, on or off"},
		func(c *route.Call, in dnsInput) (shownDNS, error) {
			if err := s.setSigning(c, in.Signing); err != nil {
				return shownDNS{}, err
			}
			return s.showDNS(c)
		})
	route.Add(t, route.Route{Method: "POST", Path: base + "/check", Permission: "channel.write", Summary: "Ask for the records now; takes a few seconds at most"},
		func(c *route.Call, _ route.None) (shownDNS, error) {
			if err := s.checkDNS(c); err != nil {
				return shownDNS{}, err
			}
			return s.showDNS(c)
		})
	route.Add(t, route.Route{Method: "POST", Path: base + "/key", Permission: "channel.write", Summary: "Make another key that signs once its record is seen; the old one signs until then"},
		func(c *route.Call, _ route.None) (shownDNS, error) {
			box, domain, err := s.ownDomain(c.App, c.Param("id"))
			if err != nil {
				return shownDNS{}, err
			}
			if err := s.addKey(c.App, c.Caller.Actor, box.ID, domain); err != nil {
				return shownDNS{}, err
			}
			return s.showDNS(c)
		})
}

// ownDomain is the domain of a mailbox, if its records are the owner's to change.
func (s *Service) ownDomain(app core.App, id string) (*Mailbox, string, error) {
	box, err := s.mailboxes.stored(app, id)
	if err != nil {
		return nil, "", err
	}
	domain := mailDomainOf(box.Address)
	if owner, theirs := ownerOf(domain); theirs || box.Kind == KindSandbox {
		return nil, "", desk.Errorf(desk.Refused, "%s", nothingToDo(box, domain, owner))
	}
	return box, domain, nil
}

func nothingToDo(box *Mailbox, domain, owner string) string {
	switch {
	case box.Kind == KindSandbox:
		return "This mailbox belongs to the sandbox; there is nothing to do."
	case owner == domain:
		return fmt.Sprintf("The records of %s are its provider's; there is nothing to do.", domain)
	}
	return fmt.Sprintf("%s belongs to %s, which looks after its records; there is nothing to do.", domain, owner)
}

func (s *Service) showDNS(c *route.Call) (shownDNS, error) {
	box, err := s.mailboxes.stored(c.App, c.Param("id"))
	if err != nil {
		return shownDNS{}, err
	}
	shown := shownDNS{Domain: mailDomainOf(box.Address), Items: []Record{}}
	if owner, theirs := ownerOf(shown.Domain); theirs || box.Kind == KindSandbox {
		shown.Owner, shown.Text = &owner, nothingToDo(box, shown.Domain, owner)
		return shown, nil
	}
	v, err := s.view(c.App, *box, shown.Domain)
	if err != nil {
		return shownDNS{}, err
	}
	shown.Checked, shown.Items = stamp(v.domain.checked), v.records()
	if box.SMTP != nil {
		signing := v.signing()
		shown.Signing = &signing
	}
	shown.Text = summary(shown.Items, v.domain.checked)
	return shown, nil
}

func (s *Service) view(app core.App, box Mailbox, domain string) (v dnsView, err error) {
	v = dnsView{box: box, names: s.options.Names}
	if v.domain, err = loadDomain(app, domain); err != nil {
		return v, err
	}
	keys, err := loadKeys(app, domain)
	if err != nil {
		return v, err
	}
	v.keys = usable(keys, s.options.Box)
	last, err := s.LastMails()
	v.arrived = !last[box.ID].IsZero()
	return v, err
}

// summary is one sentence about all records.
func summary(all []Record, checked time.Time) string {
	open := 0
	for _, r := range all {
		if r.State == RecordMissing || r.State == RecordDiffers {
			open++
		}
	}
	switch {
	case checked.IsZero():
		return "These records were not looked up yet."
	case open == 0:
		return "All that could be looked up is in order."
	case open == 1:
		return "One record needs a hand."
	}
	return fmt.Sprintf("%d records need a hand.", open)
}

// checkDNS asks for the records of a mailbox's domain and makes the key that
// will sign its mail, if one is wanted and there is none.
func (s *Service) checkDNS(c *route.Call) error {
	box, domain, err := s.ownDomain(c.App, c.Param("id"))
	if err != nil {
		if desk.CodeOf(err) == desk.Refused {
			return nil // the page says that there is nothing to do
		}
		return err
	}
	v, err := s.view(c.App, *box, domain)
	if err != nil {
		return err
	}
	if _, wanted := v.dkim(); wanted && len(v.keys) == 0 && box.SMTP != nil && v.signing().State != "provider" {
		if err := s.addKey(c.App, c.Caller.Actor, box.ID, domain); err != nil {
			return err
		}
		if v, err = s.view(c.App, *box, domain); err != nil {
			return err
		}
	}
	ctx := context.WithoutCancel(c.Request.Context()) // bounded by itself; what was found is kept
	return s.note(*box, domain, s.askAll(ctx, *box, domain, v.keys), v.keys)
}
