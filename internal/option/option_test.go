package option

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

func TestCheckSaysWhatToMend(t *testing.T) {
	number := desk.Field{Kind: desk.FieldNumber, Min: new(0.0), Max: new(60.0), Unit: "s", Default: 10}
	choice := desk.Field{Kind: desk.FieldChoice, Options: []desk.Option{{Value: "tls"}, {Value: "none"}}}
	for _, c := range []struct {
		field       desk.Field
		value, want string // want: part of the sentence, "" when the value is fine
	}{
		{number, `0`, ""},
		{number, `60`, ""},
		{number, `61`, "must lie between 0 and 60 s"},
		{number, `-1`, "must lie between 0 and 60 s"},
		{number, `1.5`, "whole number"},
		{number, `"10"`, "must be a number"},
		{number, `null`, "must be a number"},
		{desk.Field{Kind: desk.FieldNumber, Default: 1.5, Min: new(1.0)}, `1.25`, ""},
		{desk.Field{Kind: desk.FieldNumber, Default: 1.5, Min: new(1.0)}, `0`, "at least 1"},
		{desk.Field{Kind: desk.FieldNumber, Max: new(9.0)}, `10`, "at most 9"},
		{desk.Field{Kind: desk.FieldNumber, Max: new(1e99)}, `1e60`, "whole number"},
		{desk.Field{Kind: desk.FieldText}, `"<b>Tea & Co</b>"`, ""},
		{desk.Field{Kind: desk.FieldText}, `""`, ""},
		{desk.Field{Kind: desk.FieldText, Required: true}, `"  "`, "must not be empty"},
		{desk.Field{Kind: desk.FieldText}, `"a\nb"`, "line break"},
		{desk.Field{Kind: desk.FieldText}, `"` + strings.Repeat("ü", 1001) + `"`, "longer than 1000"},
		{desk.Field{Kind: desk.FieldText}, `5`, "must be text"},
		{desk.Field{Kind: desk.FieldHTML}, `"<p>a</p>\n"`, ""},
		{desk.Field{Kind: desk.FieldHTML}, `"` + strings.Repeat("x", 100_001) + `"`, "longer than 100 kB"},
		{desk.Field{Kind: desk.FieldBool}, `true`, ""},
		{desk.Field{Kind: desk.FieldBool}, `1`, "true or false"},
		{choice, `"tls"`, ""},
		{choice, `"ssl"`, "one of tls, none"},
		{desk.Field{Kind: desk.FieldTimeZone}, `"Europe/Berlin"`, ""},
		{desk.Field{Kind: desk.FieldTimeZone}, `"Local"`, "time zone"},
		{desk.Field{Kind: desk.FieldTimeZone}, `"Europe/Bonn"`, "time zone"},
		{desk.Field{Kind: desk.FieldTimeZone}, `""`, "time zone"},
		{desk.Field{Kind: desk.FieldTimeZone}, `"../../etc/passwd"`, "time zone"},
		{desk.Field{Kind: desk.FieldList}, `["a","b"]`, ""},
		{desk.Field{Kind: desk.FieldList}, `[]`, ""},
		{desk.Field{Kind: desk.FieldList}, `["a"," "]`, "empty entry"},
		{desk.Field{Kind: desk.FieldList}, `["a","b\nc"]`, "number 2"},
		{desk.Field{Kind: desk.FieldList}, `"a"`, "list of texts"},
		{desk.Field{Kind: desk.FieldList, Options: choice.Options}, `["ssl"]`, "only tls, none"},
		{desk.Field{Kind: desk.FieldHours}, `{}`, ""},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["09:00","12:00"],["12:00","24:00"]],"sun":[]}`, ""},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["09:00","12:00"],["11:00","13:00"]]}`, "overlap"},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["17:00","09:00"]]}`, "close after it opens"},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["9:00","17:00"]]}`, "as in 09:00"},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["09:00","25:00"]]}`, "as in 09:00"},
		{desk.Field{Kind: desk.FieldHours}, `{"monday":[]}`, "days are mon"},
		{desk.Field{Kind: desk.FieldHours}, `[]`, "spans for each day"},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["09:00"]]}`, "spans for each day"},
		{desk.Field{Kind: desk.FieldHours}, `{"mon":[["09:00","10:00","11:00"]]}`, "spans for each day"},
		{desk.Field{Kind: desk.FieldHours}, `null`, "spans for each day"},
	} {
		c.field.Key, c.field.Label = "test.field", "The field"
		o := &Option{Field: c.field}
		if err := o.prepare(); err != nil {
			t.Fatalf("prepare %s: %v", c.field.Kind, err)
		}
		err := o.Check(json.RawMessage(c.value))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %.60s: refused: %v", c.field.Kind, c.value, err)
		case c.want != "" && err == nil:
			t.Errorf("%s %.60s: accepted", c.field.Kind, c.value)
		case c.want != "" && (!strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "“The field” ")):
			t.Errorf("%s %.60s: says %q, want %q in it", c.field.Kind, c.value, err, c.want)
		case err != nil && desk.CodeOf(err) != desk.Invalid:
			t.Errorf("%s %.60s: code %q", c.field.Kind, c.value, desk.CodeOf(err))
		}
	}
}

func TestRegisterPanics(t *testing.T) {
	fine := desk.Field{Key: "test.twice", Label: "Twice", Kind: desk.FieldBool}
	Register(fine)
	for name, f := range map[string]desk.Field{
		"twice":         fine,
		"no owner":      {Key: "name", Label: "x", Kind: desk.FieldText},
		"no label":      {Key: "a.b", Kind: desk.FieldText},
		"secret":        {Key: "a.b", Label: "x", Kind: desk.FieldText, Secret: true},
		"unknown kind":  {Key: "a.b", Label: "x", Kind: "colour"},
		"wrong default": {Key: "a.b", Label: "x", Kind: desk.FieldNumber, Max: new(1.0), Default: 2},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Register(f)
		})
	}
}

func TestFieldsKeepAnOwnersSettingsTogether(t *testing.T) {
	for _, key := range []string{"zeta.one", "alpha.one", "zeta.two"} {
		Register(desk.Field{Key: key, Label: key, Kind: desk.FieldText})
	}
	var got []string
	for _, f := range Fields() {
		if strings.HasPrefix(f.Key, "zeta.") || strings.HasPrefix(f.Key, "alpha.") {
			got = append(got, f.Key)
		}
	}
	if s := strings.Join(got, " "); s != "zeta.one zeta.two alpha.one" {
		t.Errorf("order is %s", s)
	}
	if string(Find("zeta.one").Fallback()) != `""` || Find("zeta.three") != nil {
		t.Error("Find or Fallback is wrong")
	}
}

func TestHours(t *testing.T) {
	h, err := ParseHours(json.RawMessage(`{"fri":[["09:30","24:00"]]}`))
	if err != nil {
		t.Fatal(err)
	}
	from, to := h.On(time.Friday)[0].Minutes()
	if from != 570 || to != 1440 || len(h.On(time.Sunday)) != 0 || h.Closed() || !(Hours{}).Closed() {
		t.Errorf("got %d to %d", from, to)
	}
}
