// Package secret keeps the desk's secrets unreadable at rest and signs its
// tokens. A Box holds one master key; every purpose gets a key of its own that
// is derived from it, so a value sealed for one thing opens for nothing else.
//
// The master key comes from DESKBELL_SECRET, else from a file of mode 0600
// beside the data folder, never inside it: a copy or backup of the folder
// holds sealed values, but not what opens them.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrOtherKey is returned by Box.Open when the value was sealed with another
// key or was changed since: whoever needs it has to ask for the secret again.
var ErrOtherKey = errors.New("this secret was sealed with another key and has to be entered again")

// prefix marks a sealed value and the way it was sealed. It reaches the
// database and is never renamed.
const prefix = "s1."

const keySize = 32

// Box seals, opens and signs with the keys derived from one master key. It is
// safe for concurrent use.
type Box struct {
	master [keySize]byte
}

// Seal encrypts plain for the given purpose, such as "mailbox/ID/smtp". Each
// call gives another text. The empty string stays empty.
func (b *Box) Seal(purpose, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	aead, err := b.aead()
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	sealed := aead.Seal(nonce, nonce, []byte(plain), []byte(purpose))
	return prefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal made for the same purpose. It returns ErrOtherKey
// when the key, the purpose or the text is not the one of then.
func (b *Box) Open(purpose, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	text, ok := strings.CutPrefix(sealed, prefix)
	if !ok {
		return "", ErrOtherKey
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", ErrOtherKey
	}
	aead, err := b.aead()
	if err != nil {
		return "", fmt.Errorf("open %s: %w", purpose, err)
	}
	if len(raw) < aead.NonceSize() {
		return "", ErrOtherKey
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(purpose))
	if err != nil {
		return "", ErrOtherKey
	}
	return string(plain), nil
}

// MAC returns the 32-byte HMAC-SHA256 of data with the key of the given
// purpose. The pieces are framed, so ("ab", "c") and ("a", "bc") differ.
// Compare with hmac.Equal.
func (b *Box) MAC(purpose string, data ...string) []byte {
	mac := hmac.New(sha256.New, b.derive("mac/"+purpose))
	var size [8]byte
	for _, d := range data {
		binary.BigEndian.PutUint64(size[:], uint64(len(d)))
		mac.Write(size[:])
		mac.Write([]byte(d))
	}
	return mac.Sum(nil)
}

func (b *Box) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(b.derive("seal"))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// derive is HKDF (RFC 5869) of the master key for one purpose.
func (b *Box) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, b.master[:], nil, "deskbell/"+purpose, keySize)
	if err != nil {
		panic(err) // only for a length HKDF can't give
	}
	return key
}
