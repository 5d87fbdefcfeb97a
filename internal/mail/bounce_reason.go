package mail

import (
	"regexp"
	"strings"
)

// Reasons lists the words Bounce.Reason can be. They are stored: never rename
// one.
func Reasons() []string {
	return []string{
		"userunknown", "mailboxfull", "hostunknown", "hasmoved", "suspend", "expired", "networkerror", "systemerror", "mesgtoobig",
		"spamdetected", "virusdetected", "blocked", "requireptr", "authfailure", "policyviolation", "norelaying", "securityerror",
		"exceedlimit", "toomanyconn", "syntaxerror", "notaccept", "contenterror", "rejected", "filtered", "mailererror",
	}
}

// reasonRules are tried in order on the server's words.
var reasonRules = []struct {
	reason string
	words  func() *regexp.Regexp
}{
	{"mailboxfull", lazily(`(?i)mailbox (?:is |size )?(?:full|exceed|over)|mail(?:box|folder|drop|directory)?(?: is|'s)? full|over ?-?quota|quota (?:exceed|full)|exceed\w* (?:\w+ )?(?:quota|storage|mailbox|local limit)|out of storage|insufficient (?:disk|storage)|user disk quota|容量`)},
	{"virusdetected", lazily(`(?i)virus|malware|infected`)},
	{"requireptr", lazily(`(?i)\bPTR\b|reverse dns|rDNS|reverse (?:look|map)`)},
	{"authfailure", lazily(`(?i)\bDMARC\b|\bSPF\b|\bDKIM\b|unauthenticated email|sender policy framework|authentication checks`)},
	{"userunknown", lazily(`(?i)user (?:is )?(?:unknown|not (?:found|known|exist)|doesn't)|unknown (?:user|recipient|address|mailbox|local)|no (?:such|mailbox|account|valid|user|recipient)\b.*(?:user|mailbox|recipient|address|account|here|by that name|person)|(?:address|account|mailbox|recipient|user)(?: \S+)? (?:does ?n[o']t|doesn't|not|isn't)(?: an?)? (?:exist|found|valid|known|listed|a known|available here)|invalid (?:recipient|mailbox|address|user)|not (?:a (?:valid|known)|our customer|listed in)|recipient (?:address )?rejected: (?:user|undeliv)|unrouteable address|address (?:unknown|not found|rejected)|existiert nicht|(?:recipient|name) (?:name )?(?:is|was) not (?:recognized|found)|存在しません|not known at this site`)},
	{"suspend", lazily(`(?i)(?:account|mailbox|user|address) (?:is |has been |was )?(?:inactive|disabled|suspended|deactivated|locked|closed|terminated|not active|discontinued|expired)|inactive (?:user|account)`)},
	{"hasmoved", lazily(`(?i)has (?:moved|been replaced|changed)|no longer (?:valid|in use|used|available|works?|with)|address (?:has )?changed`)},
	{"hostunknown", lazily(`(?i)(?:host|domain)(?: name)?(?: \S+)? (?:unknown|not found|does(?: no|n')t exist|is invalid)|unknown host|name or service not known|no such (?:host|domain)|unrouteable (?:mail )?domain|can't find (?:any )?host|DNS (?:error|lookup)|bad destination (?:host|system)|null MX|NXDOMAIN`)},
	{"mesgtoobig", lazily(`(?i)(?:message|mail|size) (?:is )?too (?:large|big|long)|message size|exceeds (?:the )?(?:fixed )?(?:maximum|max|size|limit)|too (?:large|big) (?:to|for)`)},
	{"expired", lazily(`(?i)expired|timed? ?out|retry (?:time|timeout)|too (?:old|long)|could not be delivered (?:for|within)|has been (?:delayed|in the queue)|still trying|days?\(?s?\)? (?:old|in queue)|will be retried|temporary failure`)},
	{"norelaying", lazily(`(?i)relay(?:ing)? (?:denied|not (?:allowed|permitted)|access denied|prohibited)|unable to relay|not (?:permitted|allowed) to relay|we do not relay`)},
	{"spamdetected", lazily(`(?i)\bspam\b|junk mail|bulk (?:e?mail)|unsolicited|content rejected|message content`)},
	{"blocked", lazily(`(?i)block(?:ed|list)|black ?list|\bRBL\b|spamhaus|barracuda|reputation|client host rejected|access denied|IP (?:address )?(?:\S+ )?(?:is |has been )?(?:not allowed|rejected|denied)|bloqu[ée]e`)},
	{"toomanyconn", lazily(`(?i)too many (?:connection|concurrent|session|messages|emails|recipients)|rate limit|throttl`)},
	{"securityerror", lazily(`(?i)\bTLS\b|STARTTLS|certificate|encryption required|authentication required`)},
	{"policyviolation", lazily(`(?i)policy|not RFC|header error|prohibited|violat`)},
	{"networkerror", lazily(`(?i)hop count|mail loop|too many hops|routing loop|connection (?:refused|lost|reset|dropped)|network|no route to host|unreachable|lost connection`)},
	{"syntaxerror", lazily(`(?i)syntax error|bad (?:address )?syntax|command (?:not recognized|unrecognized)`)},
	{"rejected", lazily(`(?i)sender (?:address )?(?:is )?(?:rejected|denied|blocked|not)|not (?:a )?member|permission to post|not allowed to (?:send|post)|domain of sender`)},
	{"filtered", lazily(`(?i)recipient (?:address )?rejected|rejected by (?:the )?(?:recipient|user|remote)|mailbox unavailable|filter`)},
	{"systemerror", lazily(`(?i)system (?:error|resources|busy)|local (?:error|configuration)|service (?:un|not )available|service refuse|input/output|insufficient system|try again later`)},
	{"mailererror", lazily(`(?i)command (?:failed|died|output)|mailer error|procmail|child status|x-unix`)},
}

