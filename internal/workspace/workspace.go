// Package workspace serves the agents' pages: the built single-page app with
// its policies, and what every page of it needs to know first.
package workspace

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// App serves the built workspace.
type App struct {
	files  fs.FS
	mu     sync.Mutex
	packed map[string][]byte // gzip, by name
}

// NewApp returns the workspace that files holds.
func NewApp(files fs.FS) *App { return &App{files: files, packed: map[string][]byte{}} }

// Bind serves the workspace under every address that nothing else has.
func (a *App) Bind(e *core.ServeEvent) {
	e.Router.GET("/{path...}", a.serve)
}

func (a *App) serve(e *core.RequestEvent) error {
	name := strings.TrimPrefix(path.Clean("/"+e.Request.PathValue("path")), "/")
	if strings.HasPrefix(name, "api/") {
		return e.NotFoundError("There is nothing at this address.", nil)
	}
	if strings.HasPrefix(name, "assets/") || name == "favicon.svg" || name == "robots.txt" {
		return a.asset(e, name)
	}
	if path.Ext(name) != "" && !strings.HasSuffix(name, ".html") {
		if _, err := fs.Stat(a.files, name); err == nil {
			return a.asset(e, name)
		}
		return e.NotFoundError("There is nothing at this address.", nil)
	}
	return a.page(e)
}

// page answers the app's one page with a fresh nonce: only the scripts it names
// run, and nothing that was uploaded here.
func (a *App) page(e *core.RequestEvent) error {
	html, err := fs.ReadFile(a.files, "index.html")
	if err != nil {
		return e.HTML(http.StatusServiceUnavailable, noBuild)
	}
	var raw [16]byte
	_, _ = rand.Read(raw[:])
	nonce := base64.StdEncoding.EncodeToString(raw[:])
	html = bytes.ReplaceAll(html, []byte("<script "), []byte(`<script nonce="`+nonce+`" `))
	html = bytes.ReplaceAll(html, []byte(`<link rel="modulepreload"`), []byte(`<link rel="modulepreload" nonce="`+nonce+`"`))
	h := e.Response.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"' 'strict-dynamic'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; worker-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	return e.HTML(http.StatusOK, string(html))
}

const noBuild = `<!doctype html><meta charset="utf-8"><title>Deskbell</title><p>The workspace was not built into this executable. Build it with <code>make build</code>.</p>`

func (a *App) asset(e *core.RequestEvent, name string) error {
	content, err := fs.ReadFile(a.files, name)
	if err != nil {
		return e.NotFoundError("There is nothing at this address.", nil)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	h := e.Response.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if squeezable(kind) && strings.Contains(e.Request.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = a.gzip(name, content)
	}
	return e.Blob(http.StatusOK, kind, content)
}

func squeezable(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.Contains(kind, "javascript") || strings.Contains(kind, "json") || strings.Contains(kind, "svg")
}

// gzip packs a file once.
func (a *App) gzip(name string, content []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.packed[name]; ok {
		return p
	}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(content)                               // a buffer takes everything
	_ = w.Close()
	a.packed[name] = b.Bytes()
	return b.Bytes()
}
