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

const collection = "mailboxes"

const columns = `id, address, name, team, kind,
	imap_host, imap_port, imap_security, imap_user, imap_password,
	smtp_host, smtp_port, smtp_security, smtp_user, smtp_password,
	since, signature, auth_servers, folders, sent_folder, backfill_from, backfill_asked, state, state_text, state_since`

// purpose is what the password of a server is sealed for. It reaches the
// database as part of the seal and is never renamed.
func purpose(mailbox, protocol string) string { return "mailbox/" + mailbox + "/" + protocol }

func insert(tx core.App, box *secret.Box, m Mailbox, now time.Time) error {
	args, err := serverArgs(box, m)
	if err != nil {
		return err
	}
	args = append([]any{m.ID, m.Address, m.Name, m.Team, string(m.Kind)}, args...)
	args = append(args, readArgs(m)...)
	args = append(args, string(m.State), m.StateText, desk.Millis(m.StateSince), desk.Millis(now), desk.Millis(now))
	return sqlite.Exec(tx, `INSERT INTO mailboxes (`+columns+`, created, updated) VALUES (`+sqlite.Marks(len(args))+`)`, args...)
}

func update(tx core.App, box *secret.Box, m Mailbox, now time.Time) error {
	args, err := serverArgs(box, m)
	if err != nil {
		return err
	}
	args = append([]any{m.Address, m.Name, m.Team, string(m.Kind)}, args...)
	args = append(args, readArgs(m)...)
	args = append(args, desk.Millis(now), m.ID)
	return sqlite.Exec(tx, `UPDATE mailboxes SET address = ?, name = ?, team = ?, kind = ?,
		imap_host = ?, imap_port = ?, imap_security = ?, imap_user = ?, imap_password = ?,
		smtp_host = ?, smtp_port = ?, smtp_security = ?, smtp_user = ?, smtp_password = ?,
		since = ?, signature = ?, auth_servers = ?, folders = ?, sent_folder = ?, backfill_from = ?, backfill_asked = ?,
		updated = ? WHERE id = ?`, args...)
}

// readArgs are the columns that say what is read and how it is signed.
func readArgs(m Mailbox) []any {
	return []any{
		desk.Millis(m.Since), m.Signature, strings.Join(m.AuthServers, "\n"), strings.Join(m.Folders, "\n"), m.SentFolder,
		desk.Millis(m.Backfill.From), desk.Millis(m.Backfill.Asked),
	}
}

func remove(tx core.App, id string) error {
	if err := sqlite.Exec(tx, `DELETE FROM imap_folders WHERE mailbox = ?`, id); err != nil {
		return err
	}
	if err := removeGrant(tx, id); err != nil {
		return err
	}
	return sqlite.Exec(tx, `DELETE FROM mailboxes WHERE id = ?`, id)
}

// saveState stores a state if it is another one, and tells whether it was.
func saveState(app core.App, id string, s State, text string, now time.Time) (changed bool, err error) {
	n, err := sqlite.Changed(app, `UPDATE mailboxes SET state = ?, state_text = ?, state_since = ?
		WHERE id = ? AND (state <> ? OR state_text <> ?)`, string(s), text, desk.Millis(now), id, string(s), text)
	return n > 0, err
}

// serverArgs are the ten columns of the two servers, passwords sealed.
func serverArgs(box *secret.Box, m Mailbox) ([]any, error) {
	var args []any
	for _, s := range []struct {
		protocol string
		server   *Server
	}{{"imap", m.IMAP}, {"smtp", m.SMTP}} {
		if s.server == nil {
			args = append(args, "", 0, "", "", "")
			continue
		}
		sealed, err := box.Seal(purpose(m.ID, s.protocol), s.server.Password)
		if err != nil {
			return nil, err
		}
		args = append(args, s.server.Host, s.server.Port, string(s.server.Security), s.server.User, sealed)
	}
	return args, nil
}

