package seal

import (
	"context"
	"errors"
)

// Keys is a place of master keys. It has the shape of a key management service: it
// wraps data keys and shows none of its own.
type Keys interface {
	// Wrap seals a data key with the named master key, bound to what it is for.
	Wrap(ctx context.Context, key string, data, bound []byte) ([]byte, error)
	// Unwrap is the inverse of Wrap. Both are ErrUnknownKey for a key that is not there.
	Unwrap(ctx context.Context, key string, wrapped, bound []byte) ([]byte, error)
	// Newest names the master key that was made last.
	Newest(ctx context.Context) (string, error)
	// Make readies another master key beside those there are, and names it.
	Make(ctx context.Context) (string, error)
	// Retire lets go of the keys that are older than the named one.
	Retire(ctx context.Context, key string) error
}

// ErrUnknownKey says that a master key is not, or no longer, in its place.
var ErrUnknownKey = errors.New("the master key is not there")
