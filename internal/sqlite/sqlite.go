// Package sqlite opens the databases the way the desk needs them and runs
// statements with positional arguments inside PocketBase's transactions.
//
// data.db is opened with synchronous=FULL: a commit that was acknowledged
// survives a power cut. auxiliary.db (PocketBase's request log) stays NORMAL.
package sqlite

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Connect opens the database file at path; it is PocketBase's DBConnect.
func Connect(path string) (*dbx.DB, error) {
	pragmas := []string{
		"busy_timeout(10000)", // first: the others may have to wait
		"journal_mode(WAL)",
		"journal_size_limit(67108864)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"temp_store(MEMORY)",
		"secure_delete(ON)",
		"cache_size(-8000)",
	}
	if filepath.Base(path) != "data.db" {
		pragmas[3] = "synchronous(NORMAL)"
	}
	db, err := sql.Open(driverName, path+"?_txlock=immediate&_pragma="+strings.Join(pragmas, "&_pragma="))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return dbx.NewFromDB(db, "sqlite"), nil
}

// Execer is the database or the transaction that app stands for.
type Execer interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
}

// Writer is where a write of app goes: its transaction, or the one writing
// connection.
func Writer(app core.App) Execer { return executor(app.NonconcurrentDB()) }

// Reader is where app reads: its transaction, or one of the reading connections.
func Reader(app core.App) Execer { return executor(app.ConcurrentDB()) }

func executor(b dbx.Builder) Execer {
	switch b := b.(type) {
	case *dbx.DB:
		return b.DB()
	case *dbx.Tx:
		if s, ok := b.Builder.(*dbx.SqliteBuilder); ok {
			return s.Executor()
		}
	}
	panic(fmt.Sprintf("sqlite: unknown builder %T", b))
}

// Exec writes one statement with positional arguments (?) as part of app's
// transaction, or by itself when app has none.
func Exec(app core.App, query string, args ...any) error {
	if _, err := Writer(app).Exec(query, args...); err != nil {
		return fmt.Errorf("%s: %w", head(query), err)
	}
	return nil
}

// Changed is Exec that also tells how many rows it changed.
func Changed(app core.App, query string, args ...any) (int64, error) {
	res, err := Writer(app).Exec(query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", head(query), err)
	}
	return res.RowsAffected()
}

// Each reads rows and calls scan once for each; scan must not run statements
// of its own on the same transaction that write what is being read.
func Each(app core.App, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := Reader(app).Query(query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", head(query), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One reads the first row into dest and tells whether there was one.
func One(app core.App, dest []any, query string, args ...any) (bool, error) {
	found := false
	err := Each(app, func(r *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return r.Scan(dest...)
	}, query, args...)
	return found, err
}

// Marks returns n question marks for an IN list.
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func head(query string) string {
	query = strings.Join(strings.Fields(query), " ")
	if len(query) > 60 {
		query = query[:60] + "…"
	}
	return query
}