// list reads the mailboxes that cond selects, the oldest first.
func list(app core.App, box *secret.Box, cond string, args ...any) ([]Mailbox, error) {
	var all []Mailbox
	err := sqlite.Each(app, func(r *sql.Rows) error {
		m, err := scan(r, box)
		all = append(all, m)
		return err
	}, `SELECT `+columns+` FROM mailboxes WHERE `+cond+` ORDER BY created, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read mailboxes: %w", err)
	}
	return all, nil
}

func scan(r *sql.Rows, box *secret.Box) (Mailbox, error) {
	var m Mailbox
	var imap, smtp Server
	var since, stateSince, from, asked int64
	var servers, folders string
	err := r.Scan(&m.ID, &m.Address, &m.Name, &m.Team, &m.Kind,
		&imap.Host, &imap.Port, &imap.Security, &imap.User, &imap.Password,
		&smtp.Host, &smtp.Port, &smtp.Security, &smtp.User, &smtp.Password,
		&since, &m.Signature, &servers, &folders, &m.SentFolder, &from, &asked, &m.State, &m.StateText, &stateSince)
	if err != nil {
		return m, err
	}
	m.Since, m.StateSince = desk.Time(since), desk.Time(stateSince)
	m.AuthServers, m.Folders = lines(servers), lines(folders)
	m.Backfill = Backfill{From: desk.Time(from), Asked: desk.Time(asked)}
	m.IMAP = m.unseal(box, "imap", imap)
	m.SMTP = m.unseal(box, "smtp", smtp)
	return m, nil
}

// lines are the lines of a list that is kept as text, nil for none.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// unseal opens the password of a server. One that can't be opened leaves the
// mailbox locked: everything works but what needs the password.
func (m *Mailbox) unseal(box *secret.Box, protocol string, s Server) *Server {
	if s.Host == "" {
		return nil
	}
	plain, err := box.Open(purpose(m.ID, protocol), s.Password)
	if err != nil {
		m.locked = true
	}
	s.Password = plain
	return &s
}

// folder is how far an IMAP folder was read.
type folder struct {
	name       string
	validity   uint32    // UIDVALIDITY of the numbers below
	generation int       // how often the server gave out old numbers anew under one UIDVALIDITY
	next       uint32    // every mail below was taken in or is none of ours; 0 = never looked
	until      uint32    // of mails below this UID only those not older than cutoff are ours
	cutoff     time.Time // zero = all are
	first      time.Time // date of the newest mail at connection: not newer means older than the connection
	last       time.Time // date of the newest mail known
	lastMail   time.Time // when we last took in a mail
	backfilled time.Time // the last wish for older mail that was seen to, by Backfill.Asked
}

func loadFolder(app core.App, mailbox, name string) (folder, error) {
	f := folder{name: name}
	var cutoff, first, last, lastMail, backfilled int64
	_, err := sqlite.One(app, []any{&f.validity, &f.generation, &f.next, &f.until, &cutoff, &first, &last, &lastMail, &backfilled},
		`SELECT uidvalidity, generation, next_uid, until_uid, cutoff, first_date, last_date, last_mail, backfilled
			FROM imap_folders WHERE mailbox = ? AND folder = ?`, mailbox, name)
	f.cutoff, f.first, f.last, f.lastMail = desk.Time(cutoff), desk.Time(first), desk.Time(last), desk.Time(lastMail)
	f.backfilled = desk.Time(backfilled)
	return f, err
}

// saveFolder stores the position unless the mailbox was removed meanwhile.
func saveFolder(app core.App, mailbox string, f folder) error {
	return sqlite.Exec(app, `INSERT OR REPLACE INTO imap_folders
		(mailbox, folder, uidvalidity, generation, next_uid, until_uid, cutoff, first_date, last_date, last_mail, backfilled)
		SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM mailboxes WHERE id = ?`,
		f.name, f.validity, f.generation, f.next, f.until,
		desk.Millis(f.cutoff), desk.Millis(f.first), desk.Millis(f.last), desk.Millis(f.lastMail), desk.Millis(f.backfilled), mailbox)
}

func forgetFolders(tx core.App, mailbox string) error {
	return sqlite.Exec(tx, `DELETE FROM imap_folders WHERE mailbox = ?`, mailbox)
}

// lastMails tells for each mailbox when its last mail was fetched.
func lastMails(app core.App) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var id string
		var at int64
		err := r.Scan(&id, &at)
		all[id] = desk.Time(at)
		return err
	}, `SELECT mailbox, max(last_mail) FROM imap_folders GROUP BY mailbox`)
	return all, err
}
