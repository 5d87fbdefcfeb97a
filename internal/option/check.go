package option

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/deskbell/deskbell/internal/desk"
)

// Bounds of the kinds that have none of their own.
const (
	maxText  = 1_000   // characters of a text or of one entry of a list
	maxHTML  = 100_000 // bytes
	maxItems = 1_000   // entries of a list
)

// Check tells whether value may be stored: nil, or a desk.Invalid sentence that
// names the setting by its label and says how to mend it.
func (o *Option) Check(value json.RawMessage) error {
	var err error
	switch o.Kind {
	case desk.FieldText:
		err = o.checkText(value)
	case desk.FieldNumber:
		err = o.checkNumber(value)
	case desk.FieldBool:
		err = o.checkBool(value)
	case desk.FieldChoice:
		err = o.checkChoice(value)
	case desk.FieldTimeZone:
		err = o.checkTimeZone(value)
	case desk.FieldHours:
		err = o.checkHours(value)
	case desk.FieldHTML:
		err = o.checkHTML(value)
	case desk.FieldList:
		err = o.checkList(value)
	}
	if err == nil && o.check != nil {
		err = o.check(value)
	}
	return err
}

func (o *Option) checkText(value json.RawMessage) error {
	s, err := o.text(value)
	if err != nil {
		return err
	}
	if len([]rune(s)) > maxText {
		return o.wrong("is longer than %d characters; shorten it", maxText)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return o.wrong("holds a line break or another control character; write it in one line")
	}
	return nil
}

func (o *Option) checkHTML(value json.RawMessage) error {
	s, err := o.text(value)
	if err == nil && len(s) > maxHTML {
		return o.wrong("is longer than %d kB; shorten it", maxHTML/1000)
	}
	return err
}

// text reads a string and asks for one where the setting is required.
func (o *Option) text(value json.RawMessage) (string, error) {
	var s string
	if !decode(value, &s) {
		return "", o.wrong("must be text")
	}
	if o.Required && strings.TrimSpace(s) == "" {
		return "", o.wrong("must not be empty")
	}
	return s, nil
}

func (o *Option) checkNumber(value json.RawMessage) error {
	var n float64
	if !decode(value, &n) {
		return o.wrong("must be a number")
	}
	if o.whole && (n != math.Trunc(n) || math.Abs(n) > 1<<53) {
		return o.wrong("must be a whole number")
	}
	low, high := o.Min, o.Max
	switch {
	case low != nil && high != nil && (n < *low || n > *high):
		return o.wrong("must lie between %s and %s%s", number(*low), number(*high), o.unit())
	case low != nil && n < *low:
		return o.wrong("must be at least %s%s", number(*low), o.unit())
	case high != nil && n > *high:
		return o.wrong("must be at most %s%s", number(*high), o.unit())
	}
	return nil
}

func (o *Option) unit() string {
	if o.Unit == "" {
		return ""
	}
	return " " + o.Unit
}

func (o *Option) checkBool(value json.RawMessage) error {
	var b bool
	if !decode(value, &b) {
		return o.wrong("must be true or false")
	}
	return nil
}

func (o *Option) checkChoice(value json.RawMessage) error {
	s, err := o.text(value)
	if err != nil || s == "" || o.offers(s) {
		return err
	}
	return o.wrong("must be one of %s", o.words())
}

func (o *Option) checkTimeZone(value json.RawMessage) error {
	s, err := o.text(value)
	if err != nil {
		return err
	}
	if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
		return o.wrong("must be the name of a time zone, such as Europe/Berlin")
	}
	return nil
}

func (o *Option) checkHours(value json.RawMessage) error {
	hours, err := ParseHours(value)
	if err != nil {
		return o.wrong("%s", err)
	}
	if o.Required && hours.Closed() {
		return o.wrong("must open on one day at least")
	}
	return nil
}

func (o *Option) checkList(value json.RawMessage) error {
	var entries []string
	if !decode(value, &entries) {
		return o.wrong("must be a list of texts")
	}
	if o.Required && len(entries) == 0 {
		return o.wrong("must have one entry at least")
	}
	if len(entries) > maxItems {
		return o.wrong("has more than %d entries; leave some out", maxItems)
	}
	for i, e := range entries {
		switch {
		case strings.TrimSpace(e) == "":
			return o.wrong("has an empty entry; take it out")
		case len([]rune(e)) > maxText || strings.ContainsFunc(e, unicode.IsControl):
			return o.wrong("has an entry (number %d) that is too long or holds a line break", i+1)
		case len(o.Options) > 0 && !o.offers(e):
			return o.wrong("may hold only %s", o.words())
		}
	}
	return nil
}

func (o *Option) offers(value string) bool {
	return slices.ContainsFunc(o.Options, func(c desk.Option) bool { return c.Value == value })
}

func (o *Option) words() string {
	words := make([]string, len(o.Options))
	for i, c := range o.Options {
		words[i] = c.Value
	}
	return strings.Join(words, ", ")
}

// wrong is the sentence about a value that may not be stored.
func (o *Option) wrong(format string, args ...any) error {
	return desk.Errorf(desk.Invalid, "“%s” %s.", o.Label, fmt.Sprintf(format, args...))
}

// decode reads exactly what v is; null is nothing.
func decode(value json.RawMessage, v any) bool {
	return string(value) != "null" && json.Unmarshal(value, v) == nil
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
