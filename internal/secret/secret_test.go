package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/deskbell/deskbell/internal/secret"
)

func open(t *testing.T, dir string) *secret.Box {
	t.Helper()
	box, err := secret.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestSealAndOpen(t *testing.T) {
	t.Setenv(secret.Env, "")
	dir := filepath.Join(t.TempDir(), "desk_data")
	box := open(t, dir)

	one, err := box.Seal("mailbox/a/smtp", "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	two, _ := box.Seal("mailbox/a/smtp", "hunter2")
	if one == two {
		t.Error("two seals of one text are equal: the nonce repeats")
	}
	if strings.Contains(one, "hunter2") {
		t.Error("the sealed value shows the secret")
	}
	if got, err := open(t, dir).Open("mailbox/a/smtp", one); err != nil || got != "hunter2" {
		t.Errorf("after a restart: got %q, %v", got, err)
	}
	if empty, err := box.Seal("x", ""); err != nil || empty != "" {
		t.Errorf("sealing nothing gave %q, %v", empty, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Setenv(secret.Env, "a secret of the environment")
	box := open(t, t.TempDir())
	sealed, err := box.Seal("one", "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(secret.Env, "another secret altogether")
	other := open(t, t.TempDir())

	changed := []byte(sealed)
	changed[len(changed)-5] ^= 1
	for name, try := range map[string]func() (string, error){
		"other key":     func() (string, error) { return other.Open("one", sealed) },
		"other purpose": func() (string, error) { return box.Open("two", sealed) },
		"changed":       func() (string, error) { return box.Open("one", string(changed)) },
		"not sealed":    func() (string, error) { return box.Open("one", "hunter2") },
		"short":         func() (string, error) { return box.Open("one", "s1.AAAA") },
		"not base64":    func() (string, error) { return box.Open("one", "s1.***") },
	} {
		if got, err := try(); !errors.Is(err, secret.ErrOtherKey) || got != "" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestMAC(t *testing.T) {
	t.Setenv(secret.Env, "a secret of the environment")
	box := open(t, t.TempDir())
	mac := box.MAC("reply", "ab", "c")
	if !bytes.Equal(mac, open(t, t.TempDir()).MAC("reply", "ab", "c")) {
		t.Error("the same key and data give another code")
	}
	for name, other := range map[string][]byte{
		"framing": box.MAC("reply", "a", "bc"),
		"purpose": box.MAC("probe", "ab", "c"),
		"data":    box.MAC("reply", "ab"),
	} {
		if bytes.Equal(mac, other) {
			t.Errorf("%s does not change the code", name)
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Setenv(secret.Env, "")
	dir := filepath.Join(t.TempDir(), "desk_data")
	open(t, dir+"/")
	info, err := os.Stat(dir + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	left, _ := filepath.Glob(dir + ".key.*")
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeyFileRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are Unix")
	}
	t.Setenv(secret.Env, "")
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"readable by the group": {strings.Repeat("k", 43), 0o640, "chmod 600"},
		"readable by the world": {strings.Repeat("k", 43), 0o604, "chmod 600"},
		"empty":                 {"", 0o600, "damaged"},
	} {
		dir := filepath.Join(t.TempDir(), "desk_data")
		if err := os.WriteFile(dir+".key", []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := secret.Open(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShortEnvironmentSecretIsRefused(t *testing.T) {
	t.Setenv(secret.Env, "too short")
	_, err := secret.Open(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), secret.Env) || strings.Contains(err.Error(), "too short\"") {
		t.Errorf("got %v", err)
	}
}

func TestTwoStartsAgreeOnOneKey(t *testing.T) {
	t.Setenv(secret.Env, "")
	dir := filepath.Join(t.TempDir(), "desk_data")
	macs := make(chan []byte, 8)
	for range cap(macs) {
		go func() {
			box, err := secret.Open(dir)
			if err != nil {
				macs <- nil
				return
			}
			macs <- box.MAC("x")
		}()
	}
	first := <-macs
	for range cap(macs) - 1 {
		if mac := <-macs; mac == nil || !bytes.Equal(mac, first) {
			t.Fatal("two starts at once made two keys")
		}
	}
}
