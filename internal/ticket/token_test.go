package ticket_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/ticket"
)

type key string

func (k key) MAC(purpose string, data ...string) []byte {
	h := hmac.New(sha256.New, []byte(k))
	h.Write([]byte(purpose + "\x00" + strings.Join(data, "\x00")))
	return h.Sum(nil)
}

func TestOnlyOurOwnTokensNameATicket(t *testing.T) {
	ours, theirs := ticket.Tokens{Signer: key("ours")}, ticket.Tokens{Signer: key("theirs")}
	id := ours.MessageID("1k86abrn8jt41jj", 1042, "desk.test")
	plus := ours.PlusAddress("support@desk.test", 1042)
	for _, c := range []struct {
		what string
		got  int64
		want int64
	}{
		{"our id", ours.OfMessageID(id), 1042},
		{"our id under another domain", ours.OfMessageID(strings.Replace(id, "desk.test", "relay.test", 1)), 1042},
		{"our address", ours.OfAddress(plus), 1042},
		{"our address in capitals", ours.OfAddress(strings.ToUpper(plus)), 1042},
		{"another number", ours.OfMessageID(strings.Replace(id, ".1042.", ".1043.", 1)), 0},
		{"another delivery", ours.OfMessageID(strings.Replace(id, "1k86", "1k87", 1)), 0},
		{"another key", theirs.OfMessageID(id), 0},
		{"an address with another number", ours.OfAddress(strings.Replace(plus, "1042", "1", 1)), 0},
		{"a plain number", ours.OfAddress("support+t1042@desk.test"), 0},
		{"an id of somebody else", ours.OfMessageID("CAF=abc.def@mail.gmail.com"), 0},
		{"nothing", ours.OfMessageID(""), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, not %d", c.what, c.got, c.want)
		}
	}
}
