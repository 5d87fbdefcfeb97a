package mail

import "strings"

// signatureStart is the line where the signature begins, len(lines) if there
// is none: "-- " on a line of its own, or a rule with few lines after it.
func signatureStart(lines []line, fold []bool) int {
	for i, l := range lines {
		if fold[i] || i == 0 {
			continue
		}
		if l.text == "--" || l.text == "— —" {
			return i
		}
		if underscores().MatchString(l.text) && shortTail(lines, fold, i) {
			return i
		}
	}
	return len(lines)
}

var underscores = lazily(`^_{8,}$`)

func shortTail(lines []line, fold []bool, i int) bool {
	n := 0
	for j := i + 1; j < len(lines); j++ {
		if !lines[j].blank() && !fold[j] {
			n++
		}
	}
	return n > 0 && n <= 8
}

// foldDeviceLines folds what devices and apps add at the end: "Sent from my
// iPhone".
func foldDeviceLines(lines []line, fold []bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		if fold[i] || lines[i].blank() {
			continue
		}
		if len(lines[i].text) > 200 || !isDeviceLine(lines[i].text) && !(lines[i].text == "--" || lines[i].text == "---") {
			break
		}
		fold[i] = true
	}
}

// isDeviceLine wants the device named before the first comma where the line
// goes on as a sentence: "Sent from my desk, which is new" is one.
func isDeviceLine(text string) bool {
	if !deviceLine().MatchString(text) {
		return false
	}
	head, rest, more := strings.Cut(text, ", ")
	return !more || strings.TrimSpace(rest) == "" || deviceName().MatchString(head)
}

var deviceName = lazily(`(?i)(?:^|[^\pL])(?:` + devices + `)(?:$|[^\pL])`)

const devices = `iphone|ipad|ipod|i ?os|android|blackberry|galaxy|samsung|huawei|xiaomi|nokia|htc|motorola|sony|oneplus|pixel|windows|lumia|outlook|gmail|yahoo|aol|gmx|web\.de|freemail|mailbox|mail|thunderbird|proton|tutanota|airmail|spark|newton|acompli|k-9|fairemail|boxer|mobile|phone|cell|tablet|smartphone|handy|handset|device|telefon\w*|mobil\w*|t[ée]l[ée]phone|m[óo]vil|celular|cellulare|телефон\w*|смартфон\w*|устройств\w*|айфон\w*`

// deviceLine is a line a device adds, with or without brackets around it.
var deviceLine = lazily(`(?i)^[\s<>(\[*_~-]*(?:` +
	`sent (?:from|via|with|by|using|on) .+|sent from .*|send from my .*|get (?:\[?outlook|the new outlook|yahoo|airmail) ?.*|download (?:outlook|the) .+(?:ios|android|app).*|(?:\S+ ){0,2}from (?:my )?(?:` + devices + `).*|typed (?:on|with) .+(?:phone|mobile).*|` +
	`(?:von|mit) (?:meinem|meiner|mein) .+(?:gesendet|geschickt|geschrieben)?|gesendet (?:von|mit|über|via) .+|diese nachricht wurde (?:von|mit) .+gesendet|von .+(?:iphone|ipad|android|mobil\w*|handy|smartphone).*gesendet|holen sie sich outlook.*|outlook für (?:ios|android).*|` +
	`envoy[ée]e? (?:depuis|de|à partir|avec|via) .+|t[ée]l[ée]charge[rz] outlook.*|obtenez? outlook.*|provenance\s*:.+|` +
	`enviad[oa] (?:desde|do|de|por|via|a partir|com|con) .+|obtener outlook.*|obter o outlook.*|inviato (?:da|dal|con|tramite) .+|scarica outlook.*|ottieni outlook.*|` +
	`verzonden (?:vanaf|met|vanuit|via|van) .+|verstuurd (?:vanaf|met|vanuit|via|van) .+|outlook voor .+|skickat fr[åa]n .+|h[äa]mta outlook.*|sendt (?:fra|med|via) .+|hent outlook.*|l[äa]hetetty .+|wys[łl]an[eoy] (?:z|ze|przez) .+|pobierz outlook.*|odesl[áa]no (?:z|ze|pomoc[íi]) .+|odoslan[ée] z .+|` +
	`(?:az )?.+-?(?:r[óo]l|b[óo]l|mr[óo]l|emr[őo]l) k[üu]ldve|trimis (?:de pe|din|prin) .+|.+(?:'?[dt][ae]n|umdan|[iı]mdan) g[öo]nderildi|отправлено (?:с|из|от) .+|отправлено через .+|надіслано (?:з|із) .+|στάλθηκε από .+|изпратено от .+|поднето .+|poslano (?:z|s|iz) .+|` +
	`從我的.+(?:傳送|寄出)|从我的.+发送|发自(?:我的)?.+|發自.+|(?:私の)?.+から送信.*|.+より送信|나의 .+에서 (?:보냄|전송).*|.+에서 보냄|נשלח מ.+|أ?ُ?رسل من .+|được gửi từ .+|gửi từ .+|dikirim dari .+|ส่งจาก.+` +
	`)[\s>)\]*_~.!]*$`)
