package conversation

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/route"
)

const (
	maxPicture     = 10 << 20
	pictureTimeout = 15 * time.Second
)

// Images fetches remote pictures of mails for browsers, so that a sender sees
// the desk and not the agent, and never reaches into the owner's network.
type Images struct{ client *http.Client }

// NewImages returns a proxy that connects by dial, a guarded one.
func NewImages(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Images {
	return &Images{&http.Client{
		Timeout:   pictureTimeout,
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, Proxy: nil, ResponseHeaderTimeout: pictureTimeout},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > 4 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// Routes adds the proxy; a picture is fetched only for who may see the message.
func (i *Images) Routes(t *route.Table, s *Conversations) {
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/images", Permission: route.Public, Summary: "A remote picture of a mail, fetched by the desk"},
		func(c *route.Call) error {
			who, err := s.caller(c)
			if err != nil {
				return err
			}
			query := c.Request.URL.Query()
			c.Request.SetPathValue("id", query.Get("message"))
			m, _, err := s.messageFor(c, who)
			if err != nil {
				return err
			}
			src := query.Get("url")
			if !strings.Contains(m.HTML+m.HTMLQuoted, htmlAttr(src)) && !strings.Contains(m.HTML+m.HTMLQuoted, src) {
				return desk.Errorf(desk.NotFound, "This picture is not part of the message.")
			}
			return i.serve(c, src)
		})
}

func htmlAttr(s string) string { return strings.ReplaceAll(s, "&", "&amp;") }

func (i *Images) serve(c *route.Call, src string) error {
	if strings.HasPrefix(src, "//") {
		src = "https:" + src
	}
	u, err := url.Parse(src)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return desk.Errorf(desk.Invalid, "This is not the address of a picture.")
	}
	req, err := http.NewRequestWithContext(c.Request.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		return desk.Errorf(desk.Invalid, "This is not the address of a picture.")
	}
	req.Header.Set("User-Agent", "Deskbell")
	req.Header.Set("Accept", "image/*")
	resp, err := i.client.Do(req)
	if err != nil {
		return desk.Errorf(desk.NotFound, "The picture could not be fetched.")
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxPicture+1))
	kind := http.DetectContentType(content)
	if err != nil || resp.StatusCode != http.StatusOK || len(content) > maxPicture || !strings.HasPrefix(kind, "image/") {
		return desk.Errorf(desk.NotFound, "There is no picture at this address.")
	}
	h := c.Response.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, max-age=86400")
	return c.Blob(200, kind, content)
}
