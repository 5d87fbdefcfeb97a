package imaptest

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Create makes another folder. It is not made anew by Renumber and Restart.
func (s *Server) Create(t testing.TB, name string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.user.Create(name, nil); err != nil {
		t.Fatalf("imaptest: create %s: %v", name, err)
	}
}

// Rename renames a folder, as another client would.
func (s *Server) Rename(t testing.TB, from, to string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.user.Rename(from, to, nil); err != nil {
		t.Fatalf("imaptest: rename %s: %v", from, err)
	}
}

// AppendTo puts a mail into a folder with an INTERNALDATE; the zero time is now.
func (s *Server) AppendTo(t testing.TB, folder, raw string, at time.Time) imap.UID {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.IsZero() {
		at = time.Now()
	}
	data, err := s.user.Append(folder, literal{bytes.NewReader([]byte(raw))}, &imap.AppendOptions{Time: at})
	if err != nil {
		t.Fatalf("imaptest: append to %s: %v", folder, err)
	}
	return data.UID
}

// Move moves a mail of INBOX to another folder, as another client would.
func (s *Server) Move(t testing.TB, uid imap.UID, to string) {
	t.Helper()
	s.mu.Lock()
	at := slices.IndexFunc(s.mails, func(m stored) bool { return m.uid == uid })
	if at < 0 {
		s.mu.Unlock()
		t.Fatalf("imaptest: move: there is no mail %d", uid)
	}
	m := s.mails[at]
	s.mu.Unlock()
	s.AppendTo(t, to, string(m.raw), m.at)
	s.Expunge(t, uid)
}
