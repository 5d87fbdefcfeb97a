package setting

import (
	"database/sql"
	"encoding/json"

	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// Collection is the name of the collection of settings.
const Collection = "settings"

// readAll returns every stored value by key; never nil without an error.
func readAll(app core.App) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	return values, sqlite.Each(app, func(r *sql.Rows) error {
		var key, value string
		if err := r.Scan(&key, &value); err != nil {
			return err
		}
		values[key] = json.RawMessage(value)
		return nil
	}, "SELECT key, value FROM settings WHERE value IS NOT NULL")
}

func write(tx core.App, key string, value json.RawMessage) error {
	return sqlite.Exec(tx, "INSERT INTO settings (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		key, string(value))
}

func remove(tx core.App, key string) error {
	return sqlite.Exec(tx, "DELETE FROM settings WHERE key = ?", key)
}
