package desk

// FieldKind says how a field is drawn and checked.
type FieldKind string

// The kinds of field.
const (
	FieldText     FieldKind = "text"
	FieldNumber   FieldKind = "number"
	FieldBool     FieldKind = "bool"
	FieldChoice   FieldKind = "choice"
	FieldTimeZone FieldKind = "time_zone"
	FieldHours    FieldKind = "hours"
	FieldHTML     FieldKind = "html"
	FieldList     FieldKind = "list"
)

// Option is one choice of a FieldChoice.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Field describes one setting, so that the UI draws it and the API checks it.
type Field struct {
	Key      string    `json:"key"`                // stable, "owner.name"; reaches the database
	Label    string    `json:"label"`              // what it is, a few words
	Help     string    `json:"help,omitempty"`     // one sentence, "" for none
	Kind     FieldKind `json:"kind"`               //
	Options  []Option  `json:"options,omitempty"`  // of a choice
	Min      *float64  `json:"min,omitempty"`      // of a number, nil for no bound
	Max      *float64  `json:"max,omitempty"`      // of a number, nil for no bound
	Unit     string    `json:"unit,omitempty"`     // of a number, such as "s"
	Required bool      `json:"required,omitempty"` //
	Default  any       `json:"default,omitempty"`  // nil for the zero of its kind
	Secret   bool      `json:"-"`                  // never leaves the server
}
