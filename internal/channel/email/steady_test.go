package email

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/mail"
)

// rich is a mail of every kind of part.
func rich() desk.Outbound {
	return desk.Outbound{
		From: desk.Address{Name: "Support", Address: "support@desk.test"}, To: []desk.Address{{Address: "anna@example.org"}},
		Subject: "Your pole", Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), MessageID: "1@desk.test", InReplyTo: "0@example.org",
		Text: "Hello\nboundary=" + strings.Repeat("a", 60), HTML: "<p>Hello <img src=cid:x></p>",
		Attachments: []desk.Attachment{
			{Name: "a.txt", ContentType: "text/plain", Content: []byte("one")},
			{Name: "x.png", ContentType: "image/png", ContentID: "x", Inline: true, Content: []byte("two")},
		},
	}
}

func TestADeliveryIsTheSameBytesEachTime(t *testing.T) {
	first, err := build(rich(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := build(rich(), nil)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("written twice it differs: %v\n%s\n%s", err, first, again)
		}
	}
	other := rich()
	other.MessageID = "2@desk.test"
	second, err := build(other, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, raw := range [][]byte{first, second} {
		for _, found := range randomBoundary.FindAllSubmatch(raw, -1) {
			if seen[string(found[1])] {
				t.Errorf("the boundary %s is used twice", found[1])
			}
			seen[string(found[1])] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d boundaries in two mails, want 6", len(seen))
	}
	m := mail.Parse(first)
	if len(m.Parts) != 2 || !strings.Contains(m.Text, strings.Repeat("a", 60)) {
		t.Errorf("the mail is broken: %+v", m)
	}
}
