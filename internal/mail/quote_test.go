package mail

import (
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/richtext"
)

// attributions are lines programs put above a quote; what follows is folded.
var attributions = []string{
	"On Mon, Mar 2, 2026 at 9:00 AM Support <support@desk.example> wrote:",
	"On 02/03/2026 09:00, Support wrote:",
	"On Mon, Mar 2, 2026 at 9:00 AM, Support Team of a Company with a long name <\nsupport@desk.example> wrote:",
	"On 2 Mar 2026, at 09:00, Support\n<support@desk.example>\nwrote:",
	"---- On Mon, 02 Mar 2026 09:00:00 +0100 Support <support@desk.example> wrote ----",
	"2026-03-02 9:00 GMT+01:00 Support <support@desk.example>:",
	"Am 02.03.2026 um 09:00 schrieb Support:",
	"Am Mo., 2. März 2026 um 09:00 Uhr schrieb Support <support@desk.example>:",
	"Support <support@desk.example> schrieb am Mo., 2. März 2026, 09:00:",
	"Le lun. 2 mars 2026 à 09:00, Support <support@desk.example> a écrit :",
	"El lun, 2 mar 2026 a las 9:00, Support (<support@desk.example>) escribió:",
	"Em seg., 2 de mar. de 2026 às 09:00, Support <support@desk.example> escreveu:",
	"Il giorno lun 2 mar 2026 alle ore 09:00 Support <support@desk.example> ha scritto:",
	"Op ma 2 mrt 2026 om 09:00 schreef Support <support@desk.example>:",
	"Op 2 mrt 2026 om 09:00 heeft Support <support@desk.example> het volgende geschreven:",
	"Den mån 2 mars 2026 kl 09:00 skrev Support <support@desk.example>:",
	"man. 2. mar. 2026 kl. 09:00 skrev Support <support@desk.example>:",
	"pon., 2 mar 2026 o 09:00 Support <support@desk.example> napisał(a):",
	"po 2. 3. 2026 v 9:00 odesílatel Support <support@desk.example> napsal:",
	"пн, 2 мар. 2026 г. в 09:00, Support <support@desk.example>:",
	"2 марта 2026 г., 09:00 пользователь Support <support@desk.example> написал:",
	"пн, 2 бер. 2026 р. о 09:00 Support <support@desk.example> пише:",
	"Support <support@desk.example>, 2 Mar 2026 Pzt, 09:00 tarihinde şunu yazdı:",
	"Support <support@desk.example> ezt írta (időpont: 2026. márc. 2., H, 9:00):",
	"ma 2. maalisk. 2026 klo 9.00 Support (support@desk.example) kirjoitti:",
	"Pe lun., 2 mar. 2026 la 09:00, Support <support@desk.example> a scris:",
	"Στις Δευ 2 Μαρ 2026 στις 9:00 π.μ., ο/η Support <support@desk.example> έγραψε:",
	"2026年3月2日(月) 9:00 Support <support@desk.example>:",
	"Support <support@desk.example> 于2026年3月2日周一 09:00写道：",
	"2026년 3월 2일 (월) 오전 9:00, Support <support@desk.example>님이 작성:",
	"Vào Th 2, 2 thg 3, 2026 vào lúc 09:00 Support <support@desk.example> đã viết:",
}

func TestSplitTextFoldsTheThread(t *testing.T) {
	for _, a := range attributions {
		for _, quote := range []string{"> Hello,\n> how are you?\n", "Hello,\nhow are you?\n"} {
			in := "It works now, thank you.\n\n" + a + "\n\n" + quote
			visible, folded := SplitText(in)
			if visible != "It works now, thank you." || !strings.Contains(folded, "how are you?") {
				t.Errorf("%q:\nvisible %q\nfolded %q", a, visible, folded)
			}
		}
	}
}

