package mail

import "strings"

// The marks mail programs put above a quoted thread, in the languages they
// speak.

// attributionVerbs end the line that says who wrote what follows.
const endVerbs = `wrote|writes|said|a [ée]crit|écrivait|escribi[óo]|escribi[óo] lo siguiente|escreveu|ha scritto|scrive|schreef|geschreven|schreef het volgende|het volgende geschreven|het volgende|schrieb|hat geschrieben|geschrieben|skrev|` +
	`napisa[łl]\(?a?\)?|napisał/a|pisze|napsal\(?a?\)?|napísal\(?a?\)?|написал\(?а?\)?|пишет|пише|писал\(?а?\)?|написав\(?ла\)?|написа|yazd[ıi]|şunları yazdı|şöyle yazdı|(?:ezt|a következőket) [íi]rta|írta|kirjoitti|a scris|έγραψε|` +
	`đã viết|viết|menulis|je napisao|je napisala|napisao je|kirjutas|rašė|rakstīja|va escriure|idatzi zuen|escribiu|כתב/?ה?|כתבה?|كتب`

var (
	// verbLine is a line that may end an attribution.
	verbLine   = lazily(`(?i)(?:(?:^|[\s>*"')\]])(?:` + endVerbs + `)|写道|寫道|のメール|書きました|작성|เขียน)\*?\s*(?:[:：]\*?|-{2,}|\.\.\.)?\s*$`)
	middleVerb = lazily(`(?i)(?:^|\s)(?:schrieb|skrev|schreef|napisał|napsal|escreveu|escribió|tarihinde|wrote (?:on|at)|a écrit le|написал|heeft|ezt írta|kirjoitti)\s.*[:：]\s*$`)
	quotedVerb = lazily(`(?i)^>\s*(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|skrev|schreef)\s*[:：]$`)
	bareAuthor = lazily(`[<(\[][^<>\s]+@[^<>\s]+[>)\]]\s*[:：]\s*$`)
	isoLine    = lazily(`^\d{4}-\d\d-\d\d \d{1,2}:\d\d GMT[+-]\d\d:\d\d \S`)
	dateText   = lazily(`(?:^|\D)(?:(?:19|20)\d\d|\d{1,2}[.:h]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?:\D|$)|\d+月|\d+년`)
	clockText  = lazily(`\d{1,2}[:.h]\d{2}`)
	openWord   = lazily(`(?i)^[\s>*_-]*(?:on|at|am|le|el|il|em|op|den|w dniu|dnia|dne|dňa|vào|pada|a|în|la data|στις|på|u|в|від|el dia|no dia|em|\d|\pL{2,12}[.,] )`)
)

const maxAttribution = 400 // bytes of a joined attribution

// attribution tells whether line i ends one, "On ... wrote:", and where it
// starts: programs break it over up to four lines.
func attribution(lines []line, i int) (start int, ok bool) {
	text := lines[i].text
	if isoLine().MatchString(text) {
		return i, true
	}
	if len(text) > maxAttribution || !mayAttribute(text) {
		return 0, false
	}
	if quotedVerb().MatchString(text) {
		return splitAttribution(lines, i)
	}
	atEnd := verbLine().MatchString(text)
	if bareAuthor().MatchString(text) && dateText().MatchString(text) && clockText().MatchString(text) {
		return i, true
	}
	inside := middleVerb().MatchString(text)
	joined := text
	for start = i; ; start-- {
		switch {
		case atEnd && dateText().MatchString(joined) && (start == i || openWord().MatchString(joined) || strings.Contains(joined, "@")),
			inside && strings.Contains(joined, "@"), inside && clockText().MatchString(joined):
			return start, true
		case atEnd && strings.Contains(joined, "@"):
			return extendUp(lines, start), true
		case middleVerb().MatchString(joined) && clockText().MatchString(joined) && strings.Contains(joined, "@"):
			return start, true
		}
		if start == 0 || i-start >= 3 || lines[start-1].blank() || lines[start-1].quoted() || len(joined) > maxAttribution {
			break
		}
		joined = lines[start-1].text + " " + joined
	}
	return 0, false
}

// mayAttribute is a cheap look before the expensive one.
func mayAttribute(text string) bool {
	return strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：") || strings.HasSuffix(text, "-") || strings.HasSuffix(text, "*") || strings.HasSuffix(text, "...")
}

