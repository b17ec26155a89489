package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// maxReaders bounds the reads that run at once, and with them their memory.
const maxReaders = 4

// reader is a pool of connections that cannot write, with prepared statements.
type reader struct {
	db   *sql.DB
	path string

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// openReader needs the database to exist.
func openReader(path string) (*reader, error) {
	db, err := sql.Open("sqlite", dataSource(path,
		busyPragma(busyTimeout), "query_only(1)", "cache_size("+readerCache+")", "mmap_size(0)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	return &reader{db: db, path: path, stmts: make(map[string]*sql.Stmt)}, nil
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, r.db.Close())...)
}

// stmt prepares each query once: queries are constants or put together from a few.
func (r *reader) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.stmts[query] = s
	return s, nil
}

func (r *reader) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// list returns what scan makes of every row.
func list[T any](ctx context.Context, r *reader, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := r.rows(ctx, query, args...)
	if err != nil {
		return nil, r.failed(ctx, err)
	}
	var all []T
	err = eachRow(rows, func(row scanner) error {
		v, err := scan(row)
		all = append(all, v)
		return err
	})
	if err != nil {
		return nil, r.failed(ctx, err)
	}
	return all, nil
}

// one returns what scan makes of the first row; ok is false when there is none.
func one[T any](ctx context.Context, r *reader, scan func(scanner) (T, error), query string, args ...any) (v T, ok bool, err error) {
	s, err := r.stmt(ctx, query)
	if err == nil {
		v, err = scan(s.QueryRowContext(ctx, args...))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, r.failed(ctx, err)
}

// mustOne is one for what has to be there.
func mustOne[T any](ctx context.Context, r *reader, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, ok, err := one(ctx, r, scan, query, args...)
	if err == nil && !ok {
		err = notFound(what)
	}
	return v, err
}

func (r *reader) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // the driver's words for it vary
	}
	return classify(r.path, err)
}

// scanValue reads a single column.
func scanValue[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

// scanDoc reads a document.
func scanDoc[T any](row scanner) (v T, err error) {
	var doc []byte
	if err = row.Scan(&doc); err == nil {
		err = decode(doc, &v)
	}
	return v, err
}

// scanVersioned reads a document and its version, in this order.
func scanVersioned[T any](version func(*T) *int64) func(scanner) (T, error) {
	return func(row scanner) (v T, err error) {
		var doc []byte
		var n int64
		if err = row.Scan(&doc, &n); err == nil {
			err = decode(doc, &v)
		}
		*version(&v) = n
		return v, err
	}
}

func decode(doc []byte, v any) error {
	if err := json.Unmarshal(doc, v); err != nil {
		return fmt.Errorf("decode a %T: %w", v, err)
	}
	return nil
}
