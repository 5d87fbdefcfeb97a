package email

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/core"
)

// CheckSigning looks whether the records of the keys that sign mail are still in
// the DNS, and begins or stops to sign. It is for a daily job: mail with a
// signature that nobody can verify is worse than without.
func (s *Service) CheckSigning(ctx context.Context) error {
	all, err := allKeys(s.app)
	if err != nil {
		return err
	}
	boxes, err := s.senders()
	if err != nil {
		return err
	}
	var errs []error
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].domain == all[0].domain {
			n++
		}
		keys := all[:n]
		all = all[n:]
		if box, ok := boxes[keys[0].domain]; ok {
			errs = append(errs, s.checkKeys(ctx, box, keys))
		}
	}
	return errors.Join(errs...)
}

// senders are the oldest mailboxes of the domains that the desk sends for.
func (s *Service) senders() (map[string]Mailbox, error) {
	all, err := s.mailboxes.All(s.app)
	if err != nil {
		return nil, err
	}
	of := map[string]Mailbox{}
	for _, box := range all {
		domain := mailDomainOf(box.Address)
		if _, have := of[domain]; !have && box.Kind != KindSandbox && domain != "" {
			of[domain] = box
		}
	}
	return of, nil
}

// checkKeys asks for the records of a domain's keys and nothing else.
func (s *Service) checkKeys(ctx context.Context, box Mailbox, keys []signingKey) error {
	d, err := loadDomain(s.app, keys[0].domain)
	if err != nil {
		return err
	}
	l := s.newLook(ctx)
	for _, k := range keys {
		l.ask(func() { l.txt(k.host()) })
	}
	news := l.wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if d.found == nil {
		d.found = found{}
	}
	for question, texts := range news {
		d.found[question] = texts
	}
	return s.note(box, d.name, d.found, keys)
}

// note stores what was found of a domain and lets its keys sign or not.
func (s *Service) note(box Mailbox, domain string, f found, keys []signingKey) error {
	now := s.clock.Now()
	return s.app.RunInTransaction(func(tx core.App) error {
		if err := saveFound(tx, domain, f, now); err != nil {
			return err
		}
		for _, k := range keys {
			if err := s.noteKey(tx, box, k, f, now); err != nil {
				return err
			}
		}
		return retire(tx, keys, now)
	})
}

// noteKey begins or ends the use of a key. No answer changes nothing.
func (s *Service) noteKey(tx core.App, box Mailbox, k signingKey, f found, now time.Time) error {
	texts, answered := f.txt(k.host())
	seen := answered && k.holds(texts)
	if !answered || seen == !k.seen.IsZero() {
		return nil
	}
	kind := "mailbox.dkim_seen"
	if k.seen, k.lost = now, (time.Time{}); !seen {
		kind, k.seen, k.lost = "mailbox.dkim_lost", time.Time{}, now
	}
	if err := saveSeen(tx, k); err != nil {
		return err
	}
	return s.mailboxes.changed(tx, desk.Event{Kind: kind, Subject: box.ID, Actor: desk.System("email"), New: k.selector})
}

// retire removes keys that a newer one has replaced for long enough.
func retire(tx core.App, keys []signingKey, now time.Time) error {
	for i, k := range keys {
		if k.seen.IsZero() || now.Sub(k.seen) < retireAfter {
			continue
		}
		for _, old := range keys[i+1:] {
			if err := removeKey(tx, old); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// SigningLost is a domain whose mail is signed no longer, because the record of
// its key has vanished.
type SigningLost struct {
	Mailbox string // id of one of the domain's mailboxes
	Domain  string
	Text    string // a sentence saying what to mend
}

// SigningLost lists the domains whose mail is signed no longer, though the owner
// wants it.
func (s *Service) SigningLost(app core.App) ([]SigningLost, error) {
	keys, err := allKeys(app)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	boxes, err := s.senders()
	if err != nil {
		return nil, err
	}
	var out []SigningLost
	signs := map[string]bool{}
	for _, k := range keys {
		signs[k.domain] = signs[k.domain] || !k.seen.IsZero()
	}
	for _, k := range keys {
		box, ok := boxes[k.domain]
		if !ok || k.lost.IsZero() || signs[k.domain] {
			continue
		}
		d, err := loadDomain(app, k.domain)
		if err != nil {
			return nil, err
		}
		if signs[k.domain] = true; d.signing == SigningOff {
			continue
		}
		out = append(out, SigningLost{Mailbox: box.ID, Domain: k.domain, Text: lostText(k)})
	}
	return out, nil
}

func lostText(k signingKey) string {
	return fmt.Sprintf("Mail from %s is not signed any more: the record %s is gone from the DNS or was changed. Put it back and check again.", k.domain, k.host())
}
