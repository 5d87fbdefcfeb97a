package email

import (
	"bytes"
	"errors"
	html "html/template"
	"net/http"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

// page says why a sign-in that came back can't be finished. It needs no script
// and nothing from anywhere.
var page = html.Must(html.New("oauth").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Deskbell</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>The mailbox was not connected</h1><p>{{.Text}}</p><p><a href="{{.Href}}">To the mailboxes</a></p></body></html>
`))

// showPage answers a browser with an error's sentence. What is no sentence for
// people is logged.
func showPage(c *route.Call, err error) error {
	status, text := http.StatusInternalServerError, "An error of our own; the desk's log says more."
	var own *desk.Error
	if errors.As(err, &own) {
		text = own.Text
		status = map[desk.Code]int{desk.Invalid: 400, desk.Forbidden: 403, desk.Conflict: 409, desk.Unavailable: 503}[own.Code]
	} else {
		c.App.Logger().Error("request failed", "path", callbackPath, "error", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, struct{ Text, Href string }{text, mailboxesPage}); err != nil {
		return err
	}
	h := c.Response.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	return c.HTML(status, out.String())
}
