package desk

import (
	"crypto/rand"
	"encoding/base64"
	"time"
)

const idAlphabet = "0123456789abcdefghijklmnopqrstuv"

// NewID returns a record id of 15 characters: nine of now in milliseconds and
// six random, base 32 in lower case. Ids sort by time; they are no secrets.
func NewID(now time.Time) string {
	var id [15]byte
	ms := uint64(now.UnixMilli())
	for i := 8; i >= 0; i-- {
		id[i] = idAlphabet[ms&31]
		ms >>= 5
	}
	var r [6]byte
	_, _ = rand.Read(r[:]) // never fails since Go 1.24
	for i, b := range r {
		id[9+i] = idAlphabet[b&31]
	}
	return string(id[:])
}

// NewToken returns a secret of 128 random bits in 22 URL-safe characters.
func NewToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
