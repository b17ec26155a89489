package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shiplock/shiplock/internal/delivery"
)

// sqlState returns PostgreSQL's code of an error, or "".
func sqlState(err error) string {
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return failed.Code
	}
	return ""
}

// raced tells whether a transaction failed because of others, and may simply be run
// again: two that came for the same number, waited for each other, or lost the
// connection before they were over.
func raced(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01", "23505":
		return true
	}
	return ended(err) || errors.Is(err, errRaced)
}

// ended tells whether the server ended the connection, by a restart or for its
// idleness.
func ended(err error) bool {
	switch sqlState(err) {
	case "57P01", "57P02", "25P03":
		return true
	}
	return false
}

// refused tells whether the server itself said that it did not commit. When the
// connection ends with the answer, it may have.
func refused(err error) bool {
	var failed *pgconn.PgError
	return errors.As(err, &failed) && failed.Severity == "ERROR"
}

// classify gives an error of the database its kind and says what to do.
func (d *postgres) classify(err error) error {
	if classified(err) {
		return err
	}
	select {
	case <-d.closing:
		return errClosed()
	default:
	}
	kind, text := explain(sqlState(err))
	if sqlState(err) == "" && !unreachable(err) {
		kind, text = delivery.Internal, "holds what cannot be read"
	}
	return delivery.Wrap(kind, fmt.Sprintf("the database %s %s", d.name, text), err)
}

// unreachable tells whether the way to the server is the trouble.
func unreachable(err error) bool {
	var dial *pgconn.ConnectError
	var network net.Error
	var lost *unanswered
	for _, is := range []error{errRaced, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone} {
		if errors.Is(err, is) {
			return true
		}
	}
	return errors.As(err, &dial) || errors.As(err, &network) || errors.As(err, &lost) || pgconn.SafeToRetry(err)
}

// explain is what a code of PostgreSQL means here.
func explain(code string) (delivery.Kind, string) {
	if e, ok := explanations(code); ok {
		return e.kind, e.text
	}
	switch {
	case code == "":
		return delivery.Unavailable, "does not answer: see that it runs and can be reached from here; Shiplock then goes on by itself"
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57"):
		return delivery.Unavailable, "ended the connection: see its log; Shiplock goes on when it is back"
	case strings.HasPrefix(code, "53"), strings.HasPrefix(code, "58"):
		return delivery.Unavailable, "is short of memory or disk: see its log; Shiplock then goes on by itself"
	}
	return delivery.Internal, "refused a statement (" + code + ")"
}

type explanation struct {
	kind delivery.Kind
	text string
}

func explanations(code string) (e explanation, ok bool) {
	switch code {
	case "28P01", "28000":
		e = explanation{delivery.Denied, "does not let this user in: check user and password in SHIPLOCK_DATABASE_URL, and the server's pg_hba.conf"}
	case "3D000":
		e = explanation{delivery.NotFound, "does not exist: make it with CREATE DATABASE, or correct SHIPLOCK_DATABASE_URL"}
	case "42501":
		e = explanation{delivery.Denied, "does not let this user make or use tables: GRANT CREATE, USAGE ON SCHEMA public TO the user, or let it own the database"}
	case "25006":
		e = explanation{delivery.Unavailable, "is read-only, perhaps a standby: connect to the primary"}
	case "53300":
		e = explanation{delivery.Unavailable, fmt.Sprintf("has no connection left: a server needs up to %d, so raise max_connections or stop what else is connected", postgresWriters+postgresReaders+2)}
	case "53100":
		e = explanation{delivery.Unavailable, "has a full disk: free space there; Shiplock then goes on by itself"}
	case "57P03":
		e = explanation{delivery.Unavailable, "is starting or stopping: wait a moment"}
	case "55P03":
		e = explanation{delivery.Unavailable, "is held up by another transaction: wait a moment"}
	case "40001", "40P01", "23505":
		e = explanation{delivery.Unavailable, "is busy with others at the same place: try again"}
	case "22021", "22P05":
		e = explanation{delivery.Invalid, "cannot hold a text with a zero byte: leave it out"}
	default:
		return e, false
	}
	return e, true
}
