package api

import (
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Secret is what is told of a secret: never its value.
type Secret struct {
	Name string `json:"name"`
	// Revision counts how often it was set.
	Revision int64     `json:"revision"`
	SetBy    string    `json:"setBy"`
	SetAt    time.Time `json:"setAt"`
	// Key names the master key that it is sealed with.
	Key string `json:"key"`
	// UsedBy are the documents that name it.
	UsedBy []string `json:"usedBy,omitempty"`
}

// SecretOf tells of a secret.
func SecretOf(s delivery.Secret, usedBy []string) Secret {
	return Secret{Name: s.Name, Revision: s.Revision, SetBy: s.SetBy.String(), SetAt: s.SetAt, Key: s.Sealed.Key, UsedBy: usedBy}
}

// SetSecret gives a secret its value.
type SetSecret struct {
	Name string `json:"name"`
	// Value is kept byte for byte.
	Value []byte `json:"value" doc:"in base64; sealed, and never shown again"`
}

// Rotation says what a change of the master key did.
type Rotation struct {
	// Key names the new master key.
	Key string `json:"key"`
	// Sealed is how many secrets were sealed again.
	Sealed int `json:"sealed"`
}
