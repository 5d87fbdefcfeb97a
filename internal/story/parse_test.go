package story_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/mail"
	"github.com/deskbell/deskbell/internal/richtext"
)

// TestTheCommandReadsMailAsIntakeDoes takes the mails of the parser's own tests
// in by SMTP and compares what stands in the message with what
// `deskbell mail parse` and `html sanitize` print for the same bytes.
func TestTheCommandReadsMailAsIntakeDoes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../mail/testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mails: %v", err)
	}
	d, _ := start(t)
	want := map[string]*mail.Mail{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(bytes.ReplaceAll(raw, []byte("\r\n"), nil), '\r') {
			continue // SMTP itself changes bare carriage returns
		}
		m := mail.Parse(asReceived(raw))
		if m.Unreadable || m.MessageID == "" || m.Bounce != nil || want[m.MessageID] != nil || len(raw) > 1<<20 {
			continue
		}
		want[m.MessageID] = m
		d.Receive("x@y.test", strings.ReplaceAll(string(raw), "\r\n", "\n"))
	}
	if len(want) < 5 {
		t.Fatalf("only %d mails to compare", len(want))
	}
	compared := 0
	for _, ticket := range d.WaitTickets(len(want)) {
		got := ticket.Messages.Items[0]
		m := want[got.MessageID]
		if m == nil {
			t.Errorf("no mail %q", got.MessageID)
			continue
		}
		compared++
		printed := command(t, m)
		visible, quoted := mail.SplitQuote(m.HTML)
		if got.Text != printed.Text || got.VisibleText != printed.Visible || len(got.Attachments) != len(printed.Attachments) ||
			got.HTML != richtext.Sanitize(visible)+richtext.Sanitize(quoted) {
			t.Errorf("%s: the message differs from the command\n%+v\n%+v", got.MessageID, got, printed)
		}
	}
	t.Logf("%d mails compared", compared)
}

// asReceived is a mail as SMTP delivers it: lines end in CRLF.
func asReceived(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	return raw
}

type printed struct {
	Text        string `json:"text_body"`
	Visible     string `json:"visible_reply"`
	Attachments []any  `json:"attachments"`
}

// command is what `deskbell mail parse` prints.
func command(t *testing.T, m *mail.Mail) (p printed) {
	t.Helper()
	text, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}