// extendUp takes in the lines above that hold the date.
func extendUp(lines []line, start int) int {
	for up := 1; up <= 2 && start-up >= 0; up++ {
		l := lines[start-up]
		if l.blank() || l.quoted() {
			break
		}
		if dateText().MatchString(l.text) && openWord().MatchString(l.text) {
			return start - up
		}
	}
	return start
}

// splitAttribution finds the start of one that a program tore apart with blank
// lines: a line with date and time not far above.
func splitAttribution(lines []line, i int) (int, bool) {
	for up := 1; up <= 6 && i-up >= 0; up++ {
		l := lines[i-up].text
		if openWord().MatchString(l) && clockText().MatchString(l) && dateText().MatchString(l) {
			return i - up, true
		}
	}
	return 0, false
}

// threadStart tells whether from line i on everything is an older or forwarded
// mail: "-----Original Message-----", or a block of From, Sent, To, Subject.
// The rule above such a block belongs to it.
func threadStart(lines []line, i int) (start int, ok bool) {
	text := lines[i].text
	if len(text) > 300 || !originalLine().MatchString(text) && !replyAbove().MatchString(text) && !headerBlock(lines, i) {
		return 0, false
	}
	start = i
	for up := i - 1; up >= 0 && i-up <= 3; up-- {
		if lines[up].blank() {
			continue
		}
		if ruleLine().MatchString(lines[up].text) {
			start = up
		}
		break
	}
	return start, true
}

var (
	ruleLine     = lazily(`^[\s*>|]*(?:[-_=*—–]\s?){5,}$`)
	replyAbove   = lazily(`(?i)^[\s>*#_=-]*(?:please )?(?:(?:type|write|enter|add) )?(?:your )?(?:reply|answer|respond)(?: to this (?:e-?mail|message))? above this line[\s*#_=.-]*$`)
	originalLine = lazily(`(?i)^[\s>*|]*(?:[-_=—–]{2,}\s*(?:original (?:message|mail|e-?mail|appointment)|originalnachricht|urspr[üu]ngliche (?:nachricht|e-?mail|mail)|weitergeleitete (?:nachricht|e-?mail)|message (?:d[’']origine|original|transf[ée]r[ée]|initial)|courriel original|mensaje (?:original|reenviado)|mensagem (?:original|encaminhada)|messaggio (?:originale|inoltrato)|oorspronkelijk bericht|origineel bericht|doorgestuurd bericht|` +
		`ursprungligt meddelande|originalmeddelande|vidarebefordrat (?:brev|meddelande)|opprinnelig melding|videresendt melding|oprindelig (?:meddelelse|besked)|videresendt (?:besked|meddelelse)|alkuper[äa]inen viesti|v[äa]litetty viesti|wiadomo[śs][ćc] (?:oryginalna|przekazana)|oryginalna wiadomo[śs][ćc]|p[ůu]vodn[íi] (?:zpr[áa]va|e-?mail)|p[ôo]vodn[áa] spr[áa]va|p[řr]eposlan[áa] zpr[áa]va|eredeti [üu]zenet|tov[áa]bb[íi]tott [üu]zenet|mesaj original|mesaj redirec[țt]ionat|orijinal (?:ileti|mesaj)|[öo]zg[üu]n (?:ileti|mesaj)|iletilen (?:ileti|mesaj)|` +
		`исходное сообщение|пересылаемое сообщение|пересланное сообщение|оригинал(?:ьное)? (?:сообщение|письмо|сообщения)|переслане повідомлення|αρχικό μήνυμα|προωθημένο μήνυμα|forwarded (?:message|mail|by .*)|begin forwarded message|reply (?:message|above)|原始邮件|原始郵件|原邮件|转发(?:的)?邮件|轉寄郵件|元のメッセージ|オリジナルメッセージ|転送(?:された)?メッセージ|원본 메시지|전달된 메시지|הודעה מקורית|הודעה שהועברה|الرسالة الأصلية|thư gốc|tin nhắn gốc|pesan asli)\s*:?\s*[-_=—–]{2,}.*` +
		`|begin forwarded message\s*:|anfang der weitergeleiteten (?:nachricht|e-?mail)\s*:|d[ée]but du message (?:r[ée]exp[ée]di[ée]|transf[ée]r[ée])\s*:|inicio del mensaje reenviado\s*:|in[íi]cio da mensagem (?:reenviada|encaminhada)\s*:|inizio messaggio inoltrato\s*:|begin doorgestuurd bericht\s*:|vidarebefordrat brev\s*:|videresendt melding\s*:|start på videresendt besked\s*:|v[äa]litetty viesti alkaa\s*:|początek przekazywanej wiadomo[śs]ci\s*:|начало переадресованного сообщения\s*:|下面是被转发的邮件\s*[:：]|転送されたメッセージ\s*[:：])\s*$`)
)

