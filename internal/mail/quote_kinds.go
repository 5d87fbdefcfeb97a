package mail

import "strings"

// What an element is to the thread.
const (
	plainElement    = iota
	quoteElement    // the element is a quote
	restElement     // from here on everything is
	blockquoteMaybe // a blockquote without marks
)

// kindOf tells quotes by the class, id and style programs give them.
func kindOf(name string, attrs map[string]string) int {
	class := " " + strings.ToLower(attrs["class"]) + " "
	id := strings.ToLower(attrs["id"])
	for _, prefix := range []string{"x_", "m_"} { // Outlook and Gmail rename what they quote again
		id = strings.TrimPrefix(id, prefix)
		class = strings.ReplaceAll(class, " "+prefix, " ")
	}
	if name == "blockquote" {
		switch {
		case strings.EqualFold(attrs["type"], "cite"), hasAny(class, quoteClasses):
			return quoteElement
		case strings.Contains(class, " gmail_quote "):
			return plainElement // Gmail's own indent; a reply wraps it in a div
		}
		return blockquoteMaybe
	}
	if restIDs[id] {
		return restElement
	}
	if quoteIDs[id] || hasAny(class, quoteClasses) || strings.Contains(class, " gmail_quote ") || strings.HasPrefix(id, "yahoo_quoted") {
		return quoteElement
	}
	return plainElement
}

func hasAny(class string, names map[string]bool) bool {
	for w := range strings.FieldsSeq(class) {
		if names[w] {
			return true
		}
	}
	return false
}

var (
	quoteClasses = words("gmail_quote_container yahoo_quoted moz-cite-prefix moz-forward-container protonmail_quote tutanota_quote zmail_extra freshdesk_quote front-blockquote wm_quote hs_reply " +
		"hmmessage-quote quoted-message quotedmail mailquote mail-quote skiff_quote gmx_quote webmail_quote email-quote history_container ntes-mail-quote foxmail_quote")
	quoteIDs = words("olk_src_body_section mail-editor-reference-message-container isreplycontent isforwardcontent qt reply-intro replyblock origbody orimsghtmlseperator yahoo_quoted")
	restIDs  = words("divrplyfwdmsg appendonsend stopspelling mailcontainer-quote zwchr isreplyheader")
)