// threads are the heads of older mails below a reply.
var threads = []string{
	"-----Original Message-----\nFrom: Support\nSent: Monday\n",
	"-----Ursprüngliche Nachricht-----\nVon: Support\n",
	"-------- Message d'origine --------\nDe : Support\n",
	"-----Mensaje original-----\nDe: Support\n",
	"________________________________\nFrom: Support <support@desk.example>\nSent: Monday, March 2, 2026 9:00 AM\nTo: Ana\nSubject: Hi\n",
	"Von: Support\nGesendet: Montag, 2. März 2026 09:00\nAn: Ana\nBetreff: Hallo\n",
	"De : Support\nEnvoyé : lundi 2 mars 2026 09:00\nÀ : Ana\nObjet : Bonjour\n",
	"De: Support\nEnviado el: lunes, 2 de marzo de 2026 9:00\nPara: Ana\nAsunto: Hola\n",
	"Da: Support\nInviato: lunedì 2 marzo 2026 09:00\nA: Ana\nOggetto: Ciao\n",
	"De: Support\nEnviada em: segunda-feira, 2 de março de 2026 09:00\nPara: Ana\nAssunto: Olá\n",
	"Van: Support\nVerzonden: maandag 2 maart 2026 09:00\nAan: Ana\nOnderwerp: Hoi\n",
	"Från: Support\nSkickat: den 2 mars 2026 09:00\nTill: Ana\nÄmne: Hej\n",
	"Fra: Support\nSendt: 2. marts 2026 09:00\nTil: Ana\nEmne: Hej\n",
	"Od: Support\nWysłano: poniedziałek, 2 marca 2026 09:00\nDo: Ana\nTemat: Hej\n",
	"Od: Support\nOdesláno: pondělí 2. března 2026 9:00\nKomu: Ana\nPředmět: Ahoj\n",
	"Lähettäjä: Support\nLähetetty: maanantai 2. maaliskuuta 2026 9.00\nVastaanottaja: Ana\nAihe: Hei\n",
	"От: Support\nОтправлено: 2 марта 2026 г. 9:00\nКому: Ana\nТема: Привет\n",
	"Gönderen: Support\nGönderilme Tarihi: 2 Mart 2026 09:00\nKime: Ana\nKonu: Merhaba\n",
	"差出人: Support\n送信日時: 2026年3月2日 9:00\n宛先: Ana\n件名: こんにちは\n",
	"发件人: Support\n发送时间: 2026年3月2日 9:00\n收件人: Ana\n主题: 你好\n",
	"*From:* Support\n*Date:* Monday, March 2, 2026\n*To:* Ana <ana@customer.example>\n*Subject:* Hi\n",
	"---------- Forwarded message ---------\nFrom: Support <support@desk.example>\n",
	"##- Please type your reply above this line -##\n",
	"Begin forwarded message:\n\nFrom: Support\n",
	"Anfang der weitergeleiteten Nachricht:\n\nVon: Support\n",
}

func TestSplitTextFoldsOlderMail(t *testing.T) {
	for _, h := range threads {
		visible, folded := SplitText("It works now.\n\nAna\n\n" + h + "\nHello Ana\n")
		if visible != "It works now.\n\nAna" || !strings.Contains(folded, "Hello Ana") {
			t.Errorf("%q:\nvisible %q\nfolded %q", h, visible, folded)
		}
	}
}

func TestSplitTextKeepsWhatPeopleWrite(t *testing.T) {
	for _, in := range []string{
		"On Monday I wrote to you about this:\n\nthe lamp is broken.",
		"Travel details:\nFrom: Berlin\nTo: Paris\nDate: 12 May\n\nPlease book.",
		"Please note: the parcel of 12.03.2026 is lost.\nTo: me\nAs I said: hurry.",
		"Line one\n-- not a signature, goes on\nLine three",
		"a > b\n> and this starts with an angle but\nis answered here\n> and here\nagain",
		"I am writing from my phone because the desktop is broken.\n\nWhat now?",
		"Name: Ana\nSubject: invoice\nMessage: please send it again",
		"wrote:",
		"Here is another email\n\nSent from my desk, is much easier than my mobile phone.",
		"The error says:\n\nFrom: line is missing\n\nwhat does it mean?",
	} {
		if visible, folded := SplitText(in); visible != in {
			t.Errorf("%q:\nvisible %q\nfolded %q", in, visible, folded)
		}
	}
}

func TestSplitTextAnswersBelow(t *testing.T) {
	visible, _ := SplitText("On Mon, Mar 2, 2026 at 9:00 AM Support <support@desk.example> wrote:\n> Which lamp?\n\nThe red one.\n")
	if visible != "The red one." {
		t.Errorf("answer below the quote: %q", visible)
	}
	in := "> Which lamp?\n\nThe red one.\n\n> Since when?\n\nYesterday.\n"
	if visible, _ := SplitText(in); visible != strings.TrimSpace(in) {
		t.Errorf("answers between the quotes lost their questions: %q", visible)
	}
}

func TestSplitTextFoldsSignatures(t *testing.T) {
	for _, sig := range []string{
		"-- \nAna Lopez\nLamps Ltd.", "--\nAna", "Sent from my iPhone", "Sent from Outlook for Android", "Get Outlook for iOS", "Von meinem iPhone gesendet", "Gesendet mit der GMX Mail App",
		"Envoyé de mon iPhone", "Enviado desde mi iPhone", "Enviado do meu iPhone", "Inviato da iPhone", "Verzonden vanaf mijn iPhone", "Skickat från min iPhone", "Sendt fra min iPhone",
		"Wysłano z iPhone'a", "Отправлено с iPhone", "iPhone'umdan gönderildi", "发自我的iPhone", "從我的 iPhone 傳送", "iPhoneから送信", "나의 iPhone에서 보냄", "_________\nAna\nLamps Ltd.",
	} {
		if visible, _ := SplitText("It works.\n\n" + sig + "\n"); visible != "It works." {
			t.Errorf("%q: visible %q", sig, visible)
		}
	}
}

