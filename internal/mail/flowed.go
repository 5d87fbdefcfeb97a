package mail

import "strings"

// unflow joins the soft line breaks of format=flowed (RFC 3676) within one
// quote depth; with delSp the blank that marks them goes too. The signature
// mark "-- " never flows.
func unflow(s string, delSp bool) string {
	var b strings.Builder
	b.Grow(len(s))
	open, depth := false, 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, ">")
		quotes := len(line) - len(text)
		text = strings.TrimPrefix(text, " ")
		if open && (quotes != depth || text == "-- ") {
			b.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			b.WriteString(line[:quotes] + " ")
		}
		depth = quotes
		if strings.HasSuffix(text, " ") && text != "-- " {
			if delSp {
				text = text[:len(text)-1]
			}
			b.WriteString(text)
			open = true
			continue
		}
		b.WriteString(text)
		b.WriteByte('\n')
		open = false
	}
	return b.String()
}
