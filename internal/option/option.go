// Package option is the registry of the desk's settings. The package that
// obeys a setting registers its field from an init function:
//
//	func init() {
//		option.Register(desk.Field{Key: "mail.undo_s", Label: "Undo window", Kind: desk.FieldNumber, Default: 10})
//	}
//
// setting stores the values, the settings page draws the fields, and both read
// this list. Check is the one place that knows what a value of each kind looks
// like.
package option

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/deskbell/deskbell/internal/desk"
)

// Option is one registered setting.
type Option struct {
	desk.Field
	OwnerOnly bool // an admin may look, only the owner may change

	fallback json.RawMessage
	whole    bool                        // a number without decimals
	check    func(json.RawMessage) error // of the registering package, nil for none
}

// Trait is what a setting has beyond its field.
type Trait func(*Option)

// CheckedBy has check asked after the checks of the kind; it answers nil or a
// desk.Invalid sentence.
func CheckedBy(check func(value json.RawMessage) error) Trait {
	return func(o *Option) { o.check = check }
}

// OwnerOnly keeps everybody but the owner from changing the setting.
func OwnerOnly(o *Option) { o.OwnerOnly = true }

// The registry: filled by init functions, read by everybody.
var (
	mu    sync.RWMutex
	list  []*Option
	byKey = map[string]*Option{}
)

// Register adds a setting. Its key is "owner.name" and reaches the database, so
// it is never renamed. A default of type int makes the number a whole one; a
// nil default is the zero of the kind.
//
// A key registered twice, a key or kind that is none, a default that does not
// pass, or a secret (a secret is sealed in a table of its owner) panics.
func Register(f desk.Field, traits ...Trait) {
	o := &Option{Field: f}
	for _, t := range traits {
		t(o)
	}
	if err := o.prepare(); err != nil {
		panic(fmt.Sprintf("option: %s: %v", f.Key, err))
	}
	mu.Lock()
	defer mu.Unlock()
	if byKey[f.Key] != nil {
		panic("option: " + f.Key + " is registered already")
	}
	byKey[f.Key] = o
	list = append(list, o)
}

// Find returns the setting with the given key, nil when nobody registered it.
func Find(key string) *Option {
	mu.RLock()
	defer mu.RUnlock()
	return byKey[key]
}

// Fields lists every setting: owners in the order in which they registered
// first, the settings of one owner together.
func Fields() []desk.Field {
	mu.RLock()
	defer mu.RUnlock()
	var owners []string
	of := map[string][]desk.Field{}
	for _, o := range list {
		owner, _, _ := strings.Cut(o.Key, ".")
		if of[owner] == nil {
			owners = append(owners, owner)
		}
		of[owner] = append(of[owner], o.Field)
	}
	fields := make([]desk.Field, 0, len(list))
	for _, owner := range owners {
		fields = append(fields, of[owner]...)
	}
	return fields
}

// Fallback is the default as JSON in its canonical form; it is never null.
func (o *Option) Fallback() json.RawMessage { return o.fallback }

// Canonical is the one form in which a checked value is stored and compared:
// no spaces, keys in order, 10 and not 10.0.
func Canonical(value json.RawMessage) json.RawMessage {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return value
	}
	text, err := json.Marshal(v)
	if err != nil {
		return value
	}
	return text
}

// prepare completes the default and checks the entry itself.
func (o *Option) prepare() error {
	owner, name, ok := strings.Cut(o.Key, ".")
	if !ok || owner == "" || name == "" {
		return fmt.Errorf("the key must be \"owner.name\"")
	}
	if o.Label == "" {
		return fmt.Errorf("it has no label")
	}
	if o.Secret {
		return fmt.Errorf("a secret is sealed in a table of its owner")
	}
	if _, ok := zeros[o.Kind]; !ok {
		return fmt.Errorf("%q is no kind of setting", o.Kind)
	}
	if o.Default == nil {
		o.Default = zeros[o.Kind]
	}
	_, o.whole = o.Default.(int)
	text, err := json.Marshal(o.Default)
	if err != nil {
		return err
	}
	o.fallback = Canonical(text)
	if o.Required && string(text) == `""` {
		return nil // asked for at set-up
	}
	return o.Check(text)
}

// zeros is the default of a field that names none, by kind.
var zeros = map[desk.FieldKind]any{
	desk.FieldText:     "",
	desk.FieldNumber:   0,
	desk.FieldBool:     false,
	desk.FieldChoice:   "",
	desk.FieldTimeZone: "UTC",
	desk.FieldHours:    Hours{},
	desk.FieldHTML:     "",
	desk.FieldList:     []string{},
}
