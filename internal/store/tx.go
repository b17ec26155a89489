package store

import (
	"context"
	"database/sql"
)

// tx is a transaction under way, used by one goroutine. Its calls take no context:
// a transaction may be shared by callers, and must not fail because one of them
// gave up.
type tx struct {
	ctx context.Context // the transaction's own
	q   querier
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a query of at most one row.
func (t *tx) row(query string, args ...any) scanner {
	return firstRow(t.q.QueryContext(t.ctx, query, args...))
}

// each calls scan for every row of a query.
func (t *tx) each(query string, args []any, scan func(scanner) error) error {
	rows, err := t.q.QueryContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// scanner is a row that was or was not found.
type scanner interface{ Scan(dest ...any) error }

// onlyRow scans the first row of a query, or is sql.ErrNoRows.
type onlyRow struct {
	rows *sql.Rows
	err  error
}

func firstRow(rows *sql.Rows, err error) scanner { return onlyRow{rows, err} }

func (r onlyRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

func eachRow(rows *sql.Rows, scan func(scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
