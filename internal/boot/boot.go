// Package boot builds a desk: it makes every part in one readable order, hands
// each what it needs of the others, starts them and stops them in reverse. Only
// boot and command know everyone.
package boot

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/certificate"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/channel/sandbox"
	"github.com/deskbell/deskbell/internal/conversation"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/file"
	"github.com/deskbell/deskbell/internal/health"
	"github.com/deskbell/deskbell/internal/intake"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/netguard"
	"github.com/deskbell/deskbell/internal/news"
	"github.com/deskbell/deskbell/internal/ops"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/reply"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/schedule"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/deskbell/deskbell/internal/setup"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/deskbell/deskbell/internal/team"
	"github.com/deskbell/deskbell/internal/ticket"
	_ "github.com/deskbell/deskbell/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
)

// Options are what the command line decides.
type Options struct {
	Dir      string     // data folder
	Clock    desk.Clock // nil = the machine's
	SMTPAddr string     // where the built-in SMTP listener listens, "" for no listener
	AllowNet []string   // private addresses that guarded connections may reach
	TLSCert  string     // PEM file of the certificate for STARTTLS at that listener, "" for none
	TLSKey   string     // PEM file of its key
	Version  string

	Resolver mailauth.Resolver // the domain name system; nil = as the machine is set up

	Domains       []string // served by HTTPS with certificates by ACME, as certificate.Domain returns them; nil = plain HTTP
	ACMEDirectory string   // URL of the certificate authority's directory, "" = Let's Encrypt
	ACMERoots     string   // PEM file of who signed the authority's own certificate, "" = whom the system trusts
}

// Desk is one desk with all its parts.
type Desk struct {
	Options
	App       *core.BaseApp
	Wall      desk.Clock // the machine's clock
	Log       *event.Log
	Access    *access.Access
	Teams     *team.Teams
	Tickets   *ticket.Tickets
	Ledger    *file.Ledger
	Files     *file.Files
	Outbox    *outbox.Outbox
	Guard     *netguard.Guard
	Secrets   *secret.Box
	Mailboxes *email.Mailboxes
	Mail      *email.Service
	Sandbox   *sandbox.Sandbox
	Intake    *intake.Intake
	Replies   *reply.Replies
	Pages     *conversation.Conversations
	News      *news.News
	Schedule  *schedule.Scheduler
	Setup     *setup.Setup
	Health    *health.Health
	Routes    *route.Table

	Certificates *certificate.Keeper // nil without a domain

	folder       *ops.Folder
	controlToken string
	server       *http.Server // once it serves
	tls          *tls.Config  // of the SMTP listener, nil without a certificate
	announcer    announcer
	commands     commands
}

