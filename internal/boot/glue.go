package boot

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/access"
	"github.com/deskbell/deskbell/internal/channel/email"
	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/health"
	"github.com/deskbell/deskbell/internal/mailauth"
	"github.com/deskbell/deskbell/internal/ops"
	"github.com/deskbell/deskbell/internal/outbox"
	"github.com/deskbell/deskbell/internal/route"
	"github.com/deskbell/deskbell/internal/setting"
	"github.com/pocketbase/pocketbase/core"
)

func (d *Desk) paused(app core.App) bool { return setting.Bool(app, outbox.SettingPaused) }

func (d *Desk) setPaused(tx core.App, by desk.Actor, paused bool) error {
	value, _ := json.Marshal(paused) // a bool always marshals
	_, err := setting.Save(tx, d.Log, by, map[string]json.RawMessage{outbox.SettingPaused: value})
	return err
}

// threads hands the mail channel's questions to intake, which is made after it.
type threads struct{ d *Desk }

func (t threads) Entered() (bool, error)                         { return t.d.Intake.Entered() }
func (t threads) Known(id string) (bool, error)                  { return t.d.Intake.Known(id) }
func (t threads) Belongs(id string, refs []string) (bool, error) { return t.d.Intake.Belongs(id, refs) }

func (d *Desk) resolver() mailauth.Resolver {
	if d.Resolver != nil {
		return d.Resolver
	}
	return net.DefaultResolver
}

func (d *Desk) lag() (time.Duration, error) {
	h, err := d.Schedule.Health(d.App)
	return h.Lag, err
}

// mailboxChanged tells the pages that a mailbox is doing better or worse.
func (d *Desk) mailboxChanged(mailbox string) {
	if _, err := d.Log.Append(d.App, desk.Event{Kind: "mailbox.state_changed", Subject: mailbox, Actor: desk.System("email")}); err != nil {
		d.App.Logger().Error("a mailbox's state could not be logged", "mailbox", mailbox, "error", err)
	}
}

// mailboxGranted sends at once what waited for the desk to be let in.
func (d *Desk) mailboxGranted(mailbox string) {
	if err := d.Outbox.Hurry(mailbox); err != nil {
		d.App.Logger().Error("waiting mail could not be hurried", "mailbox", mailbox, "error", err)
	}
}

// serverState is how the way out of the default mailbox is doing.
func (d *Desk) serverState(app core.App) (any, error) {
	box, err := d.Mailboxes.Default(app)
	if err != nil || box == nil {
		return map[string]string{"host": "", "state": "unknown", "text": "No mailbox is connected."}, err
	}
	return d.Mail.Outgoing(*box), nil
}

// banners adds the looks of the parts that agents have to hear of.
func (d *Desk) banners() {
	d.Health.Watch(func(_ core.App, _ *route.Caller) ([]health.Banner, error) {
		if !d.diskFull() {
			return nil, nil
		}
		return []health.Banner{{ID: "disk_full", Level: "danger", Text: "The disk is full. New mail waits at its server and comes in by itself once there is space again."}}, nil
	})
	d.Health.Watch(d.mailboxBanners)
	d.Health.Watch(d.certificateBanners)
	d.Health.Watch(d.signingBanners)
	d.Health.Watch(d.guessedBanner)
	d.Health.Watch(func(app core.App, who *route.Caller) ([]health.Banner, error) {
		if !who.Has("outbox.read") || !d.paused(app) {
			return nil, nil
		}
		return []health.Banner{{ID: "auto_paused", Level: "warn", Text: "Automatic mail is paused. Replies go out as usual.", Href: new("/outbox")}}, nil
	})
	d.Health.Watch(func(app core.App, who *route.Caller) ([]health.Banner, error) {
		held, err := outbox.CountHeldByBreaker(app)
		if err != nil || held == 0 || !who.Has("setting.write") {
			return nil, err
		}
		return []health.Banner{{
			ID: "breaker", Level: "warn", Href: new("/outbox"),
			Text: fmt.Sprintf("Automatic mail is over its limit of %d a minute; %d wait. Replies go out as usual.", setting.Int(app, setting.MailAutoPerMinute), held),
		}}, nil
	})
}

// guessedBanner tells who looks after people, and the person, that somebody
// guesses a password.
func (d *Desk) guessedBanner(app core.App, who *route.Caller) ([]health.Banner, error) {
	guessed := d.Access.Guessed()
	if len(guessed) == 0 {
		return nil, nil
	}
	names, err := access.Names(app, desk.ActorAgent, guessed)
	if err != nil {
		return nil, err
	}
	var shown []string
	for _, id := range guessed {
		switch {
		case id == who.Actor.ID:
			shown = append(shown, "your account")
		case !who.Has("agent.write"):
		case names[id] == "":
			shown = append(shown, "a superuser")
		default:
			shown = append(shown, names[id])
		}
	}
	if len(shown) == 0 {
		return nil, nil
	}
	slices.Sort(shown)
	return []health.Banner{{
		ID: "guessed", Level: "warn",
		Text: "Somebody guesses passwords: " + strings.Join(shown, ", ") + ". Sign-ins from unknown addresses have to wait; a long password that is used nowhere else is safe.",
	}}, nil
}

// diskFull reports whether the disk has no room for mail. Once it had none, it
// looks itself: without mail that tries nobody would notice that there is again.
func (d *Desk) diskFull() bool {
	need, full := d.Ledger.Full()
	if !full {
		return false
	}
	free, _, err := ops.DiskSpace(d.Dir)
	if err != nil || free < uint64(need) || ops.Writable(d.Dir) != nil {
		return true
	}
	d.Ledger.HasRoom()
	return false
}

func (d *Desk) mailboxBanners(app core.App, who *route.Caller) ([]health.Banner, error) {
	if !who.Has("channel.read") {
		return nil, nil
	}
	all, err := d.Mailboxes.All(app)
	if err != nil {
		return nil, err
	}
	var out []health.Banner
	for _, g := range d.Mail.Gaps() {
		for _, m := range all {
			if m.ID == g.Mailbox {
				out = append(out, health.Banner{ID: "gap:" + m.ID, Level: "warn", Href: new("/settings/mailboxes"), Text: fmt.Sprintf("%d mails of %s were at its server and not in the desk. They are taken in now; look whether they were answered.", g.Mails, m.Address)})
			}
		}
	}
	for _, m := range all {
		if m.State == email.StateFailing {
			out = append(out, health.Banner{ID: "mailbox:" + m.ID, Level: "warn", Text: m.Address + ": " + m.StateText, Href: new("/settings/mailboxes")})
		} else if text := d.Mail.GrantText(m); text != "" {
			out = append(out, health.Banner{ID: "grant:" + m.ID, Level: "warn", Text: m.Address + ": " + text, Href: new("/settings/mailboxes")})
		}
	}
	return out, nil
}

// signingBanners tells who may mend it that mail is signed no longer.
func (d *Desk) signingBanners(app core.App, who *route.Caller) ([]health.Banner, error) {
	if !who.Has("channel.read") {
		return nil, nil
	}
	lost, err := d.Mail.SigningLost(app)
	var out []health.Banner
	for _, l := range lost {
		out = append(out, health.Banner{ID: "signing:" + l.Domain, Level: "warn", Text: l.Text, Href: new("/settings/mailboxes")})
	}
	return out, err
}