// label kinds of a header block
const (
	labelFrom = 1 << iota
	labelSent
	labelDate
	labelTo
	labelSubject
	labelOther
)

var labels = func() map[string]int {
	m := map[string]int{}
	add := func(kind int, words string) {
		for w := range strings.SplitSeq(words, ",") {
			m[strings.TrimSpace(w)] |= kind
		}
	}
	add(labelFrom, "from,von,de,da,van,från,fra,od,kimden,gönderen,от,від,из,од,από,lähettäjä,feladó,de la,expeditor,差出人,送信者,寄件者,发件人,發件人,发送人,보낸 사람,보낸사람,발신,מאת,من,từ,người gửi,frá,expéditeur,remitente,mittente,afzender,avsändare,odesílatel,odosielateľ,nadawca,absender,dari,kepada dari,saatja,nuo,no,от кого,จาก")
	add(labelSent, "sent,gesendet,envoyé,envoyé le,enviado,enviado el,enviada,enviada em,enviado em,inviato,data invio,verzonden,skickat,sendt,wysłano,wysłane,odesláno,odoslané,gönderilen,gönderilme tarihi,gönderildi,gönderme tarihi,отправлено,дата отправки,надіслано,στάλθηκε,εστάλη,lähetetty,elküldve,küldve,trimis,送信日時,送信日,发送时间,發送時間,寄件日期,传送日期,보낸 날짜,보낸날짜,נשלח,تم الإرسال,đã gửi,thời gian gửi,dikirim,sent on,date envoi")
	add(labelDate, "date,datum,fecha,data,dato,дата,tarih,日期,日付,päivä,päiväys,päivämäärä,dátum,ημερομηνία,날짜,تاريخ,التاريخ,תאריך,ngày,tanggal")
	add(labelTo, "to,an,à,a,para,aan,till,til,do,komu,kime,alıcı,кому,до,προς,vastaanottaja,címzett,către,catre,宛先,收件人,收件者,받는 사람,받는사람,수신,אל,إلى,tới,đến,người nhận,kepada,destinataire,destinatario,destinatário,pour,naar,per,ke,ถึง")
	add(labelSubject, "subject,betreff,objet,asunto,oggetto,assunto,onderwerp,ämne,emne,temat,předmět,predmet,konu,тема,θέμα,aihe,tárgy,subiect,件名,标题,主题,主旨,主題,제목,נושא,الموضوع,chủ đề,tiêu đề,subjek,perihal,re,sujet,teema,เรื่อง")
	add(labelOther, "cc,bcc,kopie,копия,kopi,kopia,kopio,dw,dk,másolatot kap,reply-to,antwort an,responder a,répondre à,copie à,抄送,副本,참조,c.c.,importance,attachments,priority,organization,copia,cc.")
	return m
}()

// headerBlock tells whether a copied mail header begins at line i: it names a
// sender and at least one thing only mail has.
func headerBlock(lines []line, i int) bool {
	kind, value := labelOf(lines[i].text)
	if kind == 0 || kind == labelOther {
		return false
	}
	seen, count, mail := kind, 1, strings.Contains(value, "@")
	misses := 0
	for j := i + 1; j < len(lines) && j < i+14 && misses < 3; j++ {
		if lines[j].blank() {
			if count > 1 {
				misses++
			}
			continue
		}
		k, v := labelOf(lines[j].text)
		if k == 0 {
			mail = mail || strings.Contains(lines[j].text, "@") && misses == 0
			misses++
			continue
		}
		seen, count, mail, misses = seen|k, count+1, mail || strings.Contains(v, "@"), 0
	}
	evidence := mail || seen&(labelSent|labelSubject) != 0
	return seen&labelFrom != 0 && seen&(labelSent|labelDate|labelTo|labelSubject) != 0 && count >= 2 && evidence && (count >= 3 || mail)
}

// labelOf splits "*From:* value" and tells the kind of its label.
func labelOf(text string) (kind int, value string) {
	text = strings.TrimLeft(text, " >*_|\t\u200e\u200f")
	i := strings.IndexAny(text, ":：")
	if i <= 0 || i > 40 {
		return 0, ""
	}
	name := strings.ToLower(strings.Trim(text[:i], " *_\u00a0\u200e\u200f"))
	value = strings.TrimLeft(text[i:], ":：* \u00a0")
	return labels[name], value
}
