package story_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/desktest"
)

func upload(t *testing.T, d *desktest.Desk, token, name, content string) string {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, content)
	_ = w.Close()
	var out struct{ ID string }
	d.Upload(token, w.FormDataContentType(), &body, 201, &out)
	return out.ID
}

// TestAPictureAndAFileSurviveUndo sends a reply with an inline picture and an
// attachment, takes it back, and sends the draft again as it came back.
func TestAPictureAndAFileSurviveUndo(t *testing.T) {
	t.Parallel()
	d, sink := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Picture", "text"))
	number := d.WaitTickets(1)[0].Number
	picture := upload(t, d, d.Token, "dot.png", "\x89PNG\r\n\x1a\n0000IHDR")
	label := upload(t, d, d.Token, "label.pdf", "%PDF-1.4 label")
	in := map[string]any{"body": `<p>See <img src="/api/desk/files/` + picture + `"></p>`, "attachments": []string{label}, "undo_s": 60}
	m := reply(d, number, in, 201)
	var undone struct {
		Draft struct {
			Body        string
			Attachments []string
		}
	}
	d.Call("DELETE", "/api/desk/outbox/"+m.Delivery.ID, d.Token, nil, 200, &undone)
	if len(undone.Draft.Attachments) != 1 || !strings.Contains(undone.Draft.Body, picture) {
		t.Fatalf("draft: %+v", undone)
	}
	reply(d, number, map[string]any{"body": undone.Draft.Body, "attachments": append(undone.Draft.Attachments, label), "undo_s": 0}, 201)
	raw := string(sink.Wait(t, 1)[0].Data)
	if strings.Count(raw, "label.pdf") == 0 || !strings.Contains(raw, "cid:"+picture) || !strings.Contains(raw, "<"+picture+"@deskbell>") {
		t.Errorf("the mail lacks its picture or file:\n%s", raw)
	}
	if strings.Contains(raw, "/api/desk/files/") {
		t.Error("an address of the desk's own left it")
	}
}

func TestOnlyWhoUploadedAFileMaySendIt(t *testing.T) {
	t.Parallel()
	d, _ := start(t)
	d.Receive("a@a.test", desktest.Mail("a@a.test", "Files", "text"))
	ticket := d.WaitTickets(1)[0]
	_, other := hire(d, "Other", []desk.Role{desk.RoleAssociate}, ticket.Team.ID)
	file := upload(t, d, d.Token, "mine.txt", "secret")
	d.Call("GET", "/api/desk/files/"+file, other, nil, 404, nil)
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/notes", ticket.Number), other, map[string]any{"body": "x", "attachments": []string{file}}, 400, nil)
	d.Call("POST", fmt.Sprintf("/api/desk/tickets/%d/notes", ticket.Number), d.Token, map[string]any{"body": "x", "attachments": []string{file}}, 201, nil)
	_, body := d.Call("GET", "/api/desk/files/"+file, other, nil, 200, nil)
	if body != "secret" {
		t.Errorf("a colleague reads %q", body)
	}
}
