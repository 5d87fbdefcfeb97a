package boot

import (
	"strings"

	"github.com/deskbell/deskbell/internal/reply"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
)

// byMail hands what agents answer by mail to the replies, which are made after
// the notices.
type byMail struct{ d *Desk }

func (b byMail) Reply(who *route.Caller, number int64, html string, files []string, key string) (string, error) {
	return b.d.Replies.Send(who, number, reply.Input{Body: html, Attachments: files}, key)
}

func (b byMail) Note(who *route.Caller, number int64, html string, files []string, key string) (string, error) {
	return b.d.Replies.Note(who, number, html, files, key)
}

// home is the address of the workspace in mails, without a slash at its end. It
// is never read from a request, whose Host anybody can choose.
func (d *Desk) home() string {
	if set := strings.TrimRight(setting.Text(d.App, setting.DeskURL), "/"); set != "" {
		return set
	}
	return d.url
}