// Open takes the data folder, brings its database up to date and builds the
// desk; nothing runs yet. Close gives the folder back.
func Open(o Options) (*Desk, error) {
	d := &Desk{Options: o, Wall: desk.SystemClock{}}
	if d.Clock == nil {
		d.Clock = d.Wall
	}
	folder, err := ops.Take(o.Dir)
	if err != nil {
		return nil, err
	}
	d.folder = folder
	if err := d.open(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Desk) open() error {
	var err error
	if d.App, err = Bootstrap(d.Dir); err != nil {
		return err
	}
	if d.Secrets, err = secret.Open(d.Dir); err != nil {
		return err
	}
	if d.Guard, err = netguard.New(append(setting.List(d.App, setting.NetAllow), d.AllowNet...)...); err != nil {
		return err
	}
	if err = d.certificates(); err != nil {
		return err
	}
	d.records()
	d.flows()
	d.edges()
	d.jobs()
	d.hooks()
	d.routes()
	return nil
}

// Bootstrap opens the databases of a data folder and brings them up to date.
func Bootstrap(dir string) (*core.BaseApp, error) {
	app := core.NewBaseApp(core.BaseAppConfig{
		DataDir: dir, DBConnect: sqlite.Connect,
		DataMaxOpenConns: 12, DataMaxIdleConns: 4, AuxMaxOpenConns: 4, AuxMaxIdleConns: 1,
	})
	if err := app.Bootstrap(); err != nil {
		return nil, fmt.Errorf("open the database in %s: %w", dir, err)
	}
	if err := app.RunAllMigrations(); err != nil {
		return nil, fmt.Errorf("bring the database in %s up to date: %w", dir, err)
	}
	return app, nil
}

// records builds what owns the rows.
func (d *Desk) records() {
	d.Log = event.New(d.App, d.Clock)
	d.Teams = team.New(d.App, d.Log, d.Clock)
	d.Access = access.New(d.App, d.Log, d.Clock, d.Wall, d.Teams)
	d.Tickets = ticket.New(d.Log, d.Clock, d.Teams)
	d.Ledger = file.NewLedger(d.App, d.Clock)
	d.Files = file.NewFiles(d.App, d.Clock, d.Wall)
	d.Schedule = schedule.New(d.App, d.Log, d.Clock, func() *time.Location { return setting.Zone(d.App, setting.DeskTimeZone) })
}

// flows builds what makes records act on each other.
func (d *Desk) flows() {
	tokens := ticket.Tokens{Signer: d.Secrets}
	d.Mailboxes = email.NewMailboxes(d.App, d.Log, d.Secrets, d.Clock)
	d.Mail = email.New(email.Options{
		App: d.App, Mailboxes: d.Mailboxes, Ledger: d.Ledger, Guard: d.Guard, Box: d.Secrets, Clock: d.Clock,
		SMTPAddr: d.SMTPAddr, TLS: d.tls, Hostname: d.name(), Names: d.names(), Resolver: d.resolver(),
		MaxSize: int64(setting.Int(d.App, setting.MailMaxMB)) << 20, Changed: d.mailboxChanged, Threads: threads{d},
		Granted: d.mailboxGranted,
	})
	d.Outbox = outbox.New(d.App, d.Log, d.Clock, d.Mail, d.Files, limits{d.App})
	d.Intake = intake.New(intake.Deps{
		App: d.App, Log: d.Log, Clock: d.Clock, Ledger: d.Ledger, Files: d.Files, Tickets: d.Tickets,
		Tokens: tokens, Outbox: d.Outbox, Mailboxes: d.Mailboxes, Judge: mailauth.New(d.resolver(), d.Clock),
	})
	d.Replies = reply.New(reply.Deps{
		App: d.App, Log: d.Log, Clock: d.Clock, Tickets: d.Tickets, Tokens: tokens, Outbox: d.Outbox,
		Mailboxes: d.Mailboxes, UndoSeconds: func() int { return setting.Int(d.App, setting.MailUndoSeconds) },
		ServerState: d.serverState, Paused: d.paused, SetPaused: d.setPaused,
	})
	d.Pages = conversation.New(conversation.Deps{
		App: d.App, Log: d.Log, Clock: d.Clock, Wall: d.Wall, Tickets: d.Tickets, Ledger: d.Ledger, Files: d.Files,
		Recipients: d.Replies, Access: d.Access, SenderOf: d.Mailboxes.SenderOf,
	})
	d.News = news.New(d.App, d.Log, d.Clock, d.Access)
}

// edges builds where the world touches the desk.
func (d *Desk) edges() {
	d.Sandbox = sandbox.New(sandbox.Options{App: d.App, Mailboxes: d.Mailboxes, Clock: d.Clock, SMTPListener: d.SMTPAddr != ""})
	d.Setup = setup.New(setup.Deps{App: d.App, Log: d.Log, Wall: d.Wall, Access: d.Access, Teams: d.Teams, Mailboxes: d.Mailboxes, Mail: d.Mail})
	d.Health = health.New(d.lag, func() (uint64, uint64, error) { return ops.DiskSpace(d.Dir) })
	d.banners()
}

// Close gives back the folder and closes the database.
func (d *Desk) Close() {
	if d.App != nil {
		if err := d.App.ResetBootstrapState(); err != nil {
			slog.Error("the database did not close cleanly", "error", err)
		}
	}
	if d.folder != nil {
		d.folder.Release()
	}
}

// limits are what an admin has set for automatic mail.
type limits struct{ app core.App }

func (l limits) AutoPerMinute() int { return setting.Int(l.app, setting.MailAutoPerMinute) }
func (l limits) AutoPaused() bool   { return setting.Bool(l.app, outbox.SettingPaused) }
