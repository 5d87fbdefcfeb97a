package email

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Threads tells which sent mail belongs to tickets.
type Threads interface {
	// Entered reports whether everything taken in so far has become messages.
	Entered() (bool, error)
	// Belongs reports whether a mail with this Message-ID that refers to these
	// is part of a ticket and not there yet. Ids are without <>.
	Belongs(messageID string, refs []string) (bool, error)
	// Known reports whether a mail with this Message-ID is in the desk.
	Known(messageID string) (bool, error)
}

// place is a folder of a mailbox and what its mails are.
type place struct {
	name string
	sent bool // holds what people of ours sent with other programs
}

// sentNames are what mail programs and providers call the folder of sent mail,
// for servers that do not mark it (RFC 6154).
var sentNames = []string{
	"sent", "sent items", "sent messages", "sent mail", "[gmail]/sent mail", "[google mail]/sent mail",
	"gesendet", "gesendete elemente", "gesendete objekte", "[gmail]/gesendet", "[google mail]/gesendet",
	"envoyés", "éléments envoyés", "messages envoyés", "[gmail]/messages envoyés",
	"enviados", "elementos enviados", "[gmail]/enviados", "posta inviata", "inviata", "verzonden", "verzonden items",
	"skickat", "sendt", "sendte elementer", "lähetetyt", "wysłane", "odeslané", "elküldött", "отправленные",
}

// places are the folders to be read beside the inbox. One that was chosen and
// is not there is named in the answer.
func (c *imapConn) places(ctx context.Context, box Mailbox) (found []place, missing string, err error) {
	if len(box.Folders) == 0 && box.SentFolder == NoFolder || box.Kind == KindSandbox {
		return nil, "", nil
	}
	all, err := c.folders(ctx)
	if err != nil {
		return nil, "", err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(f listed) bool { return f.name == name })
	}
	for _, name := range box.Folders {
		if !has(name) {
			missing = name
			continue
		}
		found = append(found, place{name: name})
	}
	switch name := box.SentFolder; {
	case name == NoFolder:
	case name == "":
		if name := sentFolder(all); name != "" && !slices.Contains(box.Folders, name) {
			found = append(found, place{name: name, sent: true})
		}
	case has(name):
		found = append(found, place{name: name, sent: true})
	default:
		missing = name
	}
	return found, missing, nil
}

// listed is a folder as its server lists it.
type listed struct {
	name string
	sent bool // marked by the server as the folder of sent mail
	skip bool // holds drafts or what was thrown away
}

