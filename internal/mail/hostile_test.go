package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/richtext"
)

// head is the header of the hostile mails.
const head = "From: eve@example.org\r\nTo: desk@desk.test\r\nSubject: hostile\r\nMIME-Version: 1.0\r\n"

func nested(depth int, leaf string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("Content-Type: text/plain\r\n\r\n" + leaf + "\r\n")
	for i := depth - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\r\n", i)
	}
	return b.Bytes()
}

func manyParts(n int) []byte {
	var b bytes.Buffer
	b.WriteString(head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n")
	for i := range n {
		fmt.Fprintf(&b, "--x\r\nContent-Type: application/octet-stream; name=f%d.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", i, base64.StdEncoding.EncodeToString([]byte("file")))
	}
	b.WriteString("--x--\r\n")
	return b.Bytes()
}

// hostileMails are inputs made to be expensive; each must end as a readable mail.
func hostileMails() map[string][]byte {
	line := strings.Repeat("<div style=\"color:red;background:url(http://x/y)\"><b>word ", 180_000)
	return map[string][]byte{
		"1000 deep":          nested(1000, "deep"),
		"1000 deep, 5 MB":    nested(1000, strings.Repeat("text line\r\n", 500_000)),
		"10000 parts":        manyParts(10_000),
		"100000 headers":     []byte(strings.Repeat("X-Junk: value\r\n", 100_000) + head + "\r\nbody"),
		"1 MB subject":       []byte("Subject: " + strings.Repeat("long ", 200_000) + "\r\nFrom: a@b.c\r\n\r\nbody"),
		"1 MB of words":      []byte("Subject: " + strings.Repeat("=?utf-8?Q?a?= ", 75_000) + "\r\nFrom: a@b.c\r\n\r\nbody"),
		"open words":         []byte("Subject: " + strings.Repeat("=?utf-8?Q?", 100_000) + "\r\nFrom: a@b.c\r\n\r\nbody"),
		"1 MB content type":  []byte(head + "Content-Type: multipart/mixed; " + strings.Repeat("a=\"b\\\";", 150_000) + "\r\n\r\nbody"),
		"10000 recipients":   []byte("To: " + strings.Repeat("someone@example.org, ", 10_000) + "x@y.z\r\nFrom: a@b.c\r\n\r\nbody"),
		"quotes in address":  []byte("To: " + strings.Repeat("\"(<", 300_000) + "\r\nFrom: a@b.c\r\n\r\nbody"),
		"1 MB references":    []byte("References: " + strings.Repeat("<a@b> <", 150_000) + "\r\nFrom: a@b.c\r\n\r\nbody"),
		"folded header":      []byte("Subject: x\r\n" + strings.Repeat(" y\r\n", 300_000) + "From: a@b.c\r\n\r\nbody"),
		"10 MB one line":     []byte(head + "Content-Type: text/html\r\n\r\n" + line),
		"4 MB of <":          []byte(head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<", 4_000_000)),
		"quoted lines":       []byte(head + "\r\n" + strings.Repeat("> a\r\nb\r\n", 500_000)),
		"attributions":       []byte(head + "\r\n" + strings.Repeat("On Mon, Mar 2, 2026 at 9:00 AM A <a@b.c>\r\nwrote:\r\n> x\r\n\r\ny\r\n", 60_000)),
		"header blocks":      []byte(head + "\r\n" + strings.Repeat("From: a\r\nTo: b\r\n", 300_000)),
		"blockquotes":        []byte(head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<blockquote type=cite>x", 100_000)),
		"gmail quotes":       []byte(head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div class=gmail_quote>x</div>y", 200_000)),
		"boundary storm":     []byte(head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x", 1_000_000)),
		"no boundary":        []byte(head + "Content-Type: multipart/mixed\r\n\r\n" + strings.Repeat("--a\r\n", 500_000)),
		"base64 noise":       []byte(head + "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("=!", 3_000_000)),
		"quoted soft breaks": []byte(head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("=\r\n", 2_000_000) + "end"),
		"bounce text":        []byte("Return-Path: <>\r\nFrom: mailer-daemon@x.y\r\nSubject: Undeliverable\r\n\r\n" + strings.Repeat("could not be delivered a@b.c 5.1.1 ", 100_000)),
		"8-bit mush":         []byte(head + "\r\n" + strings.Repeat("\xfa\xfb\xe4 \x81\x8d\r\n", 500_000)),
		"flowed":             []byte(head + "Content-Type: text/plain; format=flowed\r\n\r\n" + strings.Repeat("> word \r\n", 500_000)),
	}
}

func TestHostileMailIsBounded(t *testing.T) {
	limit := 20 * time.Second // a busy machine; quadratic code takes minutes
	for name, raw := range hostileMails() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			m := Parse(raw)
			parsed := time.Since(began)
			visible := VisibleText(m)
			v, q := SplitQuote(m.HTML)
			safe := richtext.Sanitize(v) + richtext.Sanitize(q)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("parse %v, all %v, %d MB allocated of %d kB, %d defects", parsed, took, allocated, len(raw)>>10, len(m.Defects))
			if took > limit {
				t.Errorf("took %v", took)
			}
			if allocated > 1500 {
				t.Errorf("allocated %d MB", allocated)
			}
			if m.Text == "" && m.HTML == "" && len(m.Parts) == 0 || m.Unreadable {
				t.Errorf("nothing to read; defects %q", m.Defects)
			}
			_, _ = visible, safe
		})
	}
}

func TestDeepNestingKeepsTheInnerParts(t *testing.T) {
	m := Parse(nested(1000, "the innermost text"))
	if len(m.Parts) != 1 || !bytes.Contains(m.Parts[0].Content, []byte("the innermost text")) || !strings.HasSuffix(m.Parts[0].Name, ".eml") {
		t.Fatalf("parts %d, defects %q", len(m.Parts), m.Defects)
	}
}

func TestTooManyPartsKeepsTheRest(t *testing.T) {
	m := Parse(manyParts(1500))
	last := m.Parts[len(m.Parts)-1]
	if len(m.Parts) != maxParts+1 || !bytes.Contains(last.Content, []byte("f1499.bin")) {
		t.Fatalf("%d parts, last %q", len(m.Parts), last.Name)
	}
}
