package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/gabriel-vasile/mimetype"
	"github.com/pocketbase/pocketbase/core"
)

// File is an attachment, an inline image or an upload that waits for its message.
type File struct {
	ID          string
	Name        string // as people see it
	ContentType string // sniffed, the declared one where sniffing knows less
	Size        int64
	SHA256      string
	Ticket      string // id, "" while loose
	Message     string // id, "" while loose
	ContentID   string // without <>
	Inline      bool
	UploadedBy  string // actor id, "" for mail
	Created     int64

	stored string // the random name on disk
}

// URL is where a browser gets the file.
func (f *File) URL() string { return "/api/desk/files/" + f.ID }

// maxName bounds a display name, in bytes.
const maxName = 200

// Files keeps the attachments of one desk.
type Files struct {
	app        core.App
	clock      desk.Clock // of the desk
	wall       desk.Clock // of the machine, by which its disk dates files
	collection string     // its id names the folder
}

// NewFiles returns the attachments of app.
func NewFiles(app core.App, clock, wall desk.Clock) *Files {
	return &Files{app: app, clock: clock, wall: wall}
}

func (s *Files) folder(app core.App, id string) (string, error) {
	if s.collection == "" {
		c, err := app.FindCachedCollectionByNameOrId("files")
		if err != nil {
			return "", err
		}
		s.collection = c.Id
	}
	return filepath.Join(s.app.DataDir(), "storage", s.collection, id), nil
}

// Prepare writes the content of an attachment to disk, synced; Commit then
// enters it in the transaction that needs it. What is prepared and never
// committed is removed by the nightly pairing of rows and files.
func (s *Files) Prepare(a desk.Attachment, uploadedBy string) (*File, error) {
	now := s.clock.Now()
	sum := sha256.Sum256(a.Content)
	f := &File{
		ID: desk.NewID(now), Name: displayName(a.Name), Size: int64(len(a.Content)), SHA256: hex.EncodeToString(sum[:]),
		ContentID: a.ContentID, Inline: a.Inline, UploadedBy: uploadedBy, Created: desk.Millis(now),
	}
	f.ContentType = sniff(a.Content, a.ContentType)
	f.stored = strings.ToLower(strings.NewReplacer("-", "a", "_", "b").Replace(desk.NewToken())) + ".bin"
	dir, err := s.folder(s.app, f.ID)
	if err != nil {
		return nil, err
	}
	return f, writeDurably(filepath.Join(dir, f.stored), a.Content)
}

// Commit enters a prepared file for a message; both may be "" for an upload.
func (s *Files) Commit(tx core.App, f *File, ticket, message string) error {
	f.Ticket, f.Message = ticket, message
	return insertFile(tx, f)
}

// Discard removes a prepared file that was not committed.
func (s *Files) Discard(f *File) {
	dir, err := s.folder(s.app, f.ID)
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if err != nil { // Pair finds it
		s.app.Logger().Warn("a file that nothing needs could not be removed", "file", f.ID, "error", err)
	}
}

// Open opens the content of a file; the caller closes it.
func (s *Files) Open(f *File) (*os.File, error) {
	dir, err := s.folder(s.app, f.ID)
	if err != nil {
		return nil, err
	}
	return os.Open(filepath.Join(dir, f.stored))
}

// Read returns the whole content of a file.
func (s *Files) Read(f *File) ([]byte, error) {
	r, err := s.Open(f)
	if err != nil {
		return nil, fmt.Errorf("open file %s: %w", f.ID, err)
	}
	defer r.Close()
	return io.ReadAll(r)
}

// sniff decides the type by the content; a declared type is believed only
// where the content says nothing, and never for what a browser would run.
func sniff(content []byte, declared string) string {
	found := mimetype.Detect(content).String()
	base, _, _ := mime.ParseMediaType(found)
	told, _, err := mime.ParseMediaType(declared)
	if err != nil {
		told = ""
	}
	if told != "" && (base == "application/octet-stream" || base == "text/plain" || base == "application/zip") && !runs(told) {
		return told
	}
	return base
}

func runs(kind string) bool {
	return strings.Contains(kind, "html") || strings.Contains(kind, "xml") || strings.Contains(kind, "svg") || strings.Contains(kind, "script")
}

// inlineTypes are the types that a browser may show by itself.
var inlineTypes = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// Serve writes the file to a browser with ranges and safe headers: only
// pictures are shown in place, everything else is a download that nothing can
// run in.
func (s *Files) Serve(w http.ResponseWriter, r *http.Request, f *File, download bool) error {
	content, err := s.Open(f)
	if errors.Is(err, os.ErrNotExist) {
		return desk.Errorf(desk.NotFound, "This file is no longer there.")
	}
	if err != nil {
		return err
	}
	defer content.Close()
	kind, disposition := "application/octet-stream", "attachment"
	if inlineTypes[f.ContentType] {
		kind = f.ContentType
		if !download {
			disposition = "inline"
		}
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", desk.Time(f.Created), content)
	return nil
}

// displayName makes a name that is safe to show and to save under.
func displayName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r < 32 || r == 127, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\ufffd"))
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSpace(strings.Trim(name, "."))
	if len(name) > maxName {
		ext := filepath.Ext(name)
		if len(ext) > 20 {
			ext = ""
		}
		name = strings.ToValidUTF8(name[:maxName-len(ext)], "") + ext
	}
	if name == "" {
		return "attachment"
	}
	return name
}

// Attachments reads files for a mail on its way out, in the given order.
func (s *Files) Attachments(ids []string) ([]desk.Attachment, error) {
	var out []desk.Attachment
	for _, id := range ids {
		f, err := FindFile(s.app, id)
		if err != nil {
			return nil, err
		}
		if f == nil {
			return nil, fmt.Errorf("file %s is gone", id)
		}
		content, err := s.Read(f)
		if err != nil {
			return nil, err
		}
		out = append(out, desk.Attachment{Name: f.Name, ContentType: f.ContentType, ContentID: f.ContentID, Inline: f.Inline, Content: content})
	}
	return out, nil
}
