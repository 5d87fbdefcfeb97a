package email

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

const (
	maxFolders  = 20  // read beside the inbox
	maxBackfill = 730 // days
	maxServers  = 10
)

// applyReading puts the parts of a patch about reading and signing into box.
func (p Patch) applyReading(box *Mailbox) error {
	if p.Signature != nil {
		box.Signature = richtext.SanitizeCompose(*p.Signature)
	}
	if p.SentFolder != nil {
		name, err := folderName("sent_folder", *p.SentFolder)
		if err != nil {
			return err
		}
		box.SentFolder = name
	}
	if p.AuthServers != nil {
		box.AuthServers = nil
		for _, s := range *p.AuthServers {
			s = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
			if !validHost(s) {
				return invalid("auth_servers", "%q is no name of a server: enter it as it stands first in an Authentication-Results line, such as mx.example.com.", oneLine(s))
			}
			box.AuthServers = append(box.AuthServers, s)
		}
		if len(box.AuthServers) > maxServers {
			return invalid("auth_servers", "Name at most %d servers whose checks are believed.", maxServers)
		}
	}
	if p.Folders != nil {
		box.Folders = nil
		for _, f := range *p.Folders {
			name, err := folderName("folders", f)
			if err != nil {
				return err
			}
			if name != "" && !strings.EqualFold(name, inbox) && !slices.Contains(box.Folders, name) {
				box.Folders = append(box.Folders, name)
			}
		}
		if len(box.Folders) > maxFolders {
			return invalid("folders", "Choose at most %d folders beside the inbox.", maxFolders)
		}
	}
	return nil
}

func folderName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if len(name) > 500 || strings.ContainsAny(name, "\r\n\x00*%") {
		return "", invalid(field, "%q can't be the name of a folder.", oneLine(name))
	}
	return name, nil
}

// backfill is the wish for the mail of the last days days.
func backfill(days int, now time.Time) (Backfill, error) {
	if days < 0 || days > maxBackfill {
		return Backfill{}, invalid("backfill_days", "Take in at most the last %d days.", maxBackfill)
	}
	if days == 0 {
		return Backfill{}, nil
	}
	return Backfill{From: now.AddDate(0, 0, -days).Truncate(time.Second), Asked: now}, nil
}

// TakeOlder asks for the mail of the last days days that was in the mailbox
// before it was connected. It becomes solved tickets and is never answered; what
// is there already stays single.
func (m *Mailboxes) TakeOlder(by desk.Actor, id string, days int) (*Mailbox, error) {
	wish, err := backfill(days, m.clock.Now())
	if err == nil && days == 0 {
		err = invalid("days", "Say of how many days mail shall be taken in.")
	}
	if err != nil {
		return nil, err
	}
	err = m.app.RunInTransaction(func(tx core.App) error {
		box, err := m.stored(tx, id)
		if err != nil {
			return err
		}
		if box.IMAP == nil {
			return desk.Errorf(desk.Refused, "%s is not fetched, so there is no older mail to take in. Enter its IMAP server first.", box.Address)
		}
		box.Backfill = wish
		if err := update(tx, m.box, *box, m.clock.Now()); err != nil {
			return err
		}
		return m.changed(tx, desk.Event{Kind: "mailbox.older_asked", Subject: id, Actor: by, New: wish.From.Format(time.DateOnly)})
	})
	if err != nil {
		return nil, err
	}
	return m.Find(m.app, id)
}

// folders lists the folders of a mailbox as they are at its server now.
func (s *Service) folders(ctx context.Context, id string) (route.List[shownFolder], error) {
	none := route.List[shownFolder]{}
	box, err := s.mailboxes.Find(s.app, id)
	switch {
	case err != nil:
		return none, err
	case box == nil:
		return none, desk.Errorf(desk.NotFound, "There is no such mailbox.")
	case box.IMAP == nil || box.Kind == KindSandbox:
		return none, desk.Errorf(desk.Refused, "%s is not fetched from a server, so it has no folders.", box.Address)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	c, err := s.dialer.openIMAP(ctx, *box.IMAP)
	if err != nil {
		return none, said(err, *box.IMAP)
	}
	defer c.close()
	all, err := c.folders(ctx)
	if err != nil {
		return none, said(err, *box.IMAP)
	}
	sent := box.SentFolder
	if sent == "" {
		sent = sentFolder(all)
	}
	var shown []shownFolder
	for _, f := range all {
		shown = append(shown, shownFolder{Name: f.name, Read: strings.EqualFold(f.name, inbox) || slices.Contains(box.Folders, f.name), Sent: f.name == sent})
	}
	return route.ListOf(shown, ""), nil
}

func said(err error, s Server) error {
	text, _ := explain(err, s, "imap")
	return desk.Errorf(desk.Refused, "%s", text)
}

// SignatureOf is the HTML that a mailbox adds below its replies, "" for none.
func (m *Mailboxes) SignatureOf(app core.App, mailbox string) (string, error) {
	box, err := m.Find(app, mailbox)
	if err != nil || box == nil {
		return "", err
	}
	return box.Signature, nil
}
