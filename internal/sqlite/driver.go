package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	modern "modernc.org/sqlite"
)

// driverName is what our driver is registered as with database/sql.
const driverName = "deskbell-sqlite"

// maxStatements bounds the prepared statements one connection keeps.
const maxStatements = 256

func init() { sql.Register(driverName, cachingDriver{&modern.Driver{}}) }

// cachingDriver opens connections that keep their prepared statements: most of
// the cost of a small write is the compiling of its SQL.
type cachingDriver struct{ driver.Driver }

func (d cachingDriver) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	full, ok := c.(fullConn)
	if !ok {
		return nil, errors.New("the SQLite driver lacks an interface that Deskbell needs")
	}
	return &conn{fullConn: full, kept: map[string]*kept{}}, nil
}

// fullConn is what modernc's connection offers and we pass on.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type conn struct {
	fullConn
	kept map[string]*kept
}

type kept struct {
	stmt driver.Stmt
	busy bool // its rows are being read
}

// ExecContext runs a statement by its kept compilation.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k := c.statement(query)
	if k == nil {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	return k.stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext reads rows by a kept compilation, unless it is being read already.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k := c.statement(query)
	if k == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	k.busy = true
	return &rowsOnce{Rows: rows, k: k}, nil
}

// statement returns the kept compilation of query, or nil when it must not be
// shared now: it is being read, several statements at once, or the store is full.
func (c *conn) statement(query string) *kept {
	if k, ok := c.kept[query]; ok {
		if k.busy {
			return nil
		}
		return k
	}
	if len(c.kept) >= maxStatements || !single(query) {
		return nil
	}
	stmt, err := c.Prepare(query)
	if err != nil {
		return nil // the plain way reports it
	}
	k := &kept{stmt: stmt}
	c.kept[query] = k
	return k
}

// Close ends the kept statements with the connection.
func (c *conn) Close() error {
	for _, k := range c.kept {
		_ = k.stmt.Close()
	}
	c.kept = nil
	return c.fullConn.Close()
}

// single reports whether query is one reading or writing statement without a
// second one behind it; others (schema, pragmas, scripts) are not kept.
func single(query string) bool {
	word := firstWord(query)
	switch word {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE":
	default:
		return false
	}
	for i := 0; i < len(query); i++ {
		if query[i] == ';' {
			return false
		}
	}
	return true
}

func firstWord(query string) string {
	i := 0
	for i < len(query) && (query[i] == ' ' || query[i] == '\n' || query[i] == '\t' || query[i] == '\r') {
		i++
	}
	j := i
	for j < len(query) && j-i < 8 && (query[j]|0x20 >= 'a' && query[j]|0x20 <= 'z') {
		j++
	}
	word := []byte(query[i:j])
	for k := range word {
		word[k] &^= 0x20
	}
	return string(word)
}

// rowsOnce frees its statement for the next reader when it is closed.
type rowsOnce struct {
	driver.Rows
	k *kept
}

func (r *rowsOnce) Close() error {
	r.k.busy = false
	return r.Rows.Close()
}
