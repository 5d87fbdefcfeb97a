package customer

import (
	"database/sql"

	"github.com/deskbell/deskbell/internal/desk"
	"github.com/deskbell/deskbell/internal/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// The collections of this package, for hooks.
const (
	customersCollection  = "customers"
	identitiesCollection = "identities"
)

// insert stores a customer and the address it is known by, if it has one.
func insert(tx core.App, c *Customer) error {
	err := sqlite.Exec(tx, "INSERT INTO customers (id, name, email, created, updated) VALUES (?,?,?,?,?)", c.ID, c.Name, c.Email, c.Created, c.Created)
	if err != nil || c.Email == "" {
		return err
	}
	return sqlite.Exec(tx, "INSERT INTO identities (id, kind, value, customer, verified_at, created) VALUES (?,'email',?,?,0,?)",
		desk.NewID(desk.Time(c.Created)), c.Email, c.ID, c.Created)
}

func setName(tx core.App, id, name string, now int64) error {
	return sqlite.Exec(tx, "UPDATE customers SET name = ?, updated = ? WHERE id = ?", name, now, id)
}

func byEmail(app core.App, address string) (*Customer, error) {
	return one(app, "c.id = (SELECT customer FROM identities WHERE kind = 'email' AND value = ?)", address)
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
