package mail

import (
	"regexp"
	"strings"
)

// looksBounced tells a delivery notice without machine-readable part. One
// sign is not enough: customers forward bounces and ask about them.
func looksBounced(m *Mail, notice string) bool {
	h := &m.Header
	sender := daemonSender(m)
	subject := bounceSubject().MatchString(m.Subject)
	marked := h.Has("X-Failed-Recipients") || isReport(h)
	switch {
	case sender && subject, marked && (sender || subject):
		return true
	case m.isAutoReply() && !daemonName().MatchString(strings.ToLower(h.Get("From"))):
		return bounceBody().MatchString(notice) && serverTalk().MatchString(notice)
	case sender || marked:
		return bounceBody().MatchString(notice)
	case subject || robotAddress(m.From.Address):
		// People write "Delivery failed" about parcels; servers quote codes and mail.
		return bounceBody().MatchString(notice) && serverTalk().MatchString(notice)
	}
	return false
}

// isReport tells a multipart/report about a delivery, by its label.
func isReport(h *Header) bool {
	t := strings.ToLower(h.raw("Content-Type"))
	return strings.Contains(t, "multipart/report") && !strings.Contains(t, "disposition") && !strings.Contains(t, "feedback")
}

// daemonSender tells mail servers by their names and the null return path.
func daemonSender(m *Mail) bool {
	rp := m.Header.rawValues("Return-Path")
	if len(rp) > 0 {
		path := strings.ToLower(strings.Trim(rp[0], "<> \t"))
		if path == "" || strings.HasPrefix(path, "mailer-daemon") || strings.HasPrefix(path, "postmaster") {
			return true
		}
	}
	from := strings.ToLower(m.Header.Get("From"))
	return daemonName().MatchString(from) || strings.Contains(from, "<>")
}

var daemonName = lazily(`mailer[-_. ]?daemon|post[-_.]?master|mail[-_. ]?(?:delivery|deliver)|delivery[-_. ](?:sub)?system|mail[-_. ]?(?:sub)?system|mail administrator|system administrator|mdaemon|microsoft ?exchange`)

// ownAddresses are those the report went to: the sender of what bounced.
func ownAddresses(m *Mail) map[string]bool {
	own := map[string]bool{}
	for _, list := range [][]Address{m.To, m.Cc, {m.From}} {
		for _, a := range list {
			own[strings.ToLower(a.Address)] = true
		}
	}
	for _, name := range []string{"Delivered-To", "Envelope-To", "X-Envelope-To"} {
		for _, v := range m.Header.rawValues(name) {
			own[strings.ToLower(cleanSpec(v))] = true
		}
	}
	return own
}

// cutOriginal splits the text of a notice from the returned message below it.
func cutOriginal(text string) (notice, original string) {
	at := 0
	previous := ""
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case at > 0 && originalMark().MatchString(trimmed):
			return text[:at], text[at+len(line):]
		case at > 0 && originalField().MatchString(line) && (previous == "" || strings.HasPrefix(previous, "---")):
			return text[:at], text[at:]
		}
		previous = trimmed
		at += len(line)
	}
	return text, ""
}

var (
	originalMark = lazily(`(?i)^[-=*_# ]*(?:below (?:this line )?is a copy of (?:the|your)|this is a copy of (?:the|your)|the (?:header|body) of the original|included is (?:a copy of )?the (?:message )?header|(?:here follows |attached is )?(?:the |your )?(?:original|returned|unsent|undelivered|bounced) (?:message|mail|e-mail)|message headers? follow|(?:message )?header follows|copy of (?:the )?original message|start of (?:original|returned|header))` +
		`.*$|^-+ *(?:original message|original mail) *-*$|^-{3,}.*(?:copy of (?:the|your) message|original message|returned message|unsent message|message header|元のメール|以下は元の|исходное (?:сообщение|письмо)).*$|^(?:original message headers?|原メール|元のメッセージ).{0,10}$`)
	originalField = lazily(`^(?:Received:|Return-Path: ?<|Message-ID: ?<|DKIM-Signature:|X-Received:|From [^\s@]+@?\S* +[A-Z][a-z]{2} )`)

	serverTalk = lazily(`(?i)original message|returned message|transcript of session|smtp|postmaster|mailer-daemon|remote (?:host|mail ?server)|mailing list|[45]\d\d [45]\.\d\.\d`)

	addressPattern = lazily(`(?:"[^"\s]+"|[A-Za-z0-9.!#$%&*+/=?^_{|}~-][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]*)@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?`)
)

const addr = `((?:"[^"\s]+"|[A-Za-z0-9.!#$%&*+/=?^_{|}~-][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]*)@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?)`

