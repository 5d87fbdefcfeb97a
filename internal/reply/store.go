package reply

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// boundKey binds a caller's key to what it was used for, so that the same key on
// another request is another key. "" stays "".
func boundKey(verb string, number int64, key string) string {
	if key == "" {
		return ""
	}
	if len(key) > 200 {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:])
	}
	return verb + "/" + strconv.FormatInt(number, 10) + "/" + key
}

// doneBefore answers the result of a request that was made under the same key.
func doneBefore(tx core.App, by desk.Actor, key string) (result string, err error) {
	if key == "" {
		return "", nil
	}
	_, err = sqlite.One(tx, []any{&result}, "SELECT result FROM requests_done WHERE actor = ? AND key = ?", by.ID, key)
	return result, err
}

// remember keeps the result of a request for doneBefore.
func remember(tx core.App, by desk.Actor, key, result string, now int64) error {
	if key == "" {
		return nil
	}
	return sqlite.Exec(tx, "INSERT INTO requests_done (actor, key, result, at) VALUES (?,?,?,?)", by.ID, key, result, now)
}

// forget drops the results of requests made before a time.
func forget(app core.App, before int64) error {
	return sqlite.Exec(app, "DELETE FROM requests_done WHERE at < ?", before)
}
