package store

import (
	"context"
	"errors"

	"github.com/shiplock/shiplock/internal/delivery"
)

// classified tells whether an error has its kind already, or is a caller's context's.
func classified(err error) bool {
	var known *delivery.Error
	return err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// conflict says that something is no longer as it was when it was loaded.
func conflict(what string) error {
	return delivery.E(delivery.Conflict, what+" was changed meanwhile: load it and try again")
}

func notFound(what string) error {
	return delivery.E(delivery.NotFound, "there is no "+what)
}

func errClosed() error {
	return delivery.E(delivery.Unavailable, "the database is closed: the server is shutting down")
}

// errRaced has a transaction run again from its beginning: another one came first.
var errRaced = errors.New("another transaction came first")
