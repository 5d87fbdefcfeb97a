package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Env is the environment variable that may hold the key. Its name is part of
// the product's outside and never changes.
const Env = "DESKBELL_SECRET"

// MinLength is how long the value of Env must be, in bytes.
const MinLength = 16

// KeyFile is where the key of the data folder dir is kept when Env is not set.
func KeyFile(dir string) string { return filepath.Clean(dir) + ".key" }

// Open returns the Box of the data folder dir: from Env if it is set, else from
// KeyFile, which is made if it is not there. The error is a sentence for
// people; it never contains the key.
func Open(dir string) (*Box, error) {
	if text, ok := os.LookupEnv(Env); ok && text != "" {
		if len(text) < MinLength {
			return nil, fmt.Errorf("%s is too short: give it at least %d characters", Env, MinLength)
		}
		return fromText(text), nil
	}
	path := KeyFile(dir)
	text, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(path)
	}
	if err != nil {
		return nil, err
	}
	return fromText(text), nil
}

func fromText(text string) *Box {
	var b Box
	key, err := hkdf.Key(sha256.New, []byte(text), []byte("deskbell master key"), "v1", keySize)
	if err != nil {
		panic(err) // only for a length HKDF can't give
	}
	copy(b.master[:], key)
	return &b
}

// readKey returns the key in the file, or fs.ErrNotExist when there is none.
func readKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return "", fmt.Errorf("can't look at the key file %s: %w", path, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others may read the key file %s (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("can't read the key file %s: %w", path, err)
	}
	text := strings.TrimSpace(string(raw))
	if len(text) < MinLength {
		return "", fmt.Errorf("the key file %s is damaged: put back the right one, or remove it and enter the mailbox passwords again", path)
	}
	return text, nil
}

// makeKey writes a new random key under a temporary name and links it into
// place, so that two starts at once agree on one and a half-written file is
// never read.
func makeKey(path string) (string, error) {
	var raw [keySize]byte
	_, _ = rand.Read(raw[:])
	text := base64.RawURLEncoding.EncodeToString(raw[:])

	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("can't create the key file %s: %w", path, err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(text + "\n")
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err != nil {
		return "", fmt.Errorf("can't write the key file %s: %w", path, err)
	}
	if err := place(temp.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return readKey(path)
		}
		return "", fmt.Errorf("can't create the key file %s: %w", path, err)
	}
	syncFolder(filepath.Dir(path))
	return text, nil
}

// place gives the file its final name unless that name is taken; where links
// don't exist, it renames.
func place(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

// syncFolder makes the new name durable; not every system can sync a folder.
func syncFolder(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
