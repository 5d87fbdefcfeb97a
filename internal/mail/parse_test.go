package mail

import (
	"strings"
	"testing"
)

const plainMail = "Return-Path: <ana@example.org>\r\nReceived: from mx.example.org (mx.example.org [192.0.2.7]) by desk.test with ESMTPS id 4Zk1;\r\n Mon, 2 Mar 2026 10:11:12 +0000\r\n" +
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k1;\r\n h=from:to:subject:date:message-id; bh=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG=;\r\n b=0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\r\n" +
	"From: =?utf-8?q?Ana_Mar=C3=ADa?= <ana@example.org>\r\nTo: Support <support@desk.test>\r\nSubject: =?utf-8?q?Re=3A_Rechnung_f=C3=BCr_M=C3=A4rz?=\r\nDate: Mon, 2 Mar 2026 11:11:10 +0100\r\n" +
	"Message-ID: <CAF123@mail.example.org>\r\nIn-Reply-To: <reply-9@desk.test>\r\nReferences: <first-1@desk.test> <reply-9@desk.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"

func bench2k() []byte {
	body := "Hello,\r\n\r\nthe invoice you sent does not show our VAT number. Could you please send it\r\nagain? We need it before Friday.\r\n\r\nKind regards,\r\nAna María\r\n\r\nOn Mon, Mar 2, 2026 at 9:00 AM Support <support@desk.test> wrote:\r\n"
	for i := 0; len(plainMail)+len(body) < 2048; i++ {
		body += "> Dear Ana, please find the invoice for March attached to this message.\r\n"
	}
	return []byte(plainMail + body)
}

func BenchmarkParse2k(b *testing.B) {
	raw := bench2k()
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if m := Parse(raw); m.Subject == "" {
			b.Fatal("no subject")
		}
	}
}

func BenchmarkVisible2k(b *testing.B) {
	m := Parse(bench2k())
	b.ReportAllocs()
	for b.Loop() {
		if v := VisibleText(m); !strings.HasSuffix(v, "María") {
			b.Fatal(v)
		}
	}
}
