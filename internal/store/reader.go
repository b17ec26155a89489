package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// readLimit bounds one read of a database that does not answer.
const readLimit = 30 * time.Second

// reader reads beside the writes.
type reader struct {
	querier
	close    func() error
	classify func(error) error
}

// list returns what scan makes of every row.
func list[T any](ctx context.Context, r *reader, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit())
	defer cancel()
	rows, err := r.QueryContext(ctx, query, args...)
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
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit())
	defer cancel()
	v, err = scan(firstRow(r.QueryContext(ctx, query, args...)))
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
	return r.classify(err)
}

func errReadLimit() error {
	return delivery.E(delivery.Unavailable, fmt.Sprintf("the database did not answer within %s: look at its load", readLimit))
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
