package email

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

func written(t *testing.T, out desk.Outbound) (*mail.Message, string) {
	t.Helper()
	if out.From.Address == "" {
		out.From.Address = "support@desk.invalid"
	}
	if out.To == nil {
		out.To = []desk.Address{{Address: "anna@example.org"}}
	}
	out.Date = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	raw, err := build(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") || !isASCII(line) {
			t.Errorf("a bad line: %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	return m, string(raw)
}

func TestHeaderInjectionIsImpossible(t *testing.T) {
	evil := "x\r\nBcc: eve@example.org\r\n\r\nbody"
	m, raw := written(t, desk.Outbound{
		From: desk.Address{Name: evil, Address: "support@desk.invalid"}, To: []desk.Address{{Name: evil, Address: "anna@example.org"}},
		Subject: evil, MessageID: "1@desk.invalid>" + evil, InReplyTo: evil, References: []string{evil, "ok@x"},
		Attachments: []desk.Attachment{{Name: evil + `".txt`, ContentType: "text/plain; x=\"\r\nBcc: eve\"", ContentID: evil, Inline: true, Content: []byte("x")}},
	})
	if len(m.Header["Bcc"]) != 0 || strings.Contains(raw, "\r\nBcc:") {
		t.Errorf("a header was injected:\n%s", raw)
	}
	for name := range m.Header {
		switch name {
		case "Date", "From", "To", "Subject", "Message-Id", "In-Reply-To", "References", "Mime-Version", "Content-Type", "Content-Transfer-Encoding":
		default:
			t.Errorf("an unexpected header %s", name)
		}
	}
	for _, bad := range []string{"a@b\r\nBcc: eve@x", "a@b.example\n", "a b@c", "", "@x.example", "a@", "a@b c", "<a@b.example>", "a@b.example,eve@x.example", "a@[1.2.3.4\r\n]", "a\x00@b.example"} {
		_, err := build(desk.Outbound{From: desk.Address{Address: "support@desk.invalid"}, To: []desk.Address{{Address: bad}}}, nil)
		if bad == "a@b.example\n" || bad == "a b@c" {
			continue // trimmed, and quoted: see TestSendInternationalAddresses
		}
		if err == nil || desk.CodeOf(err) != desk.Invalid {
			t.Errorf("%q was taken: %v", bad, err)
		}
	}
}

func TestLongAndForeignHeaders(t *testing.T) {
	for _, subject := range []string{"", "Grüße", strings.Repeat("ж", 400), strings.Repeat("word ", 100), strings.Repeat("x", 2000), "日本語の件名" + strings.Repeat("語", 100), "=?utf-8?q?x?= a", "tab\there"} {
		m, raw := written(t, desk.Outbound{Subject: subject, From: desk.Address{Name: cut(subject, 150), Address: "support@desk.invalid"}})
		got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		want := strings.TrimSpace(cut(oneLine(subject), maxSubject))
		if err != nil || strings.TrimSpace(got) != want {
			t.Errorf("got %q\nwant %q\n%v\n%s", got, want, err, raw)
		}
	}
	var refs []string
	for i := range 200 {
		refs = append(refs, fmt.Sprintf("%d@%s.example", i, strings.Repeat("x", 60)))
	}
	m, _ := written(t, desk.Outbound{References: refs, InReplyTo: refs[199]})
	got := strings.Fields(m.Header.Get("References"))
	if len(got) != maxReferences || got[0] != "<"+refs[0]+">" || got[49] != "<"+refs[199]+">" {
		t.Errorf("%d references from %s to %s", len(got), got[0], got[len(got)-1])
	}
	if m.Header.Get("In-Reply-To") != "<"+refs[199]+">" {
		t.Errorf("in reply to %q", m.Header.Get("In-Reply-To"))
	}
}

// shape writes the tree of a mail's parts as in "multipart/mixed(a b)".
func shape(t *testing.T, contentType string, body io.Reader) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return kind
	}
	var inner []string
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return kind + "(" + strings.Join(inner, " ") + ")"
		}
		if err != nil {
			t.Fatal(err)
		}
		one := shape(t, p.Header.Get("Content-Type"), p)
		if name := p.FileName(); name != "" {
			one += "=" + name
		}
		inner = append(inner, one)
	}
}

func TestShapesOfMail(t *testing.T) {
	inline := desk.Attachment{Name: "logo.png", ContentType: "image/png", ContentID: "logo@x", Inline: true, Content: []byte("png")}
	file := desk.Attachment{Name: "Übersicht größer.pdf", ContentType: "application/pdf", Content: []byte("pdf")}
	for _, c := range []struct {
		out  desk.Outbound
		want string
	}{
		{desk.Outbound{Text: "t"}, "text/plain"},
		{desk.Outbound{HTML: "h"}, "text/html"},
		{desk.Outbound{}, "text/plain"},
		{desk.Outbound{Text: "t", HTML: "h"}, "multipart/alternative(text/plain text/html)"},
		{desk.Outbound{Text: "t", Attachments: []desk.Attachment{file}}, "multipart/mixed(text/plain application/pdf=Übersicht größer.pdf)"},
		{desk.Outbound{Text: "t", HTML: "h", Attachments: []desk.Attachment{inline}}, "multipart/related(multipart/alternative(text/plain text/html) image/png=logo.png)"},
		{
			desk.Outbound{Text: "t", HTML: "h", Attachments: []desk.Attachment{file, inline}},
			"multipart/mixed(multipart/related(multipart/alternative(text/plain text/html) image/png=logo.png) application/pdf=Übersicht größer.pdf)",
		},
		{
			desk.Outbound{Text: "t", Attachments: []desk.Attachment{{Name: "../../etc/passwd", ContentType: "multipart/mixed; boundary=x", Content: []byte("x")}}},
			"multipart/mixed(text/plain application/octet-stream=passwd)",
		},
		{
			desk.Outbound{Text: "t", Attachments: []desk.Attachment{{Name: "", ContentType: "nonsense", Content: nil}, {Name: strings.Repeat("ü", 300) + ".pdf", ContentType: "application/pdf"}}},
			"multipart/mixed(text/plain application/octet-stream=attachment application/pdf=" + strings.Repeat("ü", 98) + ".pdf)",
		},
	} {
		m, raw := written(t, c.out)
		if got := shape(t, m.Header.Get("Content-Type"), m.Body); got != c.want {
			t.Errorf("got  %s\nwant %s\n%s", got, c.want, raw)
		}
	}
}

func TestMailToHiddenRecipientsOnly(t *testing.T) {
	m, raw := written(t, desk.Outbound{To: []desk.Address{}, Bcc: []desk.Address{{Address: "secret@example.org"}}, ReplyTo: []desk.Address{{Address: "support+t1@desk.invalid"}}})
	if strings.Contains(raw, "secret@") || m.Header.Get("To") != "undisclosed-recipients:;" || m.Header.Get("Reply-To") != "<support+t1@desk.invalid>" {
		t.Errorf("got:\n%s", raw)
	}
}

func BenchmarkBuild(b *testing.B) {
	out := desk.Outbound{
		From: desk.Address{Address: "a@b.example"}, To: []desk.Address{{Address: "c@d.example"}},
		Subject: "x", Text: strings.Repeat("line\n", 200), HTML: strings.Repeat("<p>line</p>\n", 200), MessageID: "x@y",
	}
	for b.Loop() {
		if _, err := build(out, nil); err != nil {
			b.Fatal(err)
		}
	}
}
