//go:build unix

package crash_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desktest/imaptest"
)

// oneSentence holds that a command failed with one sentence that says words,
// and nothing like a stack.
func oneSentence(t *testing.T, code, want int, stdout, stderr string, words ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if want == 2 && len(lines) == 2 && strings.HasPrefix(lines[1], "See deskbell") {
		lines = lines[:1]
	}
	if code != want || len(lines) != 1 || !strings.HasPrefix(lines[0], "deskbell: ") || strings.Contains(stderr, "goroutine") || stdout != "" {
		t.Errorf("exit %d, not %d, with\n%s%s", code, want, stdout, stderr)
	}
	for _, w := range words {
		if !strings.Contains(stderr, w) {
			t.Errorf("it does not say %q: %s", w, stderr)
		}
	}
}

func TestASecondProcessOnTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	d := setUp(t, options{})
	d.start()
	code, stdout, stderr := command(t, "serve", "--dir", d.o.dir, "--http", "127.0.0.1:0")
	oneSentence(t, code, 1, stdout, stderr, d.o.dir, "is in use by process")
	code, stdout, stderr = command(t, "demo", "--dir", d.o.dir, "--http", "127.0.0.1:0")
	oneSentence(t, code, 1, stdout, stderr, d.o.dir, "is in use by process")
	code, stdout, stderr = command(t, "setup", "--dir", d.o.dir, "--company", "B", "--name", "B", "--email", "b@people.test", "--password", ownerPassword, "--address", "b@desk.test")
	oneSentence(t, code, 1, stdout, stderr, "set up already")
	d.get("/api/desk/me", nil) // the first one minds none of it
	d.process.kill()
	d.down()
	d.start() // what a dead process left does not lock anybody out
}

func TestAReadOnlyFolderIsOneSentence(t *testing.T) {
	t.Parallel()
	d := setUp(t, options{})
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	if os.Geteuid() != 0 {
		nobody = nil
		readOnly(t, d.o.dir)
	} else {
		open(t, filepath.Dir(filepath.Dir(d.o.dir)), filepath.Dir(d.o.dir))
	}
	for _, dir := range []string{d.o.dir, filepath.Join(d.o.dir, "deeper", "still")} {
		code, stdout, stderr := commandAs(t, nobody, "serve", "--dir", dir, "--http", "127.0.0.1:0")
		oneSentence(t, code, 1, stdout, stderr, d.o.dir, "--dir")
	}
	code, stdout, stderr := commandAs(t, nobody, "setup", "--dir", d.o.dir, "--company", "B", "--name", "B", "--email", "b@people.test", "--password", ownerPassword, "--address", "b@desk.test")
	oneSentence(t, code, 1, stdout, stderr, d.o.dir)
}

// open lets everybody look into folders.
func open(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
}

// readOnly takes the right to write from a folder until the test ends.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
}

func TestADiskMountedReadOnlyIsOneSentence(t *testing.T) {
	t.Parallel()
	disk := mount(t, "24m")
	d := setUp(t, options{dir: filepath.Join(disk, "data")})
	if out, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Skipf("the disk can't be mounted read-only: %s", out)
	}
	code, stdout, stderr := command(t, "serve", "--dir", d.o.dir, "--http", "127.0.0.1:0")
	oneSentence(t, code, 1, stdout, stderr, d.o.dir, "read-only")
}

// mount makes a small disk of its own, or skips the test.
func mount(t *testing.T, size string) (dir string) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("a small disk can be mounted by root on Linux only")
	}
	dir = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	return dir
}

func TestWrongUsageExitsTwo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args  []string
		words string
	}{
		{[]string{"serve", "--nonsense"}, "--nonsense"},
		{[]string{"serve", "-z"}, "-z"},
		{[]string{"nonsense"}, "nonsense"},
		{[]string{"--nonsense"}, "--nonsense"},
		{[]string{"mail", "nonsense"}, "nonsense"},
		{[]string{"setup"}, "--company"},
		{[]string{"setup", "--company", "B"}, "--password"},
		{[]string{"key", "create", "--nonsense"}, "--nonsense"},
		{[]string{"serve", "--test-clock=maybe"}, "maybe"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		code, stdout, stderr := command(t, append([]string{"--dir", dir}, c.args...)...)
		oneSentence(t, code, 2, stdout, stderr, c.words)
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%v made a data folder", c.args)
		}
	}
}

func TestAWrongMailboxPasswordIsSaidInWords(t *testing.T) {
	t.Parallel()
	box := imaptest.New(t, imaptest.Options{})
	d := setUp(t, options{imap: box, imapPassword: "outdated"})
	d.start()
	type mailbox struct{ State, Text string }
	show := func() mailbox {
		all := pages[mailbox](d, "/api/desk/mailboxes?")
		if len(all) != 1 {
			t.Fatalf("%d mailboxes", len(all))
		}
		return all[0]
	}
	d.eventually("the mailbox is said to fail", 10*time.Second, func() bool { return show().State == "failing" })
	if text := show().Text; !strings.Contains(text, "refused the user user or its password") || strings.Contains(text, "outdated") {
		t.Errorf("it says %q", text)
	}
	var me struct{ Banners []struct{ ID, Text string } }
	if d.get("/api/desk/me", &me); len(me.Banners) != 1 || !strings.Contains(me.Banners[0].Text, address) {
		t.Errorf("banners: %+v", me.Banners)
	}
	// Mail goes on by the other way, and what came meanwhile is taken in once
	// the password is right again.
	_, addr, _ := d.where()
	if err := bring(addr, "a@customers.test", "From: a@customers.test\r\nSubject: by SMTP\r\n\r\nx\r\n"); err != nil {
		t.Error(err)
	}
	// A mailbox that could not be looked at is taken in from the second after.
	box.AppendAt(t, "From: b@customers.test\r\nTo: "+address+"\r\nSubject: by IMAP\r\n\r\nx\r\n", time.Now().Add(time.Second))
	box.SetPassword("outdated")
	d.eventually("both mails are there", 70*time.Second, func() bool {
		return len(pages[struct{ Number int64 }](d, "/api/desk/tickets?")) == 2
	})
	if got := show(); got.State != "ok" || got.Text != "" {
		t.Errorf("afterwards: %+v", got)
	}
}
