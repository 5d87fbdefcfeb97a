package conversation

import (
	"io"
	"net/http"
	"strings"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/message"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/ticket"
	"github.com/pocketbase/pocketbase/core"
)

// maxUpload is the largest file that can be attached.
const maxUpload = 25 << 20

func (s *Conversations) fileRoutes(t *route.Table) {
	route.Add(t, route.Route{Method: "POST", Path: "/api/desk/files/token", Permission: route.SignedIn, Summary: "A short token for pictures, frames and downloads"},
		func(c *route.Call, _ struct{}) (tokenOut, error) {
			token, expires := s.bodies.make(c.Caller, s.Wall.Now())
			return tokenOut{token, desk.MustStamp(desk.Millis(expires))}, nil
		})
	route.AddRaw(t, route.Route{Method: "POST", Path: "/api/desk/files", Permission: "ticket.note", Summary: "Upload a file (multipart, field file)", Status: 201}, s.upload)
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/files/{id}", Permission: route.Public, Summary: "A file; a header or ?token= says who asks"}, s.download)
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/messages/{id}/body", Permission: route.Public, Summary: "A message as a page for a sandboxed frame"}, s.body)
	route.AddRaw(t, route.Route{Method: "GET", Path: "/api/desk/messages/{id}/raw", Permission: route.Public, Summary: "The mail as it came"}, s.raw)
	route.Add(t, route.Route{Method: "GET", Path: "/api/desk/messages/{id}", Permission: route.SignedIn, Summary: "One message (ticket.read)"},
		func(c *route.Call, _ route.None) (*message.Shown, error) {
			if _, _, err := s.messageFor(c, c.Caller); err != nil {
				return nil, err
			}
			return ShowMessage(c.App, c.Param("id"))
		})
}

type tokenOut struct {
	Token   string `json:"token"`
	Expires string `json:"expires"`
}

func (s *Conversations) upload(c *route.Call) error {
	c.Request.Body = http.MaxBytesReader(c.Response, c.Request.Body, maxUpload+(1<<20))
	part, header, err := c.Request.FormFile("file")
	if err != nil {
		return desk.Errorf(desk.Invalid, "Send one file of at most %d MB in the form field %q.", maxUpload>>20, "file")
	}
	defer part.Close()
	content, err := io.ReadAll(io.LimitReader(part, maxUpload+1))
	if err != nil {
		return desk.Errorf(desk.Invalid, "The file did not arrive whole; send it again.")
	}
	if len(content) > maxUpload {
		return desk.Errorf(desk.TooLarge, "The file is larger than %d MB; send a smaller one or a link to it.", maxUpload>>20)
	}
	f, err := s.Files.Prepare(desk.Attachment{Name: header.Filename, ContentType: header.Header.Get("Content-Type"), Content: content}, c.Caller.Actor.ID)
	if err == nil {
		err = s.Files.Commit(c.App, f, "", "")
	}
	if file.IsFull(err) {
		return file.ErrFull
	}
	if err != nil {
		return err
	}
	return c.JSON(201, message.ShowFile(*f))
}

// caller is who asks by header, or by the token in the address.
func (s *Conversations) caller(c *route.Call) (*route.Caller, error) {
	if c.Caller != nil {
		return c.Caller, nil
	}
	actor, session, err := s.bodies.read(c.Request.URL.Query().Get("token"), s.Wall.Now())
	if err != nil {
		return nil, err
	}
	if actor.Kind != desk.ActorAgent || !s.Access.SessionGoesOn(session) {
		return nil, desk.Errorf(desk.Unauthorized, "Your sign-in has ended; sign in again.")
	}
	return s.Access.CallerOf(actor.ID, session)
}

func (s *Conversations) download(c *route.Call) error {
	who, err := s.caller(c)
	if err != nil {
		return err
	}
	gone := desk.Errorf(desk.NotFound, "There is no such file.")
	f, err := file.FindFile(c.App, c.Param("id"))
	if err != nil {
		return err
	}
	if f == nil || f.Ticket == "" && f.UploadedBy != who.Actor.ID {
		return gone
	}
	if f.Ticket != "" {
		t, err := ticket.Find(c.App, f.Ticket)
		if err != nil {
			return err
		}
		if t == nil || !access.CanTeam(who, "ticket.read", t.Team) {
			return gone
		}
	}
	return s.Files.Serve(c.Response, c.Request, f, c.Request.URL.Query().Has("download"))
}

// messageFor loads the message of the path when who may see its ticket.
func (s *Conversations) messageFor(c *route.Call, who *route.Caller) (*message.Message, *ticket.Ticket, error) {
	gone := desk.Errorf(desk.NotFound, "There is no such message.")
	m, err := message.Find(c.App, c.Param("id"))
	if err != nil {
		return nil, nil, err
	}
	if m == nil {
		return nil, nil, gone
	}
	t, err := ticket.Find(c.App, m.Ticket)
	if err != nil {
		return nil, nil, err
	}
	if t == nil || !access.CanTeam(who, "ticket.read", t.Team) {
		return nil, nil, gone
	}
	return m, t, nil
}

func (s *Conversations) raw(c *route.Call) error {
	who, err := s.caller(c)
	if err != nil {
		return err
	}
	m, t, err := s.messageFor(c, who)
	if err != nil {
		return err
	}
	if m.Ledger == "" {
		return desk.Errorf(desk.NotFound, "This message was written here; there is no mail of it that came in.")
	}
	e, err := file.FindEntry(c.App, m.Ledger)
	if err != nil || e == nil {
		return err
	}
	content, err := s.Ledger.Raw(e)
	if err != nil {
		return err
	}
	return sendEML(c.RequestEvent, content, t.Number)
}

func sendEML(e *core.RequestEvent, content []byte, number int64) error {
	h := e.Response.Header()
	h.Set("Content-Disposition", `attachment; filename="ticket-`+itoa(number)+`.eml"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	return e.Blob(200, "application/octet-stream", content)
}

// inlineFiles maps the Content-IDs of a message to the files they name.
func inlineFiles(files []file.File) map[string]file.File {
	out := map[string]file.File{}
	for _, f := range files {
		if f.ContentID != "" {
			out[strings.ToLower(f.ContentID)] = f
		}
	}
	return out
}
