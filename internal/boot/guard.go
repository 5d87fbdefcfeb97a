package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// maxSQL bounds a request to PocketBase's SQL console, in bytes.
const maxSQL = 64 << 10

// guardRoutes puts our checks in front of PocketBase's own routes: an ended
// sign-in is none, its SQL console only reads, and no collection is emptied, so
// that nothing is written past the log.
func (d *Desk) guardRoutes(e *core.ServeEvent) {
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "deskbellRetryAfter", Priority: apis.DefaultRateLimitMiddlewarePriority - 1, Func: retryAfter})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "deskbellSession", Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 1, Func: d.Access.Middleware})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "deskbellSQL", Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 2, Func: onlyReads})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "deskbellTruncate", Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 2, Func: keepRows})
}

// retryAfter tells whoever was limited by PocketBase when to come back.
func retryAfter(e *core.RequestEvent) error {
	err := e.Next()
	var limited *router.ApiError
	if errors.As(err, &limited) && limited.Status == http.StatusTooManyRequests && e.Response.Header().Get("Retry-After") == "" {
		e.Response.Header().Set("Retry-After", "60")
	}
	return err
}

// keepRows refuses to empty a collection: PocketBase would delete its rows
// past the checks of deleting one.
func keepRows(e *core.RequestEvent) error {
	if e.Request.Method == http.MethodDelete && strings.HasSuffix(strings.TrimSuffix(e.Request.URL.Path, "/"), "/truncate") {
		return route.Fail(e, desk.Errorf(desk.Forbidden, "The collections of a desk are not emptied: the log would lose what it is about."))
	}
	return e.Next()
}

func onlyReads(e *core.RequestEvent) error {
	if strings.TrimSuffix(e.Request.URL.Path, "/") != "/api/sql" || e.Request.Method != "POST" {
		return e.Next()
	}
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxSQL))
	if err != nil {
		return err
	}
	var form struct {
		Query string `json:"query"`
	}
	refused := desk.Errorf(desk.Refused, "The SQL console of a desk only reads: one SELECT or EXPLAIN. Change things through the desk, so that its log knows.")
	kind, _, _ := mime.ParseMediaType(e.Request.Header.Get("Content-Type"))
	if kind != "application/json" || json.Unmarshal(body, &form) != nil || !readsOnly(form.Query) {
		return route.Fail(e, refused)
	}
	// What goes on is what was checked, however PocketBase would read the rest.
	if body, err = json.Marshal(form); err != nil {
		return err
	}
	e.Request.Body, e.Request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return e.Next()
}

// readsOnly reports whether a query is a single statement that can't write.
func readsOnly(query string) bool {
	query = strings.TrimSpace(query)
	query = strings.TrimSpace(strings.TrimSuffix(query, ";"))
	upper := strings.ToUpper(query)
	return !strings.Contains(query, ";") && (strings.HasPrefix(upper, "SELECT") || strings.HasPrefix(upper, "EXPLAIN"))
}
