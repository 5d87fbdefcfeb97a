package email

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/secret"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// grantSecrets are what of a grant must not be read by anybody.
type grantSecrets struct{ client, refresh string }

// What the secrets of a grant are sealed for. It reaches the database as part
// of the seal and is never renamed.
func clientPurpose(mailbox string) string  { return "mailbox/" + mailbox + "/oauth/client" }
func refreshPurpose(mailbox string) string { return "mailbox/" + mailbox + "/oauth/refresh" }

const grantColumns = `id, provider, client_id, tenant, authorize_url, token_url, scopes, testing, account, consented, issued, expires`

// saveGrant stores the grant of a mailbox in place of the one before.
func saveGrant(tx core.App, box *secret.Box, mailbox string, g Grant, s grantSecrets, by desk.Actor) error {
	client, err := box.Seal(clientPurpose(mailbox), s.client)
	if err != nil {
		return err
	}
	refresh, err := box.Seal(refreshPurpose(mailbox), s.refresh)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, `INSERT OR REPLACE INTO mailbox_grants (mailbox, client_secret, refresh_token, consented_by, renewed, `+grantColumns+`)
		VALUES (`+sqlite.Marks(17)+`)`,
		mailbox, client, refresh, by.ID, desk.Millis(g.Consented),
		g.ID, g.Provider, g.ClientID, g.Tenant, g.AuthorizeURL, g.TokenURL, strings.Join(g.Scopes, " "), g.Testing, g.Account,
		desk.Millis(g.Consented), desk.Millis(g.Issued), desk.Millis(g.Expires))
}

// saveRotation stores what the provider renewed, unless another consent came first.
func saveRotation(tx core.App, box *secret.Box, mailbox, grant string, r rotation, now time.Time) error {
	if r.refresh == "" {
		return sqlite.Exec(tx, `UPDATE mailbox_grants SET expires = ?, renewed = ? WHERE mailbox = ? AND id = ?`,
			desk.Millis(r.expires), desk.Millis(now), mailbox, grant)
	}
	sealed, err := box.Seal(refreshPurpose(mailbox), r.refresh)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, `UPDATE mailbox_grants SET refresh_token = ?, issued = ?, expires = ?, renewed = ? WHERE mailbox = ? AND id = ?`,
		sealed, desk.Millis(r.issued), desk.Millis(r.expires), desk.Millis(now), mailbox, grant)
}

// saveClientSecret stores another secret of the same client.
func saveClientSecret(tx core.App, box *secret.Box, mailbox, plain string) error {
	sealed, err := box.Seal(clientPurpose(mailbox), plain)
	if err != nil {
		return err
	}
	return sqlite.Exec(tx, `UPDATE mailbox_grants SET client_secret = ? WHERE mailbox = ?`, sealed, mailbox)
}

func removeGrant(tx core.App, mailbox string) error {
	return sqlite.Exec(tx, `DELETE FROM mailbox_grants WHERE mailbox = ?`, mailbox)
}

// sealedGrant are the secrets of a grant as they are stored.
type sealedGrant struct{ client, refresh string }

func (s sealedGrant) open(box *secret.Box, mailbox string) (out grantSecrets, err error) {
	if out.client, err = box.Open(clientPurpose(mailbox), s.client); err != nil {
		return out, err
	}
	out.refresh, err = box.Open(refreshPurpose(mailbox), s.refresh)
	return out, err
}

// loadGrant reads the grant of a mailbox, nil when it has none.
func loadGrant(app core.App, mailbox string) (*Grant, sealedGrant, error) {
	var g *Grant
	var s sealedGrant
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id string
		one, err := scanGrant(r, &id, &s.client, &s.refresh)
		g = &one
		return err
	}, `SELECT mailbox, client_secret, refresh_token, `+grantColumns+` FROM mailbox_grants WHERE mailbox = ?`, mailbox)
	if err != nil {
		return nil, s, fmt.Errorf("read the grant of mailbox %s: %w", mailbox, err)
	}
	return g, s, nil
}

// listGrants reads all grants by their mailbox, without what is secret.
func listGrants(app core.App) (map[string]Grant, error) {
	all := map[string]Grant{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var mailbox string
		g, err := scanGrant(r, &mailbox)
		all[mailbox] = g
		return err
	}, `SELECT mailbox, `+grantColumns+` FROM mailbox_grants`)
	if err != nil {
		return nil, fmt.Errorf("read the grants of the mailboxes: %w", err)
	}
	return all, nil
}

// scanGrant reads the columns of before and then those of a grant.
func scanGrant(r *sql.Rows, before ...any) (g Grant, err error) {
	var scopes string
	var consented, issued, expires int64
	err = r.Scan(append(before, &g.ID, &g.Provider, &g.ClientID, &g.Tenant, &g.AuthorizeURL, &g.TokenURL, &scopes, &g.Testing, &g.Account, &consented, &issued, &expires)...)
	g.Scopes = strings.Fields(scopes)
	g.Consented, g.Issued, g.Expires = desk.Time(consented), desk.Time(issued), desk.Time(expires)
	return g, err
}

// list reads the mailboxes that cond selects, with their grants.
func (m *Mailboxes) list(app core.App, cond string, args ...any) ([]Mailbox, error) {
	all, err := list(app, m.box, cond, args...)
	if err != nil {
		return nil, err
	}
	return all, m.attachGrants(app, all)
}

// attachGrants gives the mailboxes that sign in by OAuth2 their grants: of the
// servers with a user those are meant that have no password.
func (m *Mailboxes) attachGrants(app core.App, all []Mailbox) error {
	found, err := listGrants(app)
	if err != nil || len(found) == 0 {
		return err
	}
	for i := range all {
		g, ok := found[all[i].ID]
		if !ok {
			continue
		}
		all[i].Grant = &g
		for _, s := range []*Server{all[i].IMAP, all[i].SMTP} {
			if s != nil && s.User != "" && s.Password == "" && !all[i].locked {
				s.tokens = m.grants.of(all[i].ID, g)
			}
		}
	}
	return nil
}

// dropGrant removes the grant of a mailbox that signs in by passwords now.
func (m *Mailboxes) dropGrant(tx core.App, box Mailbox) error {
	if box.Grant == nil || box.locked || box.signsInByGrant() {
		return nil
	}
	return removeGrant(tx, box.ID)
}

// signsInByGrant tells whether a server of the mailbox needs its grant.
func (m Mailbox) signsInByGrant() bool {
	return m.IMAP != nil && m.IMAP.tokens != nil || m.SMTP != nil && m.SMTP.tokens != nil
}