var statusReasons = map[string]string{
	"1.1": "userunknown", "1.2": "hostunknown", "1.3": "syntaxerror", "1.6": "hasmoved", "1.10": "notaccept", "2.1": "suspend", "2.2": "mailboxfull", "2.3": "mesgtoobig", "3.4": "mesgtoobig",
	"4.1": "networkerror", "4.4": "hostunknown", "4.6": "networkerror", "4.7": "expired", "7.26": "authfailure", "7.25": "requireptr",
}

func reasonOf(status, diagnostic, notice string) string {
	for _, text := range []string{diagnostic, notice} {
		for _, r := range reasonRules {
			if r.words().MatchString(text) {
				return r.reason
			}
		}
		if len(status) > 2 {
			if r, ok := statusReasons[status[2:]]; ok {
				return r
			}
		}
	}
	return ""
}

var (
	statusPattern = lazily(`(?:^|[^\d.\w-])([245]\.\d{1,3}\.\d{1,3})(?:$|[^\d.]|\.(?:$|\D))`)
	replyPattern  = lazily(`(?:^|[^\d.:/\w-]|(?i:code) ?: ?)([45]\d\d)(?:[ ,-]|$)`)
	replyStatus   = lazily(`^[45]\d\d[ -]([45]\.\d{1,3}\.\d{1,3})\b`)
	givenUp       = lazily(`(?i)permanent|given? up|no further (?:delivery )?attempts`)
	ranOut        = lazily(`(?i)(?:message|delivery|retry|queue)\S* (?:timeout|time[- ]?out|expired)|retry (?:time|timeout) (?:not reached|exceeded)|too long|has been (?:delayed|in the (?:mail )?queue)|temporary (?:failure|error)|could not be delivered (?:for|within)|not (?:be )?delivered (?:for|within) (?:the )?(?:last )?\d+ (?:hour|day)|tried to deliver .*(?:hours|days)`)
)

// firstStatus finds an enhanced status code (RFC 3463): the first that says
// more than "failed", else the first.
func firstStatus(s string) string {
	best := ""
	for _, m := range statusPattern().FindAllStringSubmatch(bound(s, maxNotice), 20) {
		if telling(m[1]) > 1 {
			return m[1]
		}
		if telling(m[1]) > telling(best) {
			best = m[1]
		}
	}
	return best
}

// telling ranks how much a code says: nothing, success, failure, given up or
// of a kind, exactly what.
func telling(status string) int {
	switch {
	case status == "":
		return -1
	case status[0] == '2':
		return 0
	case strings.HasSuffix(status, ".0.0"):
		return 1
	case strings.HasSuffix(status, ".0"), strings.HasSuffix(status, ".4.7"):
		return 2
	}
	return 3
}

// sharper replaces a code by one in the server's words that says more. What
// follows the reply code is the remote server's own and always counts.
func sharper(status, words string) string {
	if m := replyStatus().FindStringSubmatch(words); m != nil && telling(m[1]) > 1 {
		return m[1]
	}
	if better := firstStatus(words); telling(better) > telling(status) && telling(better) > 1 {
		return better
	}
	return status
}

// permanent judges by status class, then by the SMTP reply, then by words.
func permanent(b *Bounce, notice string) bool {
	switch {
	case b.Delayed:
		return false
	case b.Status != "":
		return b.Status[0] != '4'
	}
	for _, text := range []string{b.Diagnostic, notice} {
		if m := replyPattern().FindStringSubmatch(text); m != nil {
			return m[1][0] == '5'
		}
	}
	if ranOut().MatchString(b.Diagnostic) {
		return false
	}
	return givenUp().MatchString(notice) || !ranOut().MatchString(notice)
}
