package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// rereading repeats reads whose connection was gone: after a restart of the server
// all in the pool are.
type rereading struct{ *sql.DB }

func (r rereading) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	for try := 0; ; try++ {
		rows, err := r.DB.QueryContext(ctx, query, args...)
		var dial *pgconn.ConnectError
		gone := err != nil && (ended(err) || unreachable(err) && !errors.As(err, &dial))
		if !gone || try == postgresReaders || ctx.Err() != nil {
			return rows, err
		}
	}
}
