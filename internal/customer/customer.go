// Package customer owns the people who write to the desk and the identities
// by which they are known: a mail address or phone number belongs to one
// customer. Intake asks ByAddress for every mail.
package customer

import (
	"database/sql"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/event"
	"github.com/deskbell/deskbell/internal/sqlite"
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
// nobody has it. An unknown name is filled in by a known one.
func ByAddress(tx core.App, now int64, a desk.Address) (*Customer, error) {
	value := Normal(a.Address)
	c, err := one(tx, "c.id = (SELECT customer FROM identities WHERE kind = 'email' AND value = ?)", value)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return add(tx, now, value, cleanName(a.Name))
	}
	if name := cleanName(a.Name); c.Name == "" && name != "" {
		c.Name = name
		return c, sqlite.Exec(tx, "UPDATE customers SET name = ?, updated = ? WHERE id = ?", name, now, c.ID)
	}
	return c, nil
}

func add(tx core.App, now int64, address, name string) (*Customer, error) {
	c := &Customer{ID: desk.NewID(desk.Time(now)), Name: name, Email: address, Created: now}
	if err := sqlite.Exec(tx, "INSERT INTO customers (id, name, email, created, updated) VALUES (?,?,?,?,?)", c.ID, name, address, now, now); err != nil {
		return nil, err
	}
	if address == "" {
		return c, nil
	}
	return c, sqlite.Exec(tx, "INSERT INTO identities (id, kind, value, customer, verified_at, created) VALUES (?,'email',?,?,0,?)",
		desk.NewID(desk.Time(now)), address, c.ID, now)
}

// Nobody returns the customer that stands for mail without any sender address.
func Nobody(tx core.App, now int64, name string) (*Customer, error) {
	return add(tx, now, "", cleanName(name))
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

// Find returns one customer, nil when there is none.
func Find(app core.App, id string) (*Customer, error) { return one(app, "c.id = ?", id) }

// Named returns the customers with the given ids.
func Named(app core.App, ids []string) (map[string]*Customer, error) {
	out := map[string]*Customer{}
	if len(ids) == 0 {
		return out, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	found, err := all(app, "c.id IN ("+sqlite.Marks(len(ids))+")", args...)
	for _, c := range found {
		out[c.ID] = c
	}
	return out, err
}

func one(app core.App, where string, args ...any) (*Customer, error) {
	found, err := all(app, where, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func all(app core.App, where string, args ...any) ([]*Customer, error) {
	var out []*Customer
	err := sqlite.Each(app, func(r *sql.Rows) error {
		c := &Customer{}
		err := r.Scan(&c.ID, &c.Name, &c.Email, &c.Created)
		out = append(out, c)
		return err
	}, "SELECT c.id, c.name, c.email, c.created FROM customers c WHERE "+where, args...)
	return out, err
}

// Identities lists the addresses of a customer, oldest first.
func Identities(app core.App, id string) ([]string, error) {
	out := []string{}
	err := sqlite.Each(app, func(r *sql.Rows) error {
		var v string
		err := r.Scan(&v)
		out = append(out, v)
		return err
	}, "SELECT value FROM identities WHERE customer = ? ORDER BY created, id", id)
	return out, err
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
	if err := sqlite.Exec(tx, "UPDATE customers SET name = ?, updated = ? WHERE id = ?", name, now, id); err != nil {
		return err
	}
	_, err = log.Append(tx, desk.Event{Kind: "customer.renamed", Subject: id, Actor: by, Detail: map[string]any{"old": old.Name}})
	return err
}
