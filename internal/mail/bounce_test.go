package mail

import (
	"fmt"
	"testing"
)

const bounceHead = "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: support@desk.example\r\nContent-Type: text/plain; charset=utf-8\r\n"

// notices are reports in the words of many servers: address, status,
// permanent, reason.
var notices = []struct{ name, subject, text, want string }{
	{"sendmail", "Returned mail: see transcript for details", "   ----- The following addresses had permanent fatal errors -----\n<ana@customer.example>\n    (reason: 550 5.1.1 <ana@customer.example>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mail.customer.example.:\n>>> DATA\n<<< 550 5.1.1 <ana@customer.example>... User unknown\n", "[ana@customer.example] 5.1.1 true userunknown"},
	{"exim delay", "Warning: message 1abc delayed 24 hours", "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.\n\nThe address to which the message has not yet been delivered is:\n\n  ana@customer.example\n    Delay reason: Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n", "[ana@customer.example]  false expired"},
	{"gmail", "Delivery Status Notification (Failure)", "** Address not found **\n\nYour message wasn't delivered to ana@customer.example because the address couldn't be found, or is unable to receive mail.\n\nThe response was:\n\n550 5.1.1 The email account that you tried to reach does not exist.\n", "[ana@customer.example] 5.1.1 true userunknown"},
	{"domino", "DELIVERY FAILURE: User ana not listed in Domino Directory", "Your message\n\n  Subject: Re: Order\n\nwas not delivered to:\n\n  ana@customer.example\n\nbecause:\n\n  User ana (ana@customer.example) not listed in Domino Directory\n", "[ana@customer.example]  true userunknown"},
	{"opensmtpd", "Delivery status notification: error", "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nana@customer.example: 552 5.2.2 Mailbox full\nben@customer.example: 550 5.1.1 No such user\n", "[ana@customer.example ben@customer.example] 5.2.2 true mailboxfull"},
	{"french", "Non remis : Re: Commande", "Votre message n'a pas pu être remis aux destinataires suivants :\n\nana@customer.example\n550 5.4.1 Recipient address rejected: Access denied\n", "[ana@customer.example] 5.4.1 true userunknown"},
	{"spanish", "No se puede entregar: Re: Pedido", "No se pudo entregar el mensaje a los siguientes destinatarios:\n\nana@customer.example (buzón lleno) 452 4.2.2 Mailbox full\n", "[ana@customer.example] 4.2.2 false mailboxfull"},
	{"russian", "Недоставленное сообщение", "Ваше письмо не может быть доставлено:\n\n  ana@customer.example\n    550 5.7.1 spam message rejected\n", "[ana@customer.example] 5.7.1 true spamdetected"},
	{"japanese", "配信エラー", "メールは送信できませんでした。\n\nana@customer.example\n550 5.1.1 User unknown\n", "[ana@customer.example] 5.1.1 true userunknown"},
	{"timeout", "Undelivered Mail Returned to Sender", "Your message could not be delivered for more than 5 days.\n\n<ana@customer.example>: connect to mail.customer.example[192.0.2.1]:25: Connection timed out\n", "[ana@customer.example]  false expired"},
	{"an address that is no recipient", "Undeliverable mail", "Delivery has failed to these recipients:\n\nana@customer.example\n\nFor help write to postmaster@mx.example or support@desk.example.\n", "[ana@customer.example]  true "},
}

func TestBouncesInWords(t *testing.T) {
	for _, n := range notices {
		raw := bounceHead + "Subject: " + n.subject + "\r\n\r\n" + n.text + "\n----- Original message -----\n\nMessage-ID: <reply-1@desk.example>\nTo: ana@customer.example\nSubject: Re: Order\n\nHello"
		b := Parse([]byte(raw)).Bounce
		if b == nil {
			t.Errorf("%s: no bounce", n.name)
			continue
		}
		var to []string
		for _, r := range b.Recipients {
			to = append(to, r.Address)
		}
		if got := fmt.Sprint(to, " ", b.Status, " ", b.Permanent, " ", b.Reason); got != n.want {
			t.Errorf("%s: got %q, want %q", n.name, got, n.want)
		}
		if b.OriginalMessageID != "reply-1@desk.example" {
			t.Errorf("%s: original %q", n.name, b.OriginalMessageID)
		}
	}
}

func TestPeopleWritingAboutBouncesAreNoBounce(t *testing.T) {
	for _, in := range []string{
		"From: ana@customer.example\r\nSubject: Undeliverable: my order\r\n\r\nWhy do I get this?",
		"From: ana@customer.example\r\nSubject: Delivery failed\r\n\r\nHello, the parcel was not delivered. Is my address wrong?",
		"From: ana@customer.example\r\nSubject: Re: Undelivered Mail Returned to Sender\r\n\r\nYour message could not be delivered, says the server.",
		"Return-Path: <>\r\nFrom: ana@customer.example\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away until Monday.",
		"From: ana@customer.example\r\nSubject: Delivery delayed\r\n\r\nMy delivery has been delayed again. The address was invalid?",
		"From: postmaster@customer.example\r\nSubject: Question about DNS\r\n\r\nCould you check your MX record?",
	} {
		m := Parse([]byte(in))
		if m.Bounce != nil {
			t.Errorf("taken for a bounce: %q: %+v", in, m.Bounce)
		}
	}
}

