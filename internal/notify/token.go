package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// life is how long a notice can be answered.
const life = 14 * 24 * time.Hour

// Secrets signs and seals with keys of the desk; *secret.Box is one.
type Secrets interface {
	MAC(purpose string, data ...string) []byte
	Seal(purpose, plain string) (string, error)
	Open(purpose, sealed string) (string, error)
}

// A Message-ID of ours is "notice.RANDOM.CODE.MARK@domain". The mark tells it from
// those of others, and is no secret; the code can't be made up.
const firstPart = "notice"

var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func mark(s Secrets) string { return idText.EncodeToString(s.MAC("notice-mark")[:5]) }

// code binds the random part to what the notice is about.
func code(s Secrets, random string, n *notice) string {
	return idText.EncodeToString(s.MAC("notice", random, n.Ticket, n.Agent, n.Message, strconv.FormatInt(n.Expires, 10))[:16])
}

// newID makes the Message-ID of a notice and notes its hash there.
func newID(s Secrets, n *notice, domain string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	random := idText.EncodeToString(b[:])
	local := strings.Join([]string{firstPart, random, code(s, random, n), mark(s)}, ".")
	n.Hash = hashOf(local)
	return local + "@" + domain
}

// parts takes a Message-ID of ours apart; ok is false for any other.
func parts(s Secrets, id string) (local, random, code string, ok bool) {
	local, _, _ = strings.Cut(strings.ToLower(strings.Trim(strings.TrimSpace(id), "<>")), "@")
	p := strings.Split(local, ".")
	if len(p) != 4 || p[0] != firstPart || !hmac.Equal([]byte(p[3]), []byte(mark(s))) {
		return "", "", "", false
	}
	return local, p[1], p[2], true
}

// Named reports whether a Message-ID is, or claims to be, that of a notice of ours.
func (n *Notices) Named(messageID string) bool {
	_, _, _, ok := parts(n.Secrets, messageID)
	return ok
}

func hashOf(local string) string {
	sum := sha256.Sum256([]byte(local))
	return hex.EncodeToString(sum[:])
}

// genuine reports whether a code is the one that was made for a notice.
func genuine(s Secrets, random, given string, n *notice) bool {
	return hmac.Equal([]byte(given), []byte(code(s, random, n)))
}