// folders lists the folders that hold mail.
func (c *imapConn) folders(ctx context.Context) (all []listed, err error) {
	err = c.within(ctx, commandTimeout, func() error {
		var options *imap.ListOptions
		if caps := c.client.Caps(); caps.Has(imap.CapListExtended) && caps.Has(imap.CapSpecialUse) {
			options = &imap.ListOptions{ReturnSpecialUse: true}
		}
		list, err := c.client.List("", "*", options).Collect()
		for _, f := range list {
			if slices.Contains(f.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(f.Attrs, imap.MailboxAttrNonExistent) {
				continue
			}
			all = append(all, listed{name: f.Mailbox, sent: slices.Contains(f.Attrs, imap.MailboxAttrSent), skip: skips(f)})
		}
		return err
	})
	return all, err
}

func skips(f *imap.ListData) bool {
	for _, a := range []imap.MailboxAttr{imap.MailboxAttrDrafts, imap.MailboxAttrJunk, imap.MailboxAttrTrash} {
		if slices.Contains(f.Attrs, a) {
			return true
		}
	}
	return slices.ContainsFunc(skippedPlaces, func(word string) bool { return strings.Contains(strings.ToLower(f.Mailbox), word) })
}

// sentFolder is the folder of sent mail, "" when none can be told.
func sentFolder(all []listed) string {
	for _, f := range all {
		if f.sent {
			return f.name
		}
	}
	for _, name := range sentNames {
		for _, f := range all {
			lower := strings.ToLower(f.name)
			if lower == name || strings.TrimPrefix(lower, "inbox.") == name || strings.TrimPrefix(lower, "inbox/") == name {
				return f.name
			}
		}
	}
	return ""
}

// others takes in what waits in the folders beside the inbox. The inbox has to
// be opened again then; moved tells whether it has.
func (r *fetcher) others(ctx context.Context, c *imapConn) (moved bool, err error) {
	if r.looked && r.service.clock.Now().Before(r.nextOthers) {
		return false, nil
	}
	if !r.looked || r.missing != "" { // what is missing may be back
		if r.places, r.missing, err = c.places(ctx, r.box); err != nil {
			return false, err
		}
		r.looked = true
	}
	r.nextOthers = r.service.clock.Now().Add(r.service.timing.other)
	for _, p := range r.places {
		seen, err := r.visit(ctx, c, p)
		moved = moved || seen
		if errors.Is(err, errFolderGone) {
			r.looked, r.missing = false, p.name // renamed or deleted: the list is read again
			continue
		}
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

func (r *fetcher) entered() bool {
	if r.service.options.Threads == nil {
		return false
	}
	ok, err := r.service.options.Threads.Entered()
	if err != nil {
		r.service.logger.Error("entered mail not asked", "error", err)
	}
	return ok && err == nil
}

// visit takes in what waits in one folder, if there is news.
func (r *fetcher) visit(ctx context.Context, c *imapConn, p place) (opened bool, err error) {
	known, err := loadFolder(r.service.app, r.box.ID, p.name)
	if err != nil {
		return false, err
	}
	state, err := c.status(ctx, p.name)
	if err != nil {
		return false, gone(err)
	}
	if known.next != 0 && state.UIDNext != 0 && uint32(state.UIDNext) == known.next && state.UIDValidity == known.validity && !r.wants(known) {
		return false, nil
	}
	sel, err := c.open(ctx, p.name)
	if err != nil {
		return true, gone(err)
	}
	f, err := r.resume(ctx, c, sel, p.name)
	if err != nil {
		return true, err
	}
	if p.sent && !r.entered() {
		return true, nil // what they answer may not be a ticket yet
	}
	return true, r.takeAll(ctx, c, &f, p)
}

// errFolderGone says that the server refuses a folder it had.
var errFolderGone = errors.New("folder refused")

func gone(err error) error {
	var no *imap.Error
	if errors.As(err, &no) && no.Type != imap.StatusResponseTypeBye {
		return fmt.Errorf("%w: %w", errFolderGone, err)
	}
	return err
}

// status asks for a folder's numbers without opening it.
func (c *imapConn) status(ctx context.Context, name string) (data *imap.StatusData, err error) {
	err = c.within(ctx, commandTimeout, func() error {
		data, err = c.client.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		return err
	})
	return data, err
}

// problem is what the owner should mend while the inbox is read all the same.
func (r *fetcher) problem() string {
	if r.missing == "" {
		return ""
	}
	return fmt.Sprintf("The folder %q is not there any more. Choose another in the settings of this mailbox; the inbox is read as usual.", r.missing)
}

// wants reports whether older mail of the folder was asked for and is not taken in yet.
func (r *fetcher) wants(f folder) bool { return r.box.Backfill.Asked.After(f.backfilled) }

// backTo makes the position reach back for older mail that was asked for.
func (r *fetcher) backTo(f folder, sel *imap.SelectData) folder {
	f.backfilled = r.box.Backfill.Asked
	until := max(uint32(sel.UIDNext), f.next)
	f.next, f.until = 1, until
	if f.cutoff.IsZero() || r.box.Backfill.From.Before(f.cutoff) {
		f.cutoff = r.box.Backfill.From.Truncate(time.Second)
	}
	return f
}
