package conversation

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/richtext"
	"github.com/deskbell/deskbell/internal/route"
)

// bodyPolicy is the page's own Content-Security-Policy: nothing runs, nothing
// loads but pictures from here, and only our own pages may frame it.
const bodyPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; " +
	"sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"

var bodyPage = template.Must(template.New("body").Parse(`<!doctype html><html><head><meta charset="utf-8"><base target="_blank"><style>
html{color-scheme:light}body{margin:0;font:14px/1.6 "Inter Variable",Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:#1c1b22;background:#fff;overflow-wrap:anywhere}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}a{color:#2a41b0}blockquote{margin:0 0 0 8px;padding-left:12px;border-left:2px solid #d4d0c6;color:#504d59}
p:first-child{margin-top:0}details{margin-top:8px}summary{display:inline-flex;list-style:none;cursor:pointer;background:#f2f0ec;border-radius:999px;padding:0 10px;line-height:18px;color:#504d59;font-weight:600;letter-spacing:1px}
summary::-webkit-details-marker{display:none}details>div{margin-top:8px}</style></head><body>{{.Visible}}{{if .Quoted}}<details><summary title="{{.More}}" aria-label="{{.More}}">•••</summary><div>{{.Quoted}}</div></details>{{end}}</body></html>`))

// body answers a message as a page of its own, for a frame without scripts.
// Remote pictures show only when asked for, and through our guarded proxy.
func (s *Conversations) body(c *route.Call) error {
	who, err := s.caller(c)
	if err != nil {
		return err
	}
	m, _, err := s.messageFor(c, who)
	if err != nil {
		return err
	}
	files, err := file.OfMessages(c.App, []string{m.ID})
	if err != nil {
		return err
	}
	show := s.pictures(c, m, files[m.ID])
	data := struct {
		Visible, Quoted template.HTML
		More            string
	}{More: "Show the quoted part"}
	if m.HTML != "" || m.HTMLQuoted != "" {
		// Safe: sanitised at intake, and only picture sources of ours changed since.
		data.Visible = template.HTML(richtext.RewriteImages(m.HTML, show))
		data.Quoted = template.HTML(richtext.RewriteImages(m.HTMLQuoted, show))
	} else {
		data.Visible = template.HTML(richtext.FromText(m.VisibleText))
		if rest := strings.TrimPrefix(m.Text, m.VisibleText); len(strings.TrimSpace(rest)) > 0 && len(m.Text) > len(m.VisibleText)+2 {
			data.Quoted = template.HTML(richtext.FromText(rest))
		}
	}
	h := c.Response.Header()
	h.Set("Content-Security-Policy", bodyPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	return bodyPage.Execute(c.Response, data)
}

// pictures decides where each picture of a message comes from.
func (s *Conversations) pictures(c *route.Call, m *message.Message, files []file.File) func(string) (string, bool) {
	query := c.Request.URL.Query()
	token, remote := query.Get("token"), query.Get("images") == "1"
	inline := inlineFiles(files)
	return func(src string) (string, bool) {
		lower := strings.ToLower(src)
		switch {
		case strings.HasPrefix(lower, "cid:"):
			id, err := url.PathUnescape(src[4:])
			f, ok := inline[strings.ToLower(id)]
			if err != nil || !ok {
				return "", false
			}
			return f.URL() + "?token=" + url.QueryEscape(token), true
		case strings.HasPrefix(src, "/api/desk/files/"):
			return src + "?token=" + url.QueryEscape(token), true
		case strings.HasPrefix(lower, "data:"):
			return src, true
		case remote && (strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") || strings.HasPrefix(src, "//")):
			return "/api/desk/images?token=" + url.QueryEscape(token) + "&message=" + m.ID + "&url=" + url.QueryEscape(src), true
		}
		return "", false
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
