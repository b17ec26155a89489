package seal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Shelf is where sealed secrets lie.
type Shelf interface {
	// Secret is NotFound when nobody has set it.
	Secret(ctx context.Context, name string) (delivery.Secret, error)
}

// Vault seals and opens secrets. Its errors never repeat a value.
type Vault struct {
	shelf Shelf
	keys  Keys
}

// NewVault returns a Vault of the secrets of a shelf.
func NewVault(shelf Shelf, keys Keys) *Vault { return &Vault{shelf: shelf, keys: keys} }

// Open returns the value of a secret. NotFound when nobody has set it; Unavailable
// when its master key is not there.
func (v *Vault) Open(ctx context.Context, name string) ([]byte, error) {
	for again := false; ; again = true {
		s, err := v.shelf.Secret(ctx, name)
		if err != nil {
			return nil, err
		}
		value, err := v.open(ctx, s)
		if errors.Is(err, ErrUnknownKey) && !again {
			continue // it was wrapped again just now
		}
		return value, explain(name, err)
	}
}

func (v *Vault) open(ctx context.Context, s delivery.Secret) ([]byte, error) {
	data, err := v.keys.Unwrap(ctx, s.Sealed.Key, s.Sealed.Wrapped, bound("key", s))
	if err != nil {
		return nil, err
	}
	box, err := newBox(data)
	if err != nil {
		return nil, err
	}
	return box.Open(nil, nil, s.Sealed.Box, bound("value", s))
}

// Seal seals a value for the secret's name and revision, with the named master key.
func (v *Vault) Seal(ctx context.Context, key string, s delivery.Secret, value []byte) (delivery.Sealed, error) {
	data := make([]byte, keySize)
	rand.Read(data)
	box, err := newBox(data)
	if err != nil {
		return delivery.Sealed{}, err
	}
	wrapped, err := v.keys.Wrap(ctx, key, data, bound("key", s))
	if err != nil {
		return delivery.Sealed{}, explain(s.Name, err)
	}
	return delivery.Sealed{Key: key, Wrapped: wrapped, Box: box.Seal(nil, nil, value, bound("value", s))}, nil
}

// Rewrap has another master key wrap the data key of a secret.
func (v *Vault) Rewrap(ctx context.Context, key string, s delivery.Secret) (delivery.Sealed, error) {
	data, err := v.keys.Unwrap(ctx, s.Sealed.Key, s.Sealed.Wrapped, bound("key", s))
	if err != nil {
		return s.Sealed, explain(s.Name, err)
	}
	wrapped, err := v.keys.Wrap(ctx, key, data, bound("key", s))
	if err != nil {
		return s.Sealed, explain(s.Name, err)
	}
	return delivery.Sealed{Key: key, Wrapped: wrapped, Box: s.Sealed.Box}, nil
}

// NewestKey names the master key that was made last.
func (v *Vault) NewestKey(ctx context.Context) (string, error) { return v.keys.Newest(ctx) }

// MakeKey readies another master key, and names it.
func (v *Vault) MakeKey(ctx context.Context) (string, error) { return v.keys.Make(ctx) }

// RetireKeys lets go of the master keys that are older than the named one.
func (v *Vault) RetireKeys(ctx context.Context, key string) error { return v.keys.Retire(ctx, key) }

// bound is what a part of a secret is sealed together with.
func bound(part string, s delivery.Secret) []byte {
	b := []byte("shiplock secret " + part + "\x00" + s.Name + "\x00")
	return binary.BigEndian.AppendUint64(b, uint64(s.Revision))
}

// explain says what is wrong with a secret that does not open.
func explain(name string, err error) error {
	var classified *delivery.Error
	switch {
	case err == nil, errors.As(err, &classified):
		return err
	case errors.Is(err, ErrUnknownKey):
		return delivery.Wrap(delivery.Unavailable, fmt.Sprintf("the secret %s is sealed with a master key that this server does not have: give it that key, or set the secret again", name), err)
	}
	return delivery.E(delivery.Internal, fmt.Sprintf("the secret %s does not open: its row was changed or exchanged by somebody; set it again with `shiplock secret set %[1]s`", name))
}
