package setting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/option"
	"github.com/pocketbase/pocketbase/core"
)

// Change is one setting that got another value.
type Change struct {
	Key string
	Old json.RawMessage // what counted before, the default if there was no row
	New json.RawMessage // what counts now
}

// Set stores value, a json.RawMessage or anything that json.Marshal turns into
// the kind of the setting, and returns the change, nil when the value was that
// already. JSON null goes back to the default. What does not pass is a
// desk.Invalid sentence. The caller appends the event of the change.
func Set(tx core.App, key string, value any) (*Change, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("set %s: %w", key, err)
	}
	changes, err := Patch(tx, map[string]json.RawMessage{key: text})
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return &changes[0], nil
}

// Patch stores several values at once, all or none, and returns what changed,
// ordered by key. See Set.
func Patch(app core.App, values map[string]json.RawMessage) ([]Change, error) {
	if err := Check(values); err != nil {
		return nil, err
	}
	var changes []Change
	err := app.RunInTransaction(func(tx core.App) error {
		before := stored(tx)
		changed(tx)
		for _, key := range sorted(values) {
			c, err := put(tx, mustFind(key), before[key], values[key])
			if err != nil {
				return fmt.Errorf("store setting %s: %w", key, err)
			}
			if c != nil {
				changes = append(changes, *c)
			}
		}
		return nil
	})
	return changes, err
}

// put stores one checked value; row is its row before, nil for none.
func put(tx core.App, o *option.Option, row, value json.RawMessage) (*Change, error) {
	value = option.Canonical(value)
	c := &Change{Key: o.Key, Old: row, New: value}
	if row == nil {
		c.Old = o.Fallback()
	}
	if isNull(value) {
		c.New = o.Fallback()
		return c.orNil(), remove(tx, o.Key)
	}
	return c.orNil(), write(tx, o.Key, value)
}

func (c *Change) orNil() *Change {
	if bytes.Equal(c.Old, c.New) {
		return nil
	}
	return c
}

// Check tells whether Patch would store values. Its error names the first wrong
// setting in its sentence and all of them in Data, as {key: {code, message}}.
func Check(values map[string]json.RawMessage) error {
	var first *desk.Error
	data := map[string]any{}
	for _, key := range sorted(values) {
		code, sentence := checkOne(key, values[key])
		if sentence == "" {
			continue
		}
		if first == nil {
			first = desk.Errorf(desk.Invalid, "%s", sentence)
		}
		data[key] = map[string]string{"code": code, "message": sentence}
	}
	if first == nil {
		return nil
	}
	first.Data = data
	return first
}

// checkOne answers what is wrong with a value, "" for nothing.
func checkOne(key string, value json.RawMessage) (code, sentence string) {
	o := option.Find(key)
	if o == nil {
		return "unknown", fmt.Sprintf("There is no setting %q; look its name up in the list of settings.", head(key))
	}
	if isNull(value) {
		if bytes.Equal(o.Fallback(), []byte(`""`)) && o.Required {
			return "required", fmt.Sprintf("“%s” has no default; give it a value.", o.Label)
		}
		return "", ""
	}
	if err := o.Check(value); err != nil {
		return "invalid", err.Error()
	}
	return "", ""
}

func isNull(value json.RawMessage) bool {
	return len(value) == 0 || string(bytes.TrimSpace(value)) == "null"
}

func sorted(values map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func head(key string) string {
	if r := []rune(strings.ToValidUTF8(key, "?")); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return key
}
