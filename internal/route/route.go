// Package route is the table of the desk's own HTTP routes. A package adds its
// routes with Add or AddRaw: method, path, permission, input and output type.
// From the one entry come the decoding (unknown fields are refused), the
// permission check, the error shape, the status and the OpenAPI document; a
// test walks the table.
package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Permissions that are no row of the matrix.
const (
	Public   = "public"    // no sign-in; the handler checks a token of its own or answers to anybody
	SignedIn = "signed_in" // any agent or API key
)

// None is the input or output type of a route that has none; a route without
// output answers 204.
type None struct{}

// Route is one entry of the table.
type Route struct {
	Method     string // GET, POST, PATCH, PUT or DELETE
	Path       string // "/api/desk/tickets/{number}"
	Permission string // a permission of the matrix, Public or SignedIn
	Summary    string // one sentence for the OpenAPI document
	Status     int    // of success; 0 = 200, or 204 when there is no output
	MaxBody    int64  // bytes; 0 = 4 MB

	In, Out reflect.Type // nil when a raw handler reads or writes by itself
	handle  func(*Call) error
}

// Caller is who made a request.
type Caller struct {
	Actor       desk.Actor
	Name        string
	Email       string
	Roles       []desk.Role
	Teams       []string          // ids of the teams the caller is a member of
	Session     string            // id of the session, "" for an API key
	Permissions map[string]string // permission -> how far it reaches
}

// Has tells whether the caller holds a permission at all, however far it reaches.
func (c *Caller) Has(permission string) bool { return c != nil && c.Permissions[permission] != "" }

// Call is one request to one route.
type Call struct {
	*core.RequestEvent
	Caller *Caller // nil on a public route without sign-in
	Clock  desk.Clock
}

// Now is the time of the desk.
func (c *Call) Now() time.Time { return c.Clock.Now() }

// IdempotencyKey is the caller's name for this request, "" for none: the same
// key again answers with the first result and does nothing.
func (c *Call) IdempotencyKey() string { return c.Request.Header.Get("Idempotency-Key") }

// Param is a part of the path.
func (c *Call) Param(name string) string { return c.Request.PathValue(name) }

// Gate finds out who calls and whether the caller holds a permission.
type Gate interface {
	// Caller answers nil for a request without sign-in, an error for a bad one.
	Caller(e *core.RequestEvent) (*Caller, error)
}

// Table holds the routes of one desk.
type Table struct {
	routes []*Route
	clock  desk.Clock
}

// New returns an empty table.
func New(clock desk.Clock) *Table { return &Table{clock: clock} }

// All lists the routes in the order in which they were added.
func (t *Table) All() []*Route { return t.routes }

// Add puts a route with typed input and output into the table. For GET and
// DELETE the input is read from the query (field tag `query:"name"`), else from
// the JSON body. A route entered twice panics.
func Add[In, Out any](t *Table, r Route, f func(c *Call, in In) (Out, error)) {
	r.In, r.Out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	r.handle = func(c *Call) error {
		var in In
		if err := decode(c, &in, r.maxBody()); err != nil {
			return err
		}
		out, err := f(c, in)
		if err != nil {
			return err
		}
		return answer(c, r, out)
	}
	t.add(r)
}

// AddRaw puts a route into the table whose handler reads the request and
// writes the response itself.
func AddRaw(t *Table, r Route, f func(c *Call) error) {
	r.handle = f
	t.add(r)
}

func (t *Table) add(r Route) {
	for _, o := range t.routes {
		if o.Method == r.Method && o.Path == r.Path {
			panic("route: " + r.Method + " " + r.Path + " is there already")
		}
	}
	if r.Permission == "" {
		panic("route: " + r.Method + " " + r.Path + " names no permission")
	}
	t.routes = append(t.routes, &r)
}

// Bind makes the routes of the table part of PocketBase's router. PocketBase
// logs their failures, but not each success: what happened stands in our log.
func (t *Table) Bind(e *core.ServeEvent, gate Gate) {
	for _, r := range t.routes {
		e.Router.Route(r.Method, r.Path, t.serve(r, gate)).Bind(apis.SkipSuccessActivityLog())
	}
}

func (t *Table) serve(r *Route, gate Gate) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		c := &Call{RequestEvent: e, Clock: t.clock}
		var err error
		c.Caller, err = gate.Caller(e)
		if err == nil {
			err = allowed(c.Caller, r.Permission)
		} else if r.Permission == Public {
			err = nil
		}
		if err == nil {
			err = r.handle(c)
		}
		if err != nil {
			return Fail(e, err)
		}
		return nil
	}
}

// allowed is the one permission check of the routes; how far a permission
// reaches (all, team, own) is checked where the record is read.
func allowed(who *Caller, permission string) error {
	switch {
	case permission == Public:
		return nil
	case who == nil:
		return desk.Errorf(desk.Unauthorized, "Sign in first.")
	case permission == SignedIn || who.Has(permission):
		return nil
	}
	return desk.Errorf(desk.Forbidden, "Your role does not allow this (%s).", permission)
}

func (r Route) maxBody() int64 {
	if r.MaxBody > 0 {
		return r.MaxBody
	}
	return 4 << 20
}

func answer(c *Call, r Route, out any) error {
	status := r.Status
	if _, none := out.(None); none {
		if status == 0 {
			status = http.StatusNoContent
		}
		return c.NoContent(status)
	}
	if status == 0 {
		status = http.StatusOK
	}
	return c.JSON(status, out)
}

// errFull is the answer to whatever could not be stored for want of space.
var errFull = desk.Errorf(desk.Unavailable, "The disk is full, so this could not be stored. Make room on it and try again.")

// Fail answers err in PocketBase's error shape: a desk.Error with its own
// sentence, a full disk in words, anything else as "Internal error", which is logged.
func Fail(e *core.RequestEvent, err error) error {
	var de *desk.Error
	if !errors.As(err, &de) && desk.DiskFull(err) {
		de = errFull
	}
	if de == nil {
		var pb *router.ApiError
		if errors.As(err, &pb) {
			return err
		}
		e.App.Logger().Error("request failed", "method", e.Request.Method, "path", e.Request.URL.Path, "error", err)
		return e.JSON(500, map[string]any{"status": 500, "message": "Internal error.", "data": map[string]any{}})
	}
	status := de.Code.Status()
	if status == 429 && e.Response.Header().Get("Retry-After") == "" {
		e.Response.Header().Set("Retry-After", "10")
	}
	data := de.Data
	if data == nil {
		data = map[string]any{}
	}
	return e.JSON(status, map[string]any{"status": status, "message": de.Text, "data": data})
}

// List is the shape of every list: items and, when there are more, where to go on.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// ListOf makes a list whose empty form is [] and not null.
func ListOf[T any](items []T, next string) List[T] {
	if items == nil {
		items = []T{}
	}
	l := List[T]{Items: items}
	if next != "" {
		l.NextCursor = &next
	}
	return l
}

// Page is the input of a route that lists.
type Page struct {
	Limit  int    `query:"limit" json:"-"`  // 0 = 50, at most 200
	Cursor string `query:"cursor" json:"-"` // as answered in next_cursor
}

// Size is the number of rows to answer.
func (p Page) Size() int {
	switch {
	case p.Limit <= 0:
		return 50
	case p.Limit > 200:
		return 200
	}
	return p.Limit
}

// Optional tells an absent JSON field from a null one.
type Optional[T any] struct {
	Set   bool // the field was there
	Value *T   // nil when it was null
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		return nil
	}
	o.Value = new(T)
	if err := json.Unmarshal(b, o.Value); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
