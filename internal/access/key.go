package access

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/core"
)

// keyPrefix marks an API key, so that it is found when it leaks.
const keyPrefix = "dk_"

// Key is an API key without its secret.
type Key struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Scopes   []string `json:"scopes"`
	Created  string   `json:"created"`
	Expires  *string  `json:"expires"`   // null = never
	LastUsed *string  `json:"last_used"` // null = never
	Revoked  *string  `json:"revoked"`   // null = works still, unless it expired

	created, expires, used, revoked int64
}

func (k *Key) stamp() {
	k.Created, k.Expires = desk.MustStamp(k.created), desk.Stamp(k.expires)
	k.LastUsed, k.Revoked = desk.Stamp(k.used), desk.Stamp(k.revoked)
}

func (k *Key) works(now int64) bool { return k.revoked == 0 && (k.expires == 0 || k.expires > now) }

// CreateKey makes an API key and returns it; it is shown this once and only its
// hash is kept. A scope is a permission of the matrix or "*" for all of them; a
// zero expires means never.
func (a *Access) CreateKey(by desk.Actor, name string, scopes []string, expires time.Time) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "", desk.Errorf(desk.Invalid, "Give the key a name that says who uses it.")
	}
	if len(scopes) == 0 {
		return "", desk.Errorf(desk.Invalid, "Say what the key may do: one or more of * %s.", strings.Join(Permissions(), " "))
	}
	for _, s := range scopes {
		if s != "*" && !slices.Contains(Permissions(), s) {
			return "", desk.Errorf(desk.Invalid, "There is no scope %q; use * or some of %s.", s, strings.Join(Permissions(), " "))
		}
	}
	now := a.wall.Now()
	if !expires.IsZero() && !expires.After(now) {
		return "", desk.Errorf(desk.Invalid, "The key would have expired already; give a later time.")
	}
	secret := keyPrefix + desk.NewToken() + desk.NewToken()
	key := &Key{ID: desk.NewID(now), Name: name, Scopes: scopes, created: desk.Millis(now), expires: desk.Millis(expires)}
	return secret, a.app.RunInTransaction(func(tx core.App) error {
		if err := insertKey(tx, key, hashToken(secret)); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{Kind: "api_key.created", Subject: key.ID, Actor: by, New: strings.Join(scopes, ",")})
		return err
	})
}

// RevokeKey ends an API key for good.
func (a *Access) RevokeKey(by desk.Actor, id string) error {
	return a.app.RunInTransaction(func(tx core.App) error {
		n, err := revokeKey(tx, id, desk.Millis(a.wall.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return desk.Errorf(desk.NotFound, "There is no such key, or it was revoked already.")
		}
		_, err = a.log.Append(tx, desk.Event{Kind: "api_key.revoked", Subject: id, Actor: by})
		return err
	})
}

var errKey = desk.Errorf(desk.Unauthorized, "This API key is not valid (any more); make a new one.")

func (a *Access) callerOfKey(secret string) (*route.Caller, error) {
	key, err := keyOf(a.app, hashToken(secret))
	if err != nil {
		return nil, err
	}
	now := desk.Millis(a.wall.Now())
	if key == nil || !key.works(now) {
		return nil, errKey
	}
	if now-key.used > seenEvery {
		if err := touchKey(a.app, key.ID, now); err != nil { // as of a session
			a.app.Logger().Warn("when a key was last used could not be stored", "error", err)
		}
	}
	return key.caller(), nil
}

// caller is who the key speaks for.
func (k *Key) caller() *route.Caller {
	c := &route.Caller{Actor: desk.Actor{Kind: desk.ActorAPIKey, ID: k.ID}, Name: k.Name, Permissions: map[string]string{}}
	for _, s := range k.Scopes {
		if s == "*" {
			c.Permissions = permissionsOf([]desk.Role{desk.RoleOwner})
			break
		}
		c.Permissions[s] = string(ReachAll)
	}
	return c
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
