//go:build unix

package email

import (
	"strings"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/dovecottest"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func dovecotBox(s *dovecottest.Server) Input {
	password := dovecottest.Password
	return Input{Address: "support@desk.invalid", IMAP: &ServerInput{Host: "127.0.0.1", Port: s.Port, Security: SecurityNone, User: dovecottest.User, Password: &password}}
}

func put(t *testing.T, c *imapclient.Client, folder, raw string) {
	t.Helper()
	cmd := c.Append(folder, int64(len(raw)), nil)
	if _, err := cmd.Write([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.Wait(); err != nil {
		t.Fatalf("append to %s: %v", folder, err)
	}
}

// TestDovecot lives with a real server for a while: mail while idle and while
// away, another program that reads, moves and deletes, sent mail, new numbers.
func TestDovecot(t *testing.T) {
	server := dovecottest.New(t)
	phone := server.Client(t)
	put(t, phone, "INBOX", letter(90)) // older than the connection
	k := newKit(t, with(&threads{known: []string{"1@example.org"}}))
	in := dovecotBox(server)
	b := k.addAfter(t, in, k.service.Look(t.Context(), in))
	stop := k.run(t)
	k.state(t, b.ID, StateOK)

	began := time.Now()
	put(t, phone, "INBOX", letter(1))
	k.ledger.wait(t, 1)
	t.Logf("a mail was there after %v", time.Since(began).Round(time.Millisecond))
	put(t, phone, "Versendet", answer(2, 1))
	if m := k.ledger.wait(t, 2)[1]; !m.Sent {
		t.Errorf("sent mail came as %+v", m)
	}

	stop() // away: another program reads, moves and deletes meanwhile
	time.Sleep(1100 * time.Millisecond)
	for n := 3; n <= 5; n++ {
		put(t, phone, "INBOX", letter(n))
	}
	if _, err := phone.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	last, err := phone.UIDSearch(&imap.SearchCriteria{Body: []string{"body of 4"}}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := phone.Move(last.All, "Archiv").Wait(); err != nil {
		t.Fatal(err)
	}
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}, Silent: true}
	if err := phone.Store(imap.SeqSet{imap.SeqRange{Start: 1}}, flags, nil).Close(); err != nil {
		t.Fatal(err)
	}
	again := New(k.service.options)
	again.timing = k.service.timing
	k.service = again
	stop = k.run(t)
	if got := subjects(k.ledger.wait(t, 5)); got != "1 2 4 3 5" {
		t.Errorf("after a break got %s, want 1 2 4 3 5", got)
	}

	stop()
	server.Renumber(t, "INBOX")
	put(t, server.Client(t), "INBOX", letter(6))
	again = New(k.service.options)
	again.timing = k.service.timing
	k.service = again
	k.run(t)
	waitFor(t, "the mail after the new numbers", func() bool {
		k.ledger.mu.Lock()
		defer k.ledger.mu.Unlock()
		for _, m := range k.ledger.mails {
			if strings.Contains(string(m.Raw), "Subject: number 6\r\n") {
				return true
			}
		}
		return false
	})
	for _, m := range k.ledger.mails {
		if strings.Contains(string(m.Raw), "number 90") && !m.Old {
			t.Errorf("a mail older than the connection came as news: %+v", m)
		}
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 750 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("not within 15 s: %s", what)
}
