//go:build unix

package dovecottest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// The only account.
const (
	User     = "support"
	Password = "not-a-secret"
)

// Who owns the mails: Dovecot does not serve root's.
const nobody, nogroup = 65534, 65534

// Server is a running Dovecot.
type Server struct {
	Port int
	dir  string
	cmd  *exec.Cmd
}

const config = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = root
default_internal_group = root
default_login_user = nobody
first_valid_uid = 0
mail_uid = nobody
mail_gid = nogroup
mail_location = maildir:%[1]s/mail
mailbox_list_index = yes
passdb {
  driver = static
  args = password=%[3]s
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/home
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = %[2]d
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Versendet {
    auto = subscribe
    special_use = \Sent
  }
  mailbox Archiv {
    auto = subscribe
    special_use = \Archive
  }
  mailbox Papierkorb {
    auto = subscribe
    special_use = \Trash
  }
}
protocol imap {
  mail_max_userip_connections = 50
  imap_idle_notify_interval = 30s
}
`

// New starts Dovecot and stops it with the test, which is skipped with a note
// where Dovecot is not installed or the test may not run it.
func New(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("dovecot"); err != nil {
		t.Skip("Dovecot is not installed; make test installs it")
	}
	if os.Geteuid() != 0 {
		t.Skip("Dovecot changes users and has to be started by root")
	}
	dir, err := os.MkdirTemp("", "dovecot") //nolint:usetesting // sockets have short names only
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{dir: dir, Port: freePort(t)}
	t.Cleanup(func() {
		s.stop()
		_ = os.RemoveAll(dir)
	})
	for _, d := range []string{"run", "state", "mail", "home"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if d == "mail" || d == "home" {
			if err := os.Chown(filepath.Join(dir, d), nobody, nogroup); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(config, dir, s.Port, Password)
	if err := os.WriteFile(filepath.Join(dir, "dovecot.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("Dovecot's log:\n%s", log)
		}
	})
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("dovecot", "-F", "-c", filepath.Join(s.dir, "dovecot.conf"))
	var out strings.Builder
	s.cmd.Stdout, s.cmd.Stderr = &out, &out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if c, err := imapclient.DialInsecure(s.Addr(), nil); err == nil {
			err := c.Login(User, Password).Wait()
			_ = c.Close()
			if err == nil {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	t.Fatalf("Dovecot does not take sign-ins: %s\n%s", out.String(), log)
}

func (s *Server) stop() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-done
	}
	s.cmd = nil
}

// Restart stops the server and starts it again on the same mails.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop()
	s.start(t)
}

// Addr is "127.0.0.1:port".
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// Client is another program of the mailbox's owner, signed in; it is closed
// with the test.
func (s *Server) Client(t testing.TB) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(User, Password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Renumber gives a folder another UIDVALIDITY and its mails new numbers.
func (s *Server) Renumber(t testing.TB, folder string) {
	t.Helper()
	path := filepath.Join(s.dir, "mail")
	if folder != "INBOX" {
		path = filepath.Join(path, "."+folder)
	}
	s.stop()
	for _, name := range []string{"dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache", "dovecot-uidvalidity"} {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	s.start(t)
}
