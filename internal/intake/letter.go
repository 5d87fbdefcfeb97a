package intake

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/richtext"
)

// letter is a ledger entry that has been read.
type letter struct {
	entry  *file.Entry
	mail   *mail.Mail
	key    string // content key
	html   string // safe, what was written
	quoted string // safe, what was quoted
	text   string
	shown  string // text without quotes and signature
	files  []*file.File
	at     int64 // ms, when it is entered
	forced bool  // a person said: enter it whatever speaks against it
	auth   mailauth.Verdict
	raw    []byte // until its sender is checked
	err    error
}

// open reads an entry; whatever goes wrong stays on the letter.
func (in *Intake) open(e *file.Entry) (l *letter) {
	l = &letter{entry: e}
	defer func() {
		if p := recover(); p != nil {
			l.err = fmt.Errorf("panic: %v", p)
		}
	}()
	raw, err := in.Ledger.Raw(e)
	if err != nil {
		l.err = err
		return l
	}
	return in.letter(e, raw)
}

func (in *Intake) letter(e *file.Entry, raw []byte) *letter {
	l := &letter{entry: e, mail: mail.Parse(raw), raw: raw}
	sum := mail.CanonicalHash(raw)
	l.key = hex.EncodeToString(sum[:])
	m := l.mail
	if m.HTML != "" {
		visible, quoted := mail.SplitQuote(m.HTML)
		l.html, l.quoted = richtext.Sanitize(visible), richtext.Sanitize(quoted)
	}
	l.text, l.shown = m.Text, mail.VisibleText(m)
	if m.Unreadable {
		return l
	}
	l.err = in.keepParts(l)
	return l
}

// keepParts writes the attachments to disk, unless the same mail came before.
func (in *Intake) keepParts(l *letter) error {
	if len(l.mail.Parts) == 0 {
		return nil
	}
	if seen, _, err := message.ByContent(in.App, l.key); err != nil || seen != "" {
		return err
	}
	for _, p := range l.mail.Parts {
		f, err := in.Files.Prepare(desk.Attachment{Name: p.Name, ContentType: p.ContentType, ContentID: p.ContentID, Inline: p.Inline, Content: p.Content}, "")
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
	}
	return nil
}

// preview is the beginning of a text on one line, for lists.
func preview(text string) string {
	if len(text) > 2000 {
		text = text[:2000]
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if r := []rune(text); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return text
}

func address(a mail.Address) desk.Address { return desk.Address{Name: a.Name, Address: a.Address} }

func addresses(list []mail.Address) []desk.Address {
	if len(list) > 500 {
		list = list[:500]
	}
	out := make([]desk.Address, 0, len(list))
	for _, a := range list {
		out = append(out, address(a))
	}
	return out
}
