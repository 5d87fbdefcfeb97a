package intake

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/customer"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// maxTwins bounds how many mails of the same Message-ID are named.
const maxTwins = 5

// maxRefs bounds how many references of a mail are looked up, newest first.
const maxRefs = 60

// found is where a letter belongs and why.
type found struct {
	ticket    *ticket.Ticket // nil = a new one
	reason    desk.Reason
	looksLike []int64 // tickets it may belong to
}

// find decides which ticket a letter belongs to: by a signed token or by
// reference, and only for somebody who takes part in that ticket.
func (in *Intake) find(tx core.App, l *letter, who *customer.Customer) (found, error) {
	f := found{reason: desk.Reason{Code: "new_sender_or_matter"}}
	twins, err := in.twins(tx, l)
	if err != nil {
		return f, err
	}
	trusted := l.mail.FromCount == 1 && !l.entry.TooLarge && l.auth.Result != desk.AuthFail
	candidates, err := in.candidates(tx, l)
	if err != nil {
		return f, err
	}
	for _, c := range candidates {
		t, err := c.load(tx)
		if err != nil {
			return f, err
		}
		if t == nil {
			continue
		}
		takesPart, err := ticket.TakesPart(tx, t.ID, l.mail.From.Address)
		if err != nil {
			return f, err
		}
		switch {
		case !takesPart:
			f.like(t.Number, "stranger")
		case !trusted:
			f.like(t.Number, "unproven")
		case t.Status == desk.StatusClosed:
			f.like(t.Number, "follow_up")
		default:
			return joined(t, c, twins), nil
		}
	}
	return f, in.resemblance(tx, l, who, twins, &f)
}

// joined is a letter that goes to t because of c. A Message-ID that another mail
// has is told all the same: one of both may not be what it seems.
func joined(t *ticket.Ticket, c candidate, twins []*twin) found {
	f := found{ticket: t, reason: desk.Reason{Code: c.code, Detail: map[string]any{"message": c.message}}}
	for _, other := range twins {
		f.reason.Detail["same_message_id"] = other.number
		if other.ticket != t.ID {
			f.looksLike = append(f.looksLike, other.number)
		}
	}
	return f
}

// twin is where another mail with the same Message-ID is.
type twin struct {
	ticket string
	number int64
}

// twins lists the tickets of mails that came, or went, under a letter's
// Message-ID; as copies were settled before, their content is another.
func (in *Intake) twins(app core.App, l *letter) ([]*twin, error) {
	if l.mail.MessageID == "" {
		return nil, nil
	}
	refs, err := message.ByMessageID(app, l.mail.MessageID)
	if err != nil {
		return nil, err
	}
	var out []*twin
	for _, ref := range refs[:min(len(refs), maxTwins)] {
		t, err := ticket.Find(app, ref.Ticket)
		if err != nil {
			return nil, err
		}
		if t != nil {
			out = append(out, &twin{t.ID, t.Number})
		}
	}
	return out, nil
}

func (f *found) like(number int64, code string) {
	if !slices.Contains(f.looksLike, number) && len(f.looksLike) < 5 {
		f.looksLike = append(f.looksLike, number)
	}
	if f.reason.Code == "new_sender_or_matter" { // the first reason is the strongest
		f.reason = desk.Reason{Code: code, Detail: map[string]any{"number": f.looksLike[0]}}
	}
}

// candidate is a ticket that something in the mail points to.
type candidate struct {
	code    string // "token", "plus_address" or "reference"
	number  int64  // of a token
	ticket  string // id, of a reference
	message string // id of the message referred to, "" for none
}

func (c candidate) load(app core.App) (*ticket.Ticket, error) {
	if c.ticket != "" {
		return ticket.Find(app, c.ticket)
	}
	return ticket.ByNumber(app, c.number)
}

// candidates lists what a mail points to, the strongest first.
func (in *Intake) candidates(app core.App, l *letter) ([]candidate, error) {
	ids := slices.Clone(l.mail.InReplyTo)
	refs := slices.Clone(l.mail.References)
	slices.Reverse(refs)
	ids = append(ids, refs...)
	if len(ids) > maxRefs {
		ids = ids[:maxRefs]
	}
	var tokens, references []candidate
	for _, id := range ids {
		known, err := message.ByMessageID(app, id)
		if err != nil {
			return nil, err
		}
		if number := in.Tokens.OfMessageID(id); number != 0 {
			c := candidate{code: "token", number: number}
			if len(known) > 0 {
				c.message = known[0].Message
			}
			tokens = append(tokens, c)
			continue
		}
		for _, k := range known {
			references = append(references, candidate{code: "reference", ticket: k.Ticket, message: k.Message})
		}
	}
	for _, a := range l.entry.RcptTo {
		if number := in.Tokens.OfAddress(a); number != 0 {
			tokens = append(tokens, candidate{code: "plus_address", number: number})
		}
	}
	for _, a := range l.mail.To {
		if number := in.Tokens.OfAddress(a.Address); number != 0 {
			tokens = append(tokens, candidate{code: "plus_address", number: number})
		}
	}
	return append(tokens, references...), nil
}

// resemblance adds tickets that a person may want to look at: a number in the
// subject, the same Message-ID, or the same subject from the same customer. It
// never joins anything.
func (in *Intake) resemblance(app core.App, l *letter, who *customer.Customer, twins []*twin, f *found) error {
	if n := numberInSubject.FindStringSubmatch(l.mail.Subject); n != nil {
		number, _ := strconv.ParseInt(n[1], 10, 64)
		t, err := ticket.ByNumber(app, number)
		if err != nil {
			return err
		}
		if t != nil {
			f.like(t.Number, "number_in_subject")
		}
	}
	for _, other := range twins {
		f.like(other.number, "same_message_id")
	}
	base := replyMark.ReplaceAllString(strings.TrimSpace(l.mail.Subject), "")
	if base == "" || base == l.mail.Subject || who.Email == "" { // only an answer resembles
		return nil
	}
	numbers, err := ticket.SameSubject(app, who.ID, ticket.CleanSubject(base), 2)
	for _, number := range numbers {
		f.like(number, "same_subject")
	}
	return err
}

var numberInSubject = regexp.MustCompile(`#(\d{3,12})\b`)

var replyMark = regexp.MustCompile(`^(?i:(re|aw|sv|vs|antw|odp|fw|fwd|wg|tr|rif|res)\s*(\[\d+\])?\s*:\s*)+`)
