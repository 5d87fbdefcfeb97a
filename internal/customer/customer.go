// Package customer owns the people who write to the desk and the identities
// by which they are known: a mail address or phone number belongs to one
// customer. Intake asks ByAddress for every mail.
package customer

import (
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/pocketbase/pocketbase/core"
)

// Customer is a person outside who wrote to us or was written to.
type Customer struct {
	ID      string
	Name    string // "" when unknown
	Email   string // the first known address, "" for none
	Created int64
}

// Shown is the name, or the address where no name is known.
func (c *Customer) Shown() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Email
}

// Normal is the form in which an address is compared: without surrounding
// space and in lower case.
func Normal(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// ByAddress returns the customer of a mail address and makes one in tx when
// nobody has it. An unknown name is filled in by a known one. Either is an event
// by whoever brings the address.
func ByAddress(tx core.App, log *event.Log, by desk.Actor, now int64, a desk.Address) (*Customer, error) {
	value, name := Normal(a.Address), cleanName(a.Name)
	c, err := byEmail(tx, value)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return add(tx, log, by, now, value, name)
	}
	if c.Name != "" || name == "" {
		return c, nil
	}
	c.Name = name
	if err := setName(tx, c.ID, name, now); err != nil {
		return nil, err
	}
	_, err = log.Append(tx, desk.Event{Kind: "customer.named", Subject: c.ID, Actor: by, Detail: map[string]any{"new": name}})
	return c, err
}

// Nobody returns the customer that stands for mail without any sender address.
func Nobody(tx core.App, log *event.Log, by desk.Actor, now int64, name string) (*Customer, error) {
	return add(tx, log, by, now, "", cleanName(name))
}

func add(tx core.App, log *event.Log, by desk.Actor, now int64, address, name string) (*Customer, error) {
	c := &Customer{ID: desk.NewID(desk.Time(now)), Name: name, Email: address, Created: now}
	if err := insert(tx, c); err != nil {
		return nil, err
	}
	_, err := log.Append(tx, desk.Event{Kind: "customer.created", At: now, Subject: c.ID, Actor: by, Detail: map[string]any{"name": name, "email": address}})
	return c, err
}

// cleanName is a display name fit to keep: one line, bounded, and not just the
// address again.
func cleanName(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	if r := []rune(name); len(r) > 120 {
		name = string(r[:120])
	}
	if strings.Contains(name, "@") && !strings.Contains(name, " ") {
		return ""
	}
	return name
}

// Rename changes the name of a customer in tx.
func Rename(tx core.App, log *event.Log, by desk.Actor, id, name string, now int64) error {
	name = cleanName(name)
	if name == "" {
		return desk.Errorf(desk.Invalid, "Give the customer a name.")
	}
	old, err := Find(tx, id)
	if err != nil {
		return err
	}
	if old == nil {
		return desk.Errorf(desk.NotFound, "There is no such customer.")
	}
	if old.Name == name {
		return nil
	}
	if err := setName(tx, id, name, now); err != nil {
		return err
	}
	_, err = log.Append(tx, desk.Event{Kind: "customer.renamed", Subject: id, Actor: by, Detail: map[string]any{"old": old.Name, "new": name}})
	return err
}