// recipientTiers find recipients in a notice, the surest first; the first
// tier that finds any is used. The last but one uses the header instead.
var recipientTiers = []func() *regexp.Regexp{
	lazily(`(?i)^\s*(?:final|original)-recipient:\s*(?:[a-z0-9-]+\s*;)?\s*<?` + addr),
	lazily(`(?i)^\s*[^<>:]*\s<` + addr + `>\s*(?::|\.\.\.)` +
		`|^[\s>*•·-]*(?:to:|recipient:|for)?[\s"'<\[(]*(?:mailto:)?` + addr + `["'>\])]*(?:$|[:;,(<\[]|\.\.\.|\.?(?:\s|$))` +
		`|^[\s<>]*[45]\d\d[ -]+(?:[45]\.\d+\.\d+\s+)?<?` + addr + `>?\s*(?:\.\.\.|:)`),
	lazily(`(?i)(?:rcpt to:\s*|(?:delivered|deliver(?:ing)?(?: your (?:mail|message))?|sent|send|message|mail) to:?\s*|(?:unknown user|user unknown|no such user|unknown address|invalid address|recipients?(?: address)?(?: returned permanent errors)?|rejected recipient|failed address|mailbox|mailing list|account|user)\b[\s:]*)["'<(]*\b` + addr),
	lazily(addr),
}

// noticeBounce reads recipients, codes and delay out of a notice.
func noticeBounce(m *Mail, notice string) *Bounce {
	b := &Bounce{Delayed: delayWords().MatchString(notice) || delaySubject().MatchString(m.Subject)}
	own := ownAddresses(m)
	lines := strings.Split(notice, "\n")
	b.Recipients = scanRecipients(strings.Split(bound(m.Text, maxNotice), "\n"), recipientTiers[0](), own)
	for tier := 1; tier < len(recipientTiers) && len(b.Recipients) == 0; tier++ {
		if tier == 2 {
			b.Recipients = failedRecipients(m)
		}
		if len(b.Recipients) == 0 {
			b.Recipients = scanRecipients(lines, recipientTiers[tier](), own)
		}
	}
	if len(b.Recipients) == 0 { // a mail to oneself
		b.Recipients = scanRecipients(lines, recipientTiers[1](), nil)
	}
	for i := range b.Recipients {
		if b.Recipients[i].Status == "" && len(b.Recipients) == 1 {
			b.Recipients[i].Status = firstStatus(notice)
		}
	}
	if len(b.Recipients) == 0 || b.Recipients[0].Status == "" {
		b.Status = firstStatus(notice)
	}
	return b
}

// scanRecipients gives each recipient the lines up to the next as its
// diagnostic.
func scanRecipients(lines []string, re *regexp.Regexp, own map[string]bool) []Bounced {
	var list []Bounced
	index := map[string]int{}
	current := -1
	for _, line := range lines {
		if len(line) > 2000 {
			line = line[:2000]
		}
		found := re.FindAllStringSubmatch(line, 5)
		for _, f := range found {
			a := strings.TrimRight(strings.Join(f[1:], ""), ".")
			key := strings.ToLower(a)
			if own[key] || serverAddress(key) || strings.HasPrefix(strings.TrimSpace(line), "(generated from") {
				continue
			}
			i, seen := index[key]
			if !seen {
				if len(list) >= 200 {
					return list
				}
				i = len(list)
				index[key] = i
				list = append(list, Bounced{Address: a})
			}
			current = i
		}
		if current >= 0 && len(list[current].Diagnostic) < maxDiagnostic {
			list[current].Diagnostic += strings.TrimSpace(line) + " "
		}
	}
	for i := range list {
		list[i].Diagnostic = bound(strings.Join(strings.Fields(list[i].Diagnostic), " "), maxDiagnostic)
		list[i].Status = firstStatus(list[i].Diagnostic)
	}
	return list
}

// serverAddress tells addresses of servers and helpers in a notice.
func serverAddress(a string) bool {
	local, _, _ := strings.Cut(a, "@")
	switch local {
	case "postmaster", "mailer-daemon", "abuse", "hostmaster", "root", "support", "helpdesk":
		return true
	}
	return strings.HasSuffix(a, ".png") || strings.HasSuffix(a, ".jpg") || strings.HasSuffix(a, ".gif")
}

// failedRecipients reads what Exim and Google put into the header.
func failedRecipients(m *Mail) []Bounced {
	var list []Bounced
	for _, v := range m.Header.rawValues("X-Failed-Recipients") {
		for _, a := range parseAddresses(v, "") {
			if strings.Contains(a.Address, "@") && len(list) < 200 {
				list = append(list, Bounced{Address: a.Address})
			}
		}
	}
	return list
}

var (
	delaySubject = lazily(`(?i)\bdelay(?:ed)?\b|^warning: (?:could not send|message still undelivered)|verzögert|retard[ée]e?|задерж`)
	delayWords   = lazily(`(?i)has been delayed|(?:is|been) (?:temporarily )?delayed|this is a warning message only|will (?:be retried|continue to (?:try|be retried)|keep trying)|still (?:be )?(?:trying|undelivered)|no action is required on your part|do not need to resend|delivery attempts will continue|not yet been delivered`)
)
