// Package file keeps bytes: the raw-mail ledger, which is durable before
// anything is acknowledged or parsed, and attachments.
//
// Ledger.Store answers after its rows are on disk; many callers at once share
// one commit. Intake takes what waits (Waiting), and marks each row done,
// quarantined or refused; a row is never deleted by reading it. Files hold
// attachments: written and synced before their row commits.
package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/klauspost/compress/zstd"
	"github.com/pocketbase/pocketbase/core"
)

// maxInRow is the size up to which a raw mail lies in its row; a larger one is
// a file of its own.
const maxInRow = 256 << 10

// maxGroup bounds how many mails share one commit.
const maxGroup = 128

// State is what became of a ledger row.
type State string

// The states of a ledger row.
const (
	StateStored      State = "stored"      // waits for intake
	StateDone        State = "done"        // is a message
	StateDuplicate   State = "duplicate"   // the same content came before; Message names it
	StateQuarantined State = "quarantined" // needs a person; Reason says why
	StateRefused     State = "refused"     // a probe or our own mail come back; Reason says why
)

// Entry is a row of the ledger.
type Entry struct {
	Seq        int64
	ID         string
	Channel    desk.Channel
	Mailbox    string
	SourceID   string
	Received   int64 // ms
	SHA256     string
	Size       int64
	MailFrom   string
	RcptTo     []string
	Old        bool
	TooLarge   bool
	Origin     Origin
	Peer       string // address of the server that brought it to the listener, "" when it was fetched
	Helo       string // what that server called itself
	State      State
	Message    string
	Reason     string // code, "" for none
	ReasonText string // what the desk said beside the code, "" for nothing
	Tries      int
	NextTry    int64 // ms, when intake looks again after a failed try; 0 = at once
	ContentKey string
	Sender     desk.Address // as the mail says; known in quarantine only
	Subject    string       // as the mail says; known in quarantine only

	path string
	raw  []byte // compressed, nil when in a file
}

// Origin says how a mail came. The values reach the database.
type Origin string

// The origins of a mail.
const (
	OriginLive     Origin = ""         // it arrived
	OriginBackfill Origin = "backfill" // it was there before the mailbox was connected, and was asked for
	OriginSent     Origin = "sent"     // our own people sent it with another program
)

func originOf(m desk.Inbound) Origin {
	switch {
	case m.Sent:
		return OriginSent
	case m.Backfill:
		return OriginBackfill
	}
	return OriginLive
}

// Ledger is the raw-mail ledger of one desk.
type Ledger struct {
	app     core.App
	clock   desk.Clock
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	queue   chan *pending
	stored  chan struct{}
	full    fullness
}

type pending struct {
	entries []*Entry
	done    chan error
}

// NewLedger returns the ledger of app; nothing is stored before Run.
func NewLedger(app core.App, clock desk.Clock) *Ledger {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	if err != nil {
		panic(fmt.Sprintf("file: zstd: %v", err)) // only wrong options do this
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		panic(fmt.Sprintf("file: zstd: %v", err))
	}
	return &Ledger{app: app, clock: clock, encoder: enc, decoder: dec, queue: make(chan *pending, 1024), stored: make(chan struct{}, 1)}
}

// Stored gets a value after rows were stored; values are coalesced.
func (l *Ledger) Stored() <-chan struct{} { return l.stored }

// Store puts mails into the ledger, all or none, and returns once they are on
// disk. A (channel, mailbox, source id) that is there already is left as it is.
func (l *Ledger) Store(ctx context.Context, in ...desk.Inbound) error {
	if len(in) == 0 {
		return nil
	}
	p, size := &pending{done: make(chan error, 1)}, int64(0)
	for _, m := range in {
		size += int64(len(m.Raw))
		e, err := l.entry(m)
		if err != nil {
			return l.full.note(err, size)
		}
		p.entries = append(p.entries, e)
	}
	select {
	case l.queue <- p:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-p.done:
		return l.full.note(err, size)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Ledger) entry(m desk.Inbound) (*Entry, error) {
	now := l.clock.Now()
	if m.Received.IsZero() {
		m.Received = now
	}
	e := &Entry{
		ID: desk.NewID(now), Channel: m.Channel, Mailbox: m.Mailbox, SourceID: m.SourceID,
		Received: desk.Millis(m.Received), Size: int64(len(m.Raw)), MailFrom: m.MailFrom, RcptTo: m.RcptTo,
		Old: m.Old, TooLarge: m.TooLarge, State: StateStored, Origin: originOf(m), Peer: m.Peer, Helo: m.Helo,
	}
	if e.SourceID == "" {
		e.SourceID = e.ID
	}
	if m.TooLarge {
		e.Size = m.Size
	}
	sum := sha256.Sum256(m.Raw)
	e.SHA256 = hex.EncodeToString(sum[:])
	e.raw = l.encoder.EncodeAll(m.Raw, make([]byte, 0, len(m.Raw)/2+64))
	if len(e.raw) > maxInRow {
		e.path = filepath.Join("mail", e.ID[:6], e.ID+".zst")
		if err := writeDurably(filepath.Join(l.app.DataDir(), "storage", e.path), e.raw); err != nil {
			return nil, err
		}
		e.raw = nil
	}
	return e, nil
}

// Run commits what Store is given until ctx ends; it then finishes what was
// handed in before.
func (l *Ledger) Run(ctx context.Context) error {
	for {
		select {
		case p := <-l.queue:
			l.commit(l.group(p))
		case <-ctx.Done():
			for {
				select {
				case p := <-l.queue:
					l.commit(l.group(p))
				default:
					return nil
				}
			}
		}
	}
}

// group takes along whoever waits already.
func (l *Ledger) group(first *pending) []*pending {
	all, n := []*pending{first}, len(first.entries)
	for n < maxGroup {
		select {
		case p := <-l.queue:
			all, n = append(all, p), n+len(p.entries)
		default:
			return all
		}
	}
	return all
}

func (l *Ledger) commit(group []*pending) {
	err := l.app.RunInTransaction(func(tx core.App) error {
		for _, p := range group {
			for _, e := range p.entries {
				if err := insertEntry(tx, e); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, p := range group {
		p.done <- err
	}
	if err == nil {
		select {
		case l.stored <- struct{}{}:
		default:
		}
	}
}

// Raw reads the bytes of an entry as they came.
func (l *Ledger) Raw(e *Entry) ([]byte, error) {
	packed := e.raw
	if e.path != "" {
		var err error
		if packed, err = os.ReadFile(filepath.Join(l.app.DataDir(), "storage", e.path)); err != nil {
			return nil, fmt.Errorf("read the raw mail of ledger entry %s: %w", e.ID, err)
		}
	}
	return l.decoder.DecodeAll(packed, nil)
}

// Full tells whether a mail found no room on the disk, and how many bytes have
// to be free for it to come in. It stays so until such a mail was stored, or
// HasRoom was called.
func (l *Ledger) Full() (need int64, full bool) { return l.full.get() }

// HasRoom says that somebody looked and there is room again.
func (l *Ledger) HasRoom() { l.full.clear() }

// writeDurably writes a file that is complete and on disk when it returns:
// written aside, synced, renamed, and its folder synced.
func writeDurably(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := makeDirDurably(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDirDurably makes a folder and those above it; each new one is on disk in
// its parent when it returns.
func makeDirDurably(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := makeDirDurably(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // not every system can sync a folder
	return nil
}

func marshalList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(list) // strings always marshal
	return string(b)
}