// quotedHTML is what programs put around a quoted thread.
var quotedHTML = map[string]string{
	"gmail":           `<div dir="ltr">It works.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Mar 2, 2026 at 9:00 AM Support &lt;<a href="mailto:s@desk.example">s@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0">OLD</blockquote></div>`,
	"apple":           `<html><body>It works.<br><div><br><blockquote type="cite"><div>On 2 Mar 2026, at 09:00, Support &lt;s@desk.example&gt; wrote:</div><br><div>OLD</div></blockquote></div></body></html>`,
	"thunderbird":     `<p>It works.</p><div class="moz-cite-prefix">Am 02.03.26 um 09:00 schrieb Support:<br></div><blockquote type="cite" cite="mid:1@2">OLD</blockquote>`,
	"outlook":         `<div class="WordSection1"><p class="MsoNormal">It works.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>From:</b> Support &lt;s@desk.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Ana<br><b>Subject:</b> Hi</p></div><p>OLD</p></div>`,
	"outlook web":     `<div>It works.</div><div id="appendonsend"></div><hr style="width:98%"><div id="divRplyFwdMsg" dir="ltr"><font><b>From:</b> Support<br><b>Sent:</b> Monday<br></font></div><div>OLD</div>`,
	"outlook mac":     `<div>It works.</div><div><br></div><span id="OLK_SRC_BODY_SECTION"><div style="border-top: #b5c4df 1pt solid"><span>From: </span>Support</div>OLD</span>`,
	"outlook renamed": `<div>It works.</div><div id="x_divRplyFwdMsg"><b>From:</b> x</div>OLD`,
	"yahoo":           `<div class="ydp1">It works.</div><div id="ydp2yahoo_quoted_123" class="ydp2yahoo_quoted"><div>On Monday, 2 March 2026 at 09:00:00 GMT, Support &lt;s@desk.example&gt; wrote:</div><div>OLD</div></div>`,
	"proton":          `<div>It works.</div><div class="protonmail_quote">On Monday wrote:<blockquote class="protonmail_quote" type="cite">OLD</blockquote></div>`,
	"zoho":            `<div>It works.<br></div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- On Mon, 02 Mar 2026 Support wrote ----</div><blockquote>OLD</blockquote></div>`,
	"gmx":             `<div>It works.</div><div name="quote" style="margin:10px 5px 5px 10px; border-left:2px solid #C3D9E5"><div><b>Gesendet:</b> Montag, 2. M&auml;rz 2026 um 09:00 Uhr<br><b>Von:</b> Support &lt;s@desk.example&gt;<br><b>An:</b> ana<br><b>Betreff:</b> Hi</div><div>OLD</div></div>`,
	"plain quote":     `<p>It works.</p><p>On Mon, Mar 2, 2026, Support &lt;s@desk.example&gt; wrote:</p><blockquote><p>OLD</p></blockquote>`,
	"original marker": `It works.<br><br>-----Original Message-----<br>From: Support<br>OLD`,
	"hotmail":         `It works.<br><br><hr id="stopSpelling">OLD from Support`,
	"mobile":          `<div dir="auto">It works.</div><div id="composer_signature">-</div><div style="font-size:100%"><!-- originalMessage --><div>-------- Original message --------</div><div>From: Support &lt;s@desk.example&gt;</div></div><div>OLD</div>`,
}

func TestSplitQuoteFindsWhatProgramsLeave(t *testing.T) {
	for name, in := range quotedHTML {
		visible, quoted := SplitQuote(in)
		v, q := richtext.Text(richtext.Sanitize(visible)), richtext.Text(richtext.Sanitize(quoted))
		if !strings.Contains(v, "It works.") || strings.Contains(v, "OLD") || !strings.Contains(q, "OLD") || strings.Contains(q, "It works.") || strings.Contains(v, "Support") {
			t.Errorf("%s:\nvisible %q\nquoted %q", name, v, q)
		}
	}
}

func TestSplitQuoteKeepsWhatStandsBelow(t *testing.T) {
	visible, quoted := SplitQuote(`<div>before</div><blockquote type="cite">OLD</blockquote><div>after</div>`)
	if text := richtext.Text(visible); text != "before\nafter\n" || !strings.Contains(quoted, "OLD") {
		t.Errorf("visible %q, quoted %q", text, quoted)
	}
}

func TestSplitQuoteNeverShowsNothing(t *testing.T) {
	for _, in := range []string{`<div class="gmail_quote">all of it</div>`, `<div id="appendonsend"></div>text`, `<p></p><blockquote type=cite>x</blockquote>`} {
		if visible, quoted := SplitQuote(in); visible != in || quoted != "" {
			t.Errorf("%s became %q and %q", in, visible, quoted)
		}
	}
}

func TestSplitQuoteKeepsTheSurroundingsOfTheQuote(t *testing.T) {
	_, quoted := SplitQuote(`<table><tr><td style="color:red">new<div class="gmail_quote">old</div></td></tr></table>`)
	if got := richtext.Sanitize(quoted); got != `<table><tr><td style="color: red"><div>old</div></td></tr></table>` {
		t.Error(got)
	}
}
