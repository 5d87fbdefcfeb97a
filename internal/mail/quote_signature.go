package mail

import "regexp"

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
		if underscores.MatchString(l.text) && shortTail(lines, fold, i) {
			return i
		}
	}
	return len(lines)
}

var underscores = regexp.MustCompile(`^_{8,}$`)

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
		if len(lines[i].text) > 200 || !deviceLine.MatchString(lines[i].text) && !(lines[i].text == "--" || lines[i].text == "---") {
			break
		}
		fold[i] = true
	}
}

const devices = `iphone|ipad|ipod|i ?os|android|blackberry|galaxy|samsung|huawei|xiaomi|nokia|htc|motorola|sony|oneplus|pixel|windows|lumia|outlook|gmail|yahoo|aol|gmx|web\.de|freemail|mailbox|mail|thunderbird|proton|tutanota|airmail|spark|newton|acompli|k-9|fairemail|boxer|mobile|phone|cell|tablet|smartphone|handy|handset|device|telefon\w*|mobil\w*|t[ée]l[ée]phone|m[óo]vil|celular|cellulare|телефон\w*|смартфон\w*|устройств\w*|айфон\w*`

// deviceLine is a line a device adds, with or without brackets around it.
var deviceLine = regexp.MustCompile(`(?i)^[\s<>(\[*_~-]*(?:` +
	`sent (?:from|via|with|by|using|on) .{1,100}|sent from .*|send from my .*|get (?:\[?outlook|the new outlook|yahoo|airmail) ?.*|download (?:outlook|the) .{1,60}(?:ios|android|app).*|(?:\S+ ){0,2}from (?:my )?(?:` + devices + `).{0,40}|typed (?:on|with) .{1,60}(?:phone|mobile).*|` +
	`(?:von|mit) (?:meinem|meiner|mein) .{1,60}(?:gesendet|geschickt|geschrieben)?|gesendet (?:von|mit|über|via) .{1,80}|diese nachricht wurde (?:von|mit) .{1,100}gesendet|von .{1,30}(?:iphone|ipad|android|mobil\w*|handy|smartphone).{0,20}gesendet|holen sie sich outlook.*|outlook für (?:ios|android).*|` +
	`envoy[ée]e? (?:depuis|de|à partir|avec|via) .{1,80}|t[ée]l[ée]charge[rz] outlook.*|obtenez? outlook.*|provenance\s*:.{1,60}|` +
	`enviad[oa] (?:desde|do|de|por|via|a partir|com|con) .{1,80}|obtener outlook.*|obter o outlook.*|inviato (?:da|dal|con|tramite) .{1,80}|scarica outlook.*|ottieni outlook.*|` +
	`verzonden (?:vanaf|met|vanuit|via|van) .{1,80}|verstuurd (?:vanaf|met|vanuit|via|van) .{1,80}|outlook voor .{1,30}|skickat fr[åa]n .{1,80}|h[äa]mta outlook.*|sendt (?:fra|med|via) .{1,80}|hent outlook.*|l[äa]hetetty .{1,80}|wys[łl]an[eoy] (?:z|ze|przez) .{1,80}|pobierz outlook.*|odesl[áa]no (?:z|ze|pomoc[íi]) .{1,80}|odoslan[ée] z .{1,80}|` +
	`(?:az )?.{1,40}-?(?:r[óo]l|b[óo]l|mr[óo]l|emr[őo]l) k[üu]ldve|trimis (?:de pe|din|prin) .{1,80}|.{1,60}(?:'?[dt][ae]n|umdan|[iı]mdan) g[öo]nderildi|отправлено (?:с|из|от) .{1,80}|отправлено через .{1,80}|надіслано (?:з|із) .{1,80}|στάλθηκε από .{1,80}|изпратено от .{1,80}|поднето .{1,60}|poslano (?:z|s|iz) .{1,80}|` +
	`從我的.{1,40}(?:傳送|寄出)|从我的.{1,40}发送|发自(?:我的)?.{1,40}|發自.{1,40}|(?:私の)?.{1,30}から送信.{0,10}|.{1,30}より送信|나의 .{1,30}에서 (?:보냄|전송).{0,5}|.{1,30}에서 보냄|נשלח מ.{1,60}|أ?ُ?رسل من .{1,60}|được gửi từ .{1,60}|gửi từ .{1,60}|dikirim dari .{1,60}|ส่งจาก.{1,60}` +
	`)[\s>)\]*_~.!]*$`)
