package email

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net"
	netmail "net/mail"
	"net/textproto"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskbell/deskbell/internal/desk"
	gomail "github.com/wneessen/go-mail"
)

const (
	maxReferences = 50  // newest kept, with the first; longer chains help nobody and make overlong lines
	maxFileName   = 200 // bytes of an attachment's name, which thrice escaped still fit on a line
	maxSubject    = 600 // characters; a line of a header must stay under 998 bytes
	maxName       = 200 // characters of a display name
)

// Build writes a mail as Send does; for who plays a customer.
func Build(out desk.Outbound) ([]byte, error) { return build(out, nil) }

// build writes the mail. It returns a desk.Invalid error when the mail can't be
// written as it is, such as for a broken address.
func build(out desk.Outbound, extra map[string]string) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	if err := setPeople(m, out); err != nil {
		return nil, err
	}
	setHeader(m, out)
	for name, value := range extra {
		m.SetGenHeader(gomail.Header(name), oneLine(value))
	}
	setBody(m, out)
	for _, a := range out.Attachments {
		attach(m, a)
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	return steady(b.Bytes(), out.MessageID), nil
}

func setPeople(m *gomail.Msg, out desk.Outbound) error {
	from, err := headerAddresses(out.From)
	if err != nil {
		return err
	}
	to, err := headerAddresses(out.To...)
	if err != nil {
		return err
	}
	cc, err := headerAddresses(out.Cc...)
	if err != nil {
		return err
	}
	replyTo, err := headerAddresses(out.ReplyTo...)
	if err != nil {
		return err
	}
	m.FromMailAddress(from[0])
	if len(replyTo) > 0 {
		m.ReplyToMailAddress(replyTo...)
	}
	if len(to) > 0 {
		m.ToMailAddress(to...)
	}
	if len(cc) > 0 {
		m.CcMailAddress(cc...)
	}
	if len(to)+len(cc) == 0 {
		m.SetGenHeader("To", "undisclosed-recipients:;")
	}
	return nil
}

func headerAddresses(all ...desk.Address) ([]*netmail.Address, error) {
	var list []*netmail.Address
	for _, a := range all {
		address, err := cleanRecipient(a.Address)
		if err != nil {
			return nil, err
		}
		list = append(list, &netmail.Address{Name: cut(oneLine(a.Name), maxName), Address: address})
	}
	return list, nil
}

// cleanRecipient checks an address that goes into a header or envelope: no
// control character gets through. The local part comes back without quotes,
// the domain in ASCII.
func cleanRecipient(address string) (string, error) {
	address = strings.TrimSpace(address)
	bad := desk.Errorf(desk.Invalid, "%q is no valid mail address.", cut(oneLine(address), maxName))
	clean, err := asciiDomain(address)
	if err != nil || !utf8.ValidString(clean) || strings.ContainsFunc(clean, unicode.IsControl) {
		return "", bad
	}
	local, domain, _ := cutAddress(clean)
	if quoted := len(local) > 1 && local[0] == '"' && local[len(local)-1] == '"'; !quoted {
		if strings.ContainsAny(local, `@,;<>()"`) {
			return "", bad // a list, or an address with something around it
		}
	} else {
		local = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(local[1 : len(local)-1])
	}
	literal := strings.TrimPrefix(strings.Trim(domain, "[]"), "IPv6:")
	if local == "" || !validHost(domain) && net.ParseIP(literal) == nil {
		return "", bad
	}
	return local + "@" + domain, nil
}

// bracketed is an address as SMTP writes it, in brackets and quoted where needed.
func bracketed(address string) string { return (&netmail.Address{Address: address}).String() }

func setHeader(m *gomail.Msg, out desk.Outbound) {
	m.Subject(subject(cut(oneLine(out.Subject), maxSubject)))
	m.SetDateWithValue(out.Date)
	m.SetMessageIDWithValue(idText(out.MessageID))
	if id := idText(out.InReplyTo); id != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, "<"+id+">")
	}
	if refs := references(out.References); refs != "" {
		m.SetGenHeader(gomail.HeaderReferences, refs)
	}
	if out.Auto { // RFC 3834
		kind := "auto-replied"
		if out.InReplyTo == "" {
			kind = "auto-generated"
		}
		m.SetGenHeader("Auto-Submitted", kind)
		m.SetGenHeader("X-Auto-Response-Suppress", "All")
	}
}

// subject protects a text that only looks like an encoded word, which the
// reader's client would decode.
func subject(text string) string {
	if !isASCII(text) || !strings.Contains(text, "=?") {
		return text // go-mail encodes what has to be
	}
	var words []string
	for len(text) > 0 {
		n := min(len(text), 45) // keeps an encoded word under 76 characters, RFC 2047
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

func references(ids []string) string {
	if len(ids) > maxReferences {
		ids = append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
	}
	var all []string
	for _, id := range ids {
		if id = idText(id); id != "" {
			all = append(all, "<"+id+">")
		}
	}
	return strings.Join(all, " ")
}

// idText makes a message id fit for a header: brackets, spaces and control
// characters are dropped, so that it stays one word.
func idText(id string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, id)
}

func setBody(m *gomail.Msg, out desk.Outbound) {
	switch {
	case out.HTML == "":
		m.SetBodyString(gomail.TypeTextPlain, out.Text)
	case out.Text == "":
		m.SetBodyString(gomail.TypeTextHTML, out.HTML)
	default:
		m.SetBodyString(gomail.TypeTextPlain, out.Text)
		m.AddAlternativeString(gomail.TypeTextHTML, out.HTML)
	}
}

// attach adds a file; its name is written by RFC 2231, which every client reads.
func attach(m *gomail.Msg, a desk.Attachment) {
	name := fileName(a.Name)
	option := func(f *gomail.File) {
		header := textproto.MIMEHeader{}
		disposition := "attachment"
		if a.Inline && a.ContentID != "" {
			disposition = "inline"
			header.Set("Content-Id", "<"+idText(a.ContentID)+">")
		}
		header.Set("Content-Type", contentType(a.ContentType, name))
		header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": name}))
		header.Set("Content-Transfer-Encoding", "base64")
		f.Header = header
	}
	content := io.ReadSeeker(bytes.NewReader(a.Content))
	if a.Inline && a.ContentID != "" {
		m.EmbedReadSeeker(name, content, option)
	} else {
		m.AttachReadSeeker(name, content, option)
	}
}

// contentType keeps a proper media type; mails within a mail are sent as plain
// bytes, because message/rfc822 must not be base64.
func contentType(text, name string) string {
	kind, params, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		kind, params = "application/octet-stream", nil
	}
	keep := map[string]string{"name": name}
	if charset := params["charset"]; charset != "" {
		keep["charset"] = charset
	}
	if out := mime.FormatMediaType(kind, keep); out != "" {
		return out
	}
	return "application/octet-stream"
}

func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(oneLine(name), `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		name = "attachment"
	}
	name = strings.ToValidUTF8(name, "_")
	if len(name) > maxFileName {
		ext := path.Ext(name)
		if len(ext) > 16 {
			ext = ""
		}
		name = strings.ToValidUTF8(name[:maxFileName-len(ext)], "") + ext
	}
	return name
}

// cut shortens text to n characters and says so with an ellipsis.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}
