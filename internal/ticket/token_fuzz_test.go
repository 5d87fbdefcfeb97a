package ticket

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"
)

type signer string

// MAC implements Signer.
func (s signer) MAC(purpose string, data ...string) []byte {
	h := hmac.New(sha256.New, []byte(s))
	h.Write([]byte(strings.Join(append([]string{purpose}, data...), "\x00")))
	return h.Sum(nil)
}

// FuzzToken holds that nobody makes up a Message-ID or an address that the desk
// takes for one of its own.
func FuzzToken(f *testing.F) {
	tokens := Tokens{signer("a secret for the tests")}
	id, address := tokens.MessageID("delivery1", 1042, "desk.test"), tokens.PlusAddress("support@desk.test", 1042)
	mac := strings.Split(strings.Split(id, "@")[0], ".")[2]
	for _, seed := range []string{id, address, "x.1042.aaaaaaaaaaaaaaaa@desk.test", "support+1042.aaaa@desk.test", "support+@desk.test", "", "@", "..@", strings.Repeat("1.", 500)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n := tokens.OfMessageID(text); n != 0 && (n != 1042 || !strings.HasPrefix(text, "delivery1.") || !strings.Contains(text, mac)) {
			t.Errorf("%q is taken for a mail of #%d", text, n)
		}
		if n := tokens.OfAddress(text); n != 0 && n != 1042 {
			t.Errorf("%q is taken for the address of #%d", text, n)
		}
	})
}
