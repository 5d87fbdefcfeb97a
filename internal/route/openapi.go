package route

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// OpenAPI adds the route that describes the others, made from the table itself.
func (t *Table) OpenAPI(path, version string) {
	AddRaw(t, Route{Method: "GET", Path: path, Permission: Public, Summary: "This description"}, func(c *Call) error {
		return c.JSON(http.StatusOK, t.describe(version))
	})
}

type object = map[string]any

func (t *Table) describe(version string) object {
	d := &describer{schemas: object{}}
	paths := object{}
	for _, r := range t.routes {
		path, _ := paths[r.Path].(object)
		if path == nil {
			path = object{}
			paths[r.Path] = path
		}
		path[strings.ToLower(r.Method)] = d.operation(r)
	}
	d.schemas["Error"] = object{"type": "object", "properties": object{
		"status":  object{"type": "integer"},
		"message": object{"type": "string", "description": "One sentence that says what is wrong and how to mend it."}, "data": object{"type": "object"},
	}}
	return object{
		"openapi": "3.1.0", "info": object{"title": "Deskbell", "version": version}, "paths": paths,
		"components": object{"schemas": d.schemas, "securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer"}}},
	}
}

type describer struct{ schemas object }

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (d *describer) operation(r *Route) object {
	op := object{"summary": r.Summary, "operationId": operationID(r)}
	if r.Permission != Public {
		op["security"] = []object{{"bearer": []string{}}}
		op["description"] = "Permission: " + r.Permission
	}
	var params []object
	for _, m := range pathParam.FindAllStringSubmatch(r.Path, -1) {
		params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	if r.In != nil && r.In.Kind() == reflect.Struct {
		_ = eachQueryField(reflect.New(r.In).Elem(), func(name string, v reflect.Value) error {
			params = append(params, object{"name": name, "in": "query", "schema": d.schema(v.Type())})
			return nil
		})
		if r.Method != http.MethodGet && r.Method != http.MethodDelete {
			op["requestBody"] = object{"content": object{"application/json": object{"schema": d.schema(r.In)}}}
		}
	}
	if params != nil {
		op["parameters"] = params
	}
	op["responses"] = d.responses(r)
	return op
}

func operationID(r *Route) string {
	path := strings.TrimPrefix(strings.TrimPrefix(r.Path, "/api/desk/"), "/api/")
	return strings.ToLower(r.Method) + "_" + strings.Trim(regexp.MustCompile(`\W+`).ReplaceAllString(path, "_"), "_")
}

func (d *describer) responses(r *Route) object {
	status, answer := r.Status, object{"description": "Done"}
	switch {
	case r.Out == nil:
	case r.Out == reflect.TypeFor[None]():
		if status == 0 {
			status = http.StatusNoContent
		}
	default:
		answer["content"] = object{"application/json": object{"schema": d.schema(r.Out)}}
	}
	if status == 0 {
		status = http.StatusOK
	}
	fail := object{"description": "What is wrong, in one sentence", "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Error"}}}}
	return object{strconv.Itoa(status): answer, "default": fail}
}

// schema describes a type; named structs become components.
func (d *describer) schema(t reflect.Type) object {
	switch {
	case t.Kind() == reflect.Pointer:
		return d.schema(t.Elem())
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64, reflect.Uint32, reflect.Uint16:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.structure(t)
	}
	return object{}
}

func (d *describer) structure(t reflect.Type) object {
	if strings.HasPrefix(t.Name(), "Optional[") {
		value, _ := t.FieldByName("Value")
		return d.schema(value.Type)
	}
	name := componentName(t)
	if name == "" {
		return d.fields(t)
	}
	if _, known := d.schemas[name]; !known {
		d.schemas[name] = object{} // a type may hold itself
		d.schemas[name] = d.fields(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func componentName(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	pkg := t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]
	return pkg + "." + regexp.MustCompile(`[^\w.]+`).ReplaceAllString(t.Name(), "_")
}

func (d *describer) fields(t reflect.Type) object {
	props := object{}
	d.addFields(t, props)
	return object{"type": "object", "properties": props}
}

func (d *describer) addFields(t reflect.Type, props object) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			d.addFields(inner, props)
		case f.IsExported():
			if name == "" {
				name = f.Name
			}
			props[name] = d.schema(f.Type)
		}
	}
}
