package mail

import (
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName bounds a display name in bytes, extension included.
const maxName = 150

// safeName makes a sender's file name fit to show and to offer as a download:
// NFC, no path, no control, format or bidi characters, no leading dots,
// bounded. It may return "".
func safeName(s string) string {
	s = stripFormat(norm.NFC.String(strings.ToValidUTF8(s, "")))
	s = strings.ReplaceAll(s, `\`, "/")
	s = path.Base("/" + s)
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/<>:"|?*`, r) {
			return '_'
		}
		return r
	}, s)
	s = strings.TrimRight(strings.TrimLeft(strings.TrimSpace(s), ". "), ". ")
	if s == "_" {
		return ""
	}
	if stem, _, _ := strings.Cut(s, "."); reservedNames[strings.ToLower(strings.TrimSpace(stem))] {
		s = "_" + s
	}
	if len(s) <= maxName {
		return s
	}
	ext := path.Ext(s)
	if len(ext) > 20 {
		ext = ""
	}
	return bound(strings.TrimSuffix(s, ext), maxName-len(ext)) + ext
}

// reservedNames are devices to Windows, with any extension.
var reservedNames = words("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

// stripFormat drops control, format (zero width, bidi), private and unassigned
// characters, which hide what a name really is.
func stripFormat(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) || r == 0x115f || r == 0x3164:
			return -1
		}
		return r
	}, s)
}

// bound cuts s to at most n bytes between characters.
func bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// madeName names a part the sender left without one.
func madeName(contentType string, n int) string {
	base := "attachment"
	switch {
	case strings.HasPrefix(contentType, "image/"):
		base = "image"
	case strings.HasPrefix(contentType, "text/"):
		base = "text"
	}
	if known, ok := knownNames[contentType]; ok {
		base = known
	} else {
		base += extension(contentType)
	}
	if n > 1 {
		ext := path.Ext(base)
		return strings.TrimSuffix(base, ext) + "-" + strconv.Itoa(n) + ext
	}
	return base
}

var knownNames = map[string]string{
	"text/calendar": "invite.ics", "application/ics": "invite.ics", "text/vcard": "contact.vcf", "text/x-vcard": "contact.vcf",
	"application/pgp-signature": "signature.asc", "application/pgp-encrypted": "encrypted.asc", "application/pgp-keys": "key.asc",
	"application/pkcs7-signature": "smime.p7s", "application/x-pkcs7-signature": "smime.p7s",
	"application/pkcs7-mime": "smime.p7m", "application/x-pkcs7-mime": "smime.p7m", "application/ms-tnef": "winmail.dat", "application/vnd.ms-tnef": "winmail.dat",
	"message/rfc822": "message.eml", "message/global": "message.eml", "message/delivery-status": "delivery-status.txt",
	"message/global-delivery-status": "delivery-status.txt", "message/disposition-notification": "read-receipt.txt",
	"message/feedback-report": "feedback-report.txt", "message/partial": "partial.eml", "message/external-body": "external.txt",
	"text/rfc822-headers": "headers.txt", "text/html": "text.html", "text/plain": "text.txt", "text/x-amp-html": "amp.html", "text/enriched": "text.txt",
}

var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/jpg": ".jpg", "image/pjpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
	"image/svg+xml": ".svg", "image/tiff": ".tif", "image/heic": ".heic", "application/pdf": ".pdf", "application/zip": ".zip", "application/json": ".json",
	"text/csv": ".csv", "text/xml": ".xml", "application/xml": ".xml", "audio/mpeg": ".mp3", "audio/wav": ".wav", "video/mp4": ".mp4",
	"application/msword": ".doc", "application/vnd.ms-excel": ".xls",
}

func extension(contentType string) string {
	if e, ok := extensions[contentType]; ok {
		return e
	}
	return ".bin"
}
