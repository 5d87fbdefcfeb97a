//go:build unix

package crash_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	seed = flag.Uint64("seed", 1, "seed of the random kills")
	full = flag.Bool("full", false, "2,000 mails and 500 replies under 40 kills")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	_ = os.RemoveAll(buildFolder)
	os.Exit(code)
}

// buildFolder is where the executable was built, "" when it was not.
var buildFolder string

// binary is the executable under test.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("DESKBELL_BINARY"); path != "" {
		_, err := os.Stat(path) // another executable is another run: go test keeps results by what was looked at
		return path, err
	}
	var err error
	if buildFolder, err = os.MkdirTemp("", "deskbell-crash"); err != nil {
		return "", err
	}
	path := filepath.Join(buildFolder, "deskbell")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build deskbell: %w\n%s", err, out)
	}
	return path, nil
})

// command runs the executable to its end and answers its exit code and what it
// printed.
func command(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return commandAs(t, nil, args...)
}

// commandAs is command as another user, nil for oneself.
func commandAs(t testing.TB, who *syscall.Credential, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Stdout, c.Stderr = t.TempDir(), &out, &errs
	if who != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: who}
		c.Dir = "/"
	}
	err = c.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) || ctx.Err() != nil {
		t.Fatalf("deskbell %v: %v\n%s", args, err, errs.String())
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// process is one run of the executable, in a process group of its own.
type process struct {
	cmd  *exec.Cmd
	out  printed
	done chan struct{} // closed when it has ended
}

func launch(env []string, args ...string) (*process, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code tells
	}()
	return p, nil
}

var readyLines = regexp.MustCompile(`ready on (\S+)\n(?:Mail is taken on (\S+)\n)?`)

// ready waits until the process takes requests; smtp is "" without a listener.
func (p *process) ready(listener bool) (url, smtp string, err error) {
	deadline := time.Now().Add(30 * time.Second)
	for {
		m := readyLines.FindStringSubmatch(p.out.String())
		if m != nil && (m[2] != "" || !listener) {
			return m[1], m[2], nil
		}
		select {
		case <-p.done:
			return "", "", fmt.Errorf("ended with %d before it was ready: %s", p.cmd.ProcessState.ExitCode(), p.out.String())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return "", "", fmt.Errorf("not ready after 30 s: %s", p.out.String())
		}
	}
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the whole process group at once and waits for it.
func (p *process) kill() {
	if !p.alive() { // the number may be another's by now
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// terminate sends SIGTERM and answers the exit code and how long that took; -1
// for a process that had to be killed.
func (p *process) terminate(within time.Duration) (code int, took time.Duration) {
	start := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), time.Since(start)
	case <-time.After(within):
		p.kill()
		return -1, time.Since(start)
	}
}

// printed keeps what a process prints.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *printed) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *printed) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
