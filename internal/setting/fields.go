package setting

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/option"
)

// The keys of the settings that have no owner of their own yet. They stand in
// the database and never change.
const (
	DeskName          = "desk.name"
	DeskTimeZone      = "desk.time_zone"
	DeskHours         = "desk.hours"
	DeskURL           = "desk.url"
	MailUndoSeconds   = "mail.undo_s"
	MailAutoPerMinute = "mail.auto_per_minute"
	MailMaxMB         = "mail.max_mb"
	NetAllow          = "net.allow"
)

func init() {
	workday := []option.Span{{"09:00", "17:00"}}
	option.Register(desk.Field{
		Key: DeskName, Label: "Company name", Kind: desk.FieldText, Required: true,
		Help: "What customers see as the sender and on public pages.",
	})
	option.Register(desk.Field{
		Key: DeskTimeZone, Label: "Time zone", Kind: desk.FieldTimeZone, Required: true, Default: "UTC",
		Help: "Business hours, reports and timed jobs follow this clock.",
	})
	option.Register(desk.Field{
		Key: DeskHours, Label: "Business hours", Kind: desk.FieldHours,
		Help: "When somebody answers; reply times count in these hours.",
		Default: option.Hours{
			"mon": workday, "tue": workday, "wed": workday, "thu": workday, "fri": workday,
			"sat": {}, "sun": {},
		},
	})
	option.Register(desk.Field{
		Key: DeskURL, Label: "Address of this desk", Kind: desk.FieldText,
		Help: "How agents reach it from outside, such as https://desk.example.com. Mails link to it; without it they link to the address it listens on.",
	}, option.CheckedBy(checkURL))
	option.Register(desk.Field{
		Key: MailUndoSeconds, Label: "Undo window", Kind: desk.FieldNumber, Unit: "s",
		Min: new(0.0), Max: new(60.0), Default: 10,
		Help: "How long a reply waits before it goes out, so that it can be taken back.",
	})
	option.Register(desk.Field{
		Key: MailAutoPerMinute, Label: "Automatic mails a minute", Kind: desk.FieldNumber,
		Min: new(1.0), Max: new(10_000.0), Default: 60,
		Help: "Above this many from one mailbox, automatic mail is held until somebody looks; replies are never held.",
	})
	option.Register(desk.Field{
		Key: MailMaxMB, Label: "Largest mail", Kind: desk.FieldNumber, Unit: "MB",
		Min: new(1.0), Max: new(200.0), Default: 25,
		Help: "A larger mail is refused by our own mail server and left on the mailbox's.",
	})
	option.Register(desk.Field{
		Key: NetAllow, Label: "Reachable private addresses", Kind: desk.FieldList,
		Help: "Hosts, addresses or networks of the inside, each with an optional port, that Deskbell may connect to.",
	},
		option.CheckedBy(checkNetworks), option.OwnerOnly)
}

// checkURL takes the address of a web site, without more behind its host.
func checkURL(value json.RawMessage) error {
	var text string
	if err := json.Unmarshal(value, &text); err != nil || text == "" {
		return err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return desk.Errorf(desk.Invalid, "Enter the address as in https://desk.example.com, without anything behind it.")
	}
	return nil
}

// checkNetworks asks the dialer whether it understands a list of addresses.
func checkNetworks(value json.RawMessage) error {
	var entries []string
	if err := json.Unmarshal(value, &entries); err != nil {
		return err
	}
	_, err := netguard.New(entries...)
	return err
}
