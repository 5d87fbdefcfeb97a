package conversation

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

// tokenLife is how long a file token opens pictures and mail bodies.
const tokenLife = 10 * time.Minute

// tokens makes the short tokens with which a browser's own elements (pictures,
// frames, downloads), which send no header, reach what the signed-in agent may
// see. They are worthless after a restart or a sign-out.
type tokens struct{ key [32]byte }

func newTokens() (t tokens) {
	_, _ = rand.Read(t.key[:])
	return t
}

func (t tokens) mac(text string) string {
	h := hmac.New(sha256.New, t.key[:])
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

func (t tokens) make(c *route.Caller, now time.Time) (token string, expires time.Time) {
	expires = now.Add(tokenLife)
	text := string(c.Actor.Kind) + "." + c.Actor.ID + "." + c.Session + "." + strconv.FormatInt(expires.Unix(), 36)
	return text + "." + t.mac(text), expires
}

// read answers the actor and session of a token, an error when it is no longer good.
func (t tokens) read(token string, now time.Time) (actor desk.Actor, session string, err error) {
	bad := desk.Errorf(desk.Unauthorized, "This link has expired; open it again from the ticket.")
	i := strings.LastIndexByte(token, '.')
	if i < 0 || !hmac.Equal([]byte(token[i+1:]), []byte(t.mac(token[:i]))) {
		return actor, "", bad
	}
	parts := strings.Split(token[:i], ".")
	if len(parts) != 4 {
		return actor, "", bad
	}
	until, err := strconv.ParseInt(parts[3], 36, 64)
	if err != nil || now.Unix() > until {
		return actor, "", bad
	}
	return desk.Actor{Kind: desk.ActorKind(parts[0]), ID: parts[1]}, parts[2], nil
}
