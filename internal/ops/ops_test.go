package ops

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deskbell/deskbell/internal/desk"
)

const holdDir = "DESKBELL_TEST_HOLD_DIR" // set: this process takes that folder and waits to be killed

func TestMain(m *testing.M) {
	dir := os.Getenv(holdDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	f, err := Take(dir)
	if err == nil {
		err = f.Publish(Control{URL: "http://127.0.0.1:1", Token: "of the dead"})
	}
	fmt.Println(err)
	time.Sleep(time.Minute)
}

// holding starts a process that holds dir and returns it.
func holding(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "<nil>\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return cmd
}

func take(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

func TestTakeMakesTheFolderForUsAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	take(t, dir)
	for _, path := range []string{dir, filepath.Join(dir, "run")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s is %s", path, info.Mode())
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestSecondProcessIsRefusedUntilTheFirstIsKilled(t *testing.T) {
	dir := t.TempDir()
	first := holding(t, dir)
	_, err := Take(dir)
	want := fmt.Sprintf("The data folder %s is in use by process %d; stop it first (kill %d), or name another folder with --dir.", dir, first.Process.Pid, first.Process.Pid)
	if desk.CodeOf(err) != desk.Conflict || err.Error() != want {
		t.Fatalf("got %v", err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if c, err := Running(dir); c != nil || err != nil {
		t.Errorf("a desk runs after its death: %+v, %v", c, err)
	}
	take(t, dir)
	if _, err := os.Stat(controlPath(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control file of the dead is still there: %v", err)
	}
}

func TestReleaseGivesTheFolderBackThoughAChildLives(t *testing.T) {
	dir := t.TempDir()
	f := take(t, dir)
	if err := f.Publish(Control{URL: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	holding(t, t.TempDir()) // a child, started while we hold the lock
	f.Release()
	f.Release()
	(*Folder)(nil).Release()
	if _, err := os.Stat(controlPath(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control file is still there: %v", err)
	}
	take(t, dir)
}

func TestLookingDoesNotKeepAnybodyOut(t *testing.T) {
	dir := t.TempDir()
	take(t, dir).Release()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = isFree(dir)
			}
		}
	}()
	for range 50 {
		take(t, dir).Release()
	}
	close(stop)
	<-done
}

func TestCommandFindsTheRunningDesk(t *testing.T) {
	dir := t.TempDir()
	if c, err := Running(filepath.Join(dir, "none")); c != nil || err != nil {
		t.Errorf("without a folder: %+v, %v", c, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := take(t, dir)
	started := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	go func() {
		time.Sleep(100 * time.Millisecond) // it is found though it only starts
		_ = f.Publish(Control{URL: "http://" + l.Addr().String(), Token: "t", Version: "1.2", Started: started})
	}()
	c, err := Running(dir)
	if err != nil || c == nil {
		t.Fatalf("got %+v, %v", c, err)
	}
	if want := (Control{URL: "http://" + l.Addr().String(), Token: "t", PID: os.Getpid(), Version: "1.2", Started: started}); *c != want {
		t.Errorf("got %+v", c)
	}
	if info, err := os.Stat(controlPath(dir)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("control file: %v, %v", info.Mode(), err)
	}
	l.Close()
	if _, err := Running(dir); desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("a desk that does not answer: %v", err)
	}
}

func TestProcessThatHoldsWithoutServingIsNamed(t *testing.T) {
	dir := t.TempDir()
	take(t, dir)
	stale := `{"url":"http://127.0.0.1:1","token":"old","pid":1}`
	if err := os.WriteFile(controlPath(dir), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Running(dir)
	if desk.CodeOf(err) != desk.Conflict || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("got %v", err)
	}
}

func TestFolderThatCannotBeUsedIsOneSentence(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{
		file:                     "is not a folder; name another one with --dir",
		filepath.Join(file, "a"): "a part of that path is a file",
		link:                     "is a link that leads nowhere",
	} {
		_, err := Take(path)
		if desk.CodeOf(err) != desk.Invalid || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for errno, want := range map[syscall.Errno]string{
		syscall.EROFS:  "mounted read-only",
		syscall.ENOSPC: "is full; make room",
		syscall.EIO:    "can't be used: input/output error",
	} {
		if runtime.GOOS == "windows" {
			break
		}
		err := explain(dir, &fs.PathError{Op: "open", Path: dir, Err: errno})
		if desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", errno, err)
		}
	}
}

func TestFullDiskIsSeenAndRecovers(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, probeFile)); err != nil {
		t.Fatal(err)
	}
	if err := Writable(dir); desk.CodeOf(err) != desk.Unavailable || !strings.Contains(err.Error(), "is full") {
		t.Errorf("a full disk: %v", err)
	}
	if err := Writable(dir); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestDiskSpace(t *testing.T) {
	free, total, err := DiskSpace(t.TempDir())
	if err != nil || free == 0 || free > total {
		t.Errorf("%d of %d, %v", free, total, err)
	}
	if _, _, err := DiskSpace(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
