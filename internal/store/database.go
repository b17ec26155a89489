package store

import (
	"context"
	"database/sql"

	"github.com/shiplock/shiplock/internal/delivery"
)

// database is the wall between what every SQL database has in common, which is
// above it, and what differs: how writes become transactions, who may write beside
// whom, and how replicas hear of each other.
type database interface {
	// write runs do in a transaction that is applied wholly or not at all, and only
	// while this replica's lease stands. do may be run again from its beginning,
	// when others were in its way. See Store for the errors.
	write(ctx context.Context, d durability, do func(*tx) error) error
	// exclusive tells whether this replica may serve; awaitTurn waits until it may,
	// and keeps its lease meanwhile.
	exclusive() bool
	awaitTurn(ctx context.Context) error
	// tell passes on to other replicas what changed, and hear calls heard with what
	// they told; see Store.
	tell(changed map[delivery.Ref]int64)
	hear(ctx context.Context, heard func(map[delivery.Ref]int64)) error
	close() error
}

// durability says what must survive a power failure. A relaxed write is in order
// with the others and survives for as long as this process does; what only this
// process was doing is done again after it.
type durability bool

const (
	relaxed durability = false
	durable durability = true
)

// querier runs statements; *sql.DB, *sql.Conn and *sql.Tx are some.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}
