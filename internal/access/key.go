package access

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// keyPrefix marks an API key, so that it is found when it leaks.
const keyPrefix = "dk_"

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
	key, id := keyPrefix+desk.NewToken()+desk.NewToken(), desk.NewID(now)
	list, err := json.Marshal(scopes)
	if err != nil {
		return "", err
	}
	return key, a.app.RunInTransaction(func(tx core.App) error {
		if err := sqlite.Exec(tx, "INSERT INTO api_keys (id, name, token_hash, scopes, created, expires, last_used, revoked) VALUES (?,?,?,?,?,?,0,0)",
			id, name, hashToken(key), string(list), desk.Millis(now), desk.Millis(expires)); err != nil {
			return err
		}
		_, err := a.log.Append(tx, desk.Event{Kind: "api_key.created", Subject: id, Actor: by})
		return err
	})
}

func (a *Access) callerOfKey(key string) (*route.Caller, error) {
	var id, name, scopes string
	var expires, used, revoked int64
	found, err := sqlite.One(a.app, []any{&id, &name, &scopes, &expires, &used, &revoked},
		"SELECT id, name, scopes, expires, last_used, revoked FROM api_keys WHERE token_hash = ?", hashToken(key))
	if err != nil {
		return nil, err
	}
	now := desk.Millis(a.wall.Now())
	if !found || revoked != 0 || expires != 0 && expires <= now {
		return nil, desk.Errorf(desk.Unauthorized, "This API key is not valid (any more); make a new one.")
	}
	if now-used > seenEvery {
		if err := sqlite.Exec(a.app, "UPDATE api_keys SET last_used = ? WHERE id = ?", now, id); err != nil { // as of a session
			a.app.Logger().Warn("when a key was last used could not be stored", "error", err)
		}
	}
	var list []string
	if err := json.Unmarshal([]byte(scopes), &list); err != nil {
		return nil, err
	}
	c := &route.Caller{Actor: desk.Actor{Kind: desk.ActorAPIKey, ID: id}, Name: name, Permissions: map[string]string{}}
	for _, s := range list {
		if s == "*" {
			c.Permissions = permissionsOf([]desk.Role{desk.RoleOwner})
			break
		}
		c.Permissions[s] = string(ReachAll)
	}
	return c, nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Names resolves actors to the names people know them by; an unknown one is
// left out.
func Names(app core.App, kind desk.ActorKind, ids []string) (map[string]string, error) {
	out := map[string]string{}
	table := map[desk.ActorKind]string{desk.ActorAgent: agentsCollection, desk.ActorAPIKey: "api_keys"}[kind]
	if table == "" || len(ids) == 0 {
		return out, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id, name string
		err := r.Scan(&id, &name)
		out[id] = name
		return err
	}, "SELECT id, name FROM "+table+" WHERE id IN ("+sqlite.Marks(len(ids))+")", args...)
	return out, err
}
