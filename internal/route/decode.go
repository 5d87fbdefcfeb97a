package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

// decode reads the input of a call into in, a pointer to a struct.
func decode(c *Call, in any, maxBody int64) error {
	v := reflect.ValueOf(in).Elem()
	if v.Type() == reflect.TypeFor[None]() {
		return nil
	}
	if c.Request.Method == http.MethodGet || c.Request.Method == http.MethodDelete {
		return decodeQuery(c, v)
	}
	if err := decodeBody(c, in, maxBody); err != nil {
		return err
	}
	return decodeQuery(c, v)
}

func decodeBody(c *Call, in any, maxBody int64) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response, c.Request.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return desk.Errorf(desk.TooLarge, "The request is larger than %d MB; send less at once.", maxBody>>20)
		}
		return desk.Errorf(desk.Invalid, "The request could not be read to its end; send it again.")
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return bodyError(err)
	}
	if d.More() {
		return desk.Errorf(desk.Invalid, "The request holds more than one JSON value; send one object.")
	}
	return nil
}

// bodyError says in words what is wrong with a JSON body.
func bodyError(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return desk.Errorf(desk.Invalid, "The field %q must be %s.", kind.Field, kindWord(kind.Type)).
			With(kind.Field, map[string]string{"code": "kind", "message": "Must be " + kindWord(kind.Type) + "."})
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return desk.Errorf(desk.Invalid, "There is no field %s here; leave it out or mend its name.", name)
	}
	return desk.Errorf(desk.Invalid, "The request is not a JSON object: %s.", strings.TrimPrefix(err.Error(), "json: "))
}

func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a number"
	}
}

// decodeQuery fills the fields that carry a query tag.
func decodeQuery(c *Call, v reflect.Value) error {
	query := c.Request.URL.Query()
	return eachQueryField(v, func(name string, f reflect.Value) error {
		if !query.Has(name) {
			return nil
		}
		return setQuery(name, query.Get(name), f)
	})
}

func eachQueryField(v reflect.Value, f func(name string, v reflect.Value) error) error {
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			if err := eachQueryField(v.Field(i), f); err != nil {
				return err
			}
			continue
		}
		if name := field.Tag.Get("query"); name != "" {
			if err := f(name, v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func setQuery(name, text string, f reflect.Value) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return desk.Errorf(desk.Invalid, "The parameter %s must be a whole number.", name)
		}
		f.SetInt(n)
	case reflect.Bool:
		f.SetBool(text == "1" || text == "true")
	default:
		panic(fmt.Sprintf("route: query field %s of kind %s", name, f.Kind()))
	}
	return nil
}