func TestBounceNamesTheAddressItWasSentTo(t *testing.T) {
	raw := "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: x\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; real@inner.example\r\nOriginal-Recipient: rfc822;alias@customer.example\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.2.1 disabled\r\n\r\n" +
		"Final-Recipient: rfc822; fine@customer.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n--b--\r\n"
	b := Parse([]byte(raw)).Bounce
	if b == nil || len(b.Recipients) != 1 || b.Recipients[0].Original != "alias@customer.example" || b.Recipients[0].Address != "real@inner.example" || b.Status != "5.2.1" {
		t.Errorf("%+v", b)
	}
}

func TestWrappedBounce(t *testing.T) {
	inner := bounceHead + "Subject: Returned mail\r\n\r\n<ana@customer.example>: 550 5.1.1 User unknown\r\n"
	raw := "Return-Path: <>\r\nFrom: MAILER-DAEMON@gateway.example\r\nSubject: Returned mail\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nThe message could not be delivered.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + "\r\n--b--\r\n"
	b := Parse([]byte(raw)).Bounce
	if b == nil || len(b.Recipients) != 1 || b.Recipients[0].Address != "ana@customer.example" {
		t.Errorf("%+v", b)
	}
}

func TestComplaintsWithoutReportPart(t *testing.T) {
	returned := "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <survey-1@desk.example>\r\nTo: ana@customer.example\r\n\r\nx\r\n--b--\r\n"
	for _, c := range []struct{ raw, want string }{
		{"From: staff@provider.example\r\nSubject: complaint about message from 192.0.2.1\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below" + returned, "abuse survey-1@desk.example"},
		{"From: a@provider.example\r\nSubject: x\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nFeedback-Type: fraud\r\n" + returned, "fraud survey-1@desk.example"},
		{"From: a@provider.example\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nThis is an email abuse report for an email message received from 192.0.2.1" + returned, "abuse survey-1@desk.example"},
		{"From: a@provider.example\r\nX-Apple-Unsubscribe: true\r\n\r\nx", "opt-out "},
	} {
		f := Parse([]byte(c.raw)).Feedback
		if f == nil || f.Type+" "+f.OriginalMessageID != c.want {
			t.Errorf("%q: %+v", c.raw, f)
		}
	}
	if f := Parse([]byte("From: ana@customer.example\r\nSubject: complaint about my order\r\n\r\nIt is late")).Feedback; f != nil {
		t.Errorf("a customer's complaint became %+v", f)
	}
}

func TestAutomaticMail(t *testing.T) {
	for _, c := range []struct {
		header     string
		reply, may bool
	}{
		{"From: ana@customer.example\r\nSubject: Hello", false, true},
		{"From: ana@customer.example\r\nAuto-Submitted: no", false, true},
		{"From: ana@customer.example\r\nAuto-Submitted: auto-replied", true, false},
		{"From: ana@customer.example\r\nAuto-Submitted: auto-generated", false, false},
		{"From: ana@customer.example\r\nPrecedence: bulk", false, false},
		{"From: ana@customer.example\r\nPrecedence: auto_reply", true, false},
		{"From: ana@customer.example\r\nList-Id: <x.example>", false, false},
		{"From: ana@customer.example\r\nX-Auto-Response-Suppress: OOF, AutoReply", false, false},
		{"From: ana@customer.example\r\nX-Auto-Response-Suppress: None", false, true},
		{"From: ana@customer.example\r\nX-Loop: x", false, false},
		{"From: ana@customer.example\r\nX-Autoreply: yes", true, false},
		{"From: ana@customer.example\r\nReturn-Path: <>", false, false},
		{"From: ana@customer.example\r\nReturn-Path: <ana@customer.example>", false, true},
		{"From: no-reply@shop.example", false, false},
		{"From: noreply+123@shop.example", false, false},
		{"From: Shop <do-not-reply@shop.example>", false, false},
		{"From: mailer-daemon@shop.example", false, false},
		{"From: reply@shop.example", false, true},
		{"From: ana@customer.example\r\nSender: bounces+1@list.example", false, false},
		{"From: ana@customer.example\r\nSubject: Automatic reply: Order", true, false},
		{"From: ana@customer.example\r\nSubject: Réponse automatique : Commande", true, false},
		{"From: ana@customer.example\r\nSubject: Re: automatic reply settings", false, true},
		{"From: ana@customer.example\r\nSubject: Auto reply settings do not work", false, true},
		{"Subject: no author", false, false},
	} {
		m := Parse([]byte(c.header + "\r\n\r\nText"))
		if m.AutoReply != c.reply || m.MayAutoRespond != c.may {
			t.Errorf("%q: reply %v, may %v", c.header, m.AutoReply, m.MayAutoRespond)
		}
	}
}

func TestReasonsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range Reasons() {
		listed[r] = true
	}
	for _, r := range reasonRules {
		if !listed[r.reason] {
			t.Errorf("%s is not listed", r.reason)
		}
	}
	for _, r := range statusReasons {
		if !listed[r] {
			t.Errorf("%s is not listed", r)
		}
	}
}
