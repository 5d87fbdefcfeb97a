package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/deskbell/deskbell/"

// levels is the map of the house: a package imports lower levels only.
var levels = [][]string{
	{"desk"},
	{"sqlite", "mail", "mailauth", "richtext", "netguard", "secret", "certificate", "route", "option"},
	{"event"},
	{"setting", "schedule"},
	{"access", "file"},
	{"ticket", "message", "customer", "team", "outbox"},
	{"intake", "reply", "conversation", "view", "news", "health"},
	{"sample"},
	{"channel/email", "channel/sandbox", "setup", "workspace", "ops"},
	{"boot"},
	{"command"},
	{"story", "crash", "bench"},
}

// inside lists the edges within one level that the map allows.
var inside = []string{"mail>richtext", "option>netguard", "setup>channel/email", "channel/sandbox>channel/email"}

// testKit lists packages that only tests may import.
var testKit = []string{"desktest", "desktest/smtptest", "desktest/imaptest", "desktest/dovecottest", "desktest/oauthtest", "desktest/acmetest", "desktest/dnstest"}

func level(pkg string) int {
	return slices.IndexFunc(levels, func(l []string) bool { return slices.Contains(l, pkg) })
}

func TestImportsPointDown(t *testing.T) {
	seen := map[string]bool{}
	eachFile(t, func(pkg, path string, imports []string) {
		if slices.Contains(testKit, pkg) {
			return
		}
		seen[pkg] = true
		if level(pkg) < 0 {
			t.Errorf("%s is not on the map", pkg)
			return
		}
		for _, to := range imports {
			if slices.Contains(testKit, to) {
				t.Errorf("%s imports %s, which is for tests only", path, to)
			} else if level(to) >= level(pkg) && !slices.Contains(inside, pkg+">"+to) {
				t.Errorf("%s imports %s, which is not below %s", path, to, pkg)
			}
		}
	})
	for _, l := range levels {
		for _, pkg := range l {
			if !seen[pkg] {
				t.Errorf("the map has %s, which does not exist", pkg)
			}
		}
	}
}

// TestNobodyElseKeepsTime holds that work is started by the scheduler alone:
// other tickers and timers are keep-alives, polls and leases on this list.
func TestNobodyElseKeepsTime(t *testing.T) {
	allowed := []string{
		"desk/clock.go",   // Sleep, what everybody waits with
		"news/news.go",    // keep-alive of the event streams
		"boot/serve.go",   // pause before a part is started again
		"channel/email",   // polls and time limits of connections
		"channel/sandbox", // time limits of connections
		"schedule",        // the scheduler
		"secret/", "ops/", // none today; named for their leases
	}
	eachFile(t, func(pkg, path string, _ []string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"time.NewTicker(", "time.Tick(", "time.AfterFunc(", "time.After(", "time.NewTimer("} {
			if strings.Contains(string(text), call) && !slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(filepath.ToSlash(path), a) }) && !slices.Contains(testKit, pkg) {
				t.Errorf("%s uses %s; timed work belongs to the scheduler", path, call)
			}
		}
	})
}

// TestTimeComesFromTheClock holds that only boot, command and the clock itself
// ask the machine for the time.
func TestTimeComesFromTheClock(t *testing.T) {
	eachFile(t, func(pkg, path string, _ []string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "time.Now()") && pkg != "boot" && pkg != "command" && pkg != "desk" && !slices.Contains(testKit, pkg) {
			t.Errorf("%s asks the machine for the time; take a desk.Clock", path)
		}
	})
}

func eachFile(t *testing.T, f func(pkg, path string, imports []string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if to, ok := strings.CutPrefix(name, module+"internal/"); ok {
				imports = append(imports, to)
			}
		}
		f(filepath.ToSlash(filepath.Dir(path)), path, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
