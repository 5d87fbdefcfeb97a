package ticket

import (
	"crypto/subtle"
	"encoding/base32"
	"strconv"
	"strings"
)

// Signer makes message authentication codes with a key of the desk.
type Signer interface {
	MAC(purpose string, data ...string) []byte
}

// Tokens names tickets in mail so that nobody else can make up the name: in
// our Message-IDs and in plus-addresses.
type Tokens struct{ Signer Signer }

var macText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func (t Tokens) mac(kind, salt string, number int64) string {
	return macText.EncodeToString(t.Signer.MAC("ticket-token", kind, salt, strconv.FormatInt(number, 10))[:10])
}

// MessageID is the Message-ID of a mail of ours about a ticket, without <>. It
// is the same whenever it is made for the same delivery.
func (t Tokens) MessageID(delivery string, number int64, domain string) string {
	return delivery + "." + strconv.FormatInt(number, 10) + "." + t.mac("mail", delivery, number) + "@" + domain
}

// PlusAddress is an address of a mailbox that leads to a ticket.
func (t Tokens) PlusAddress(address string, number int64) string {
	local, domain, _ := strings.Cut(address, "@")
	return local + "+t" + strconv.FormatInt(number, 10) + "." + t.mac("plus", "", number) + "@" + domain
}

// OfMessageID is the ticket number that a Message-ID of ours names, 0 when it
// is not one of ours.
func (t Tokens) OfMessageID(id string) int64 {
	local, _, _ := strings.Cut(id, "@")
	parts := strings.Split(local, ".")
	if len(parts) != 3 {
		return 0
	}
	number, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || !same(parts[2], t.mac("mail", parts[0], number)) {
		return 0
	}
	return number
}

// OfAddress is the ticket number that a plus-address of ours names, 0 for none.
func (t Tokens) OfAddress(address string) int64 {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	_, token, ok := strings.Cut(local, "+t")
	if !ok {
		return 0
	}
	digits, mac, _ := strings.Cut(token, ".")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !same(mac, t.mac("plus", "", number)) {
		return 0
	}
	return number
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
