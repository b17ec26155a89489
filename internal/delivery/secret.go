package delivery

import (
	"strings"
	"time"
)

// Secret is something that the installation keeps for itself and gives to nobody: a
// token of a forge, a kubeconfig, the address of a chat's robot. Only what is sealed
// is kept.
type Secret struct {
	Name string `json:"name"`
	// Revision counts how often it was set; what is sealed is bound to it.
	Revision int64     `json:"revision"`
	SetBy    Actor     `json:"setBy"`
	SetAt    time.Time `json:"setAt"`
	Sealed   Sealed    `json:"sealed"`
	// Version is the document's, as of every aggregate.
	Version int64 `json:"-"`
}

// Sealed is a value that only a master key opens.
type Sealed struct {
	// Key names the master key that wraps the data key.
	Key string `json:"key"`
	// Wrapped is the data key, and Box the value that it seals.
	Wrapped []byte `json:"wrapped"`
	Box     []byte `json:"box"`
}

// SecretChange writes or deletes one secret; Version as in Change.
type SecretChange struct {
	Secret Secret
	Delete bool
}

// MasterKeyChange makes another master key the one that secrets are sealed with. The
// store refuses it with Conflict when From is no longer that key.
type MasterKeyChange struct{ From, To string }

// ownSecrets is what the names of secrets begin with that Shiplock made for itself.
const ownSecrets = "shiplock."

// OwnSecret names a secret that Shiplock made for itself. No person can set it.
func OwnSecret(name string) string { return ownSecrets + name }

// Own tells whether Shiplock made the secret for itself.
func (s Secret) Own() bool { return strings.HasPrefix(s.Name, ownSecrets) }

// MaxSecret bounds the bytes of a secret.
const MaxSecret = 256 << 10

// CheckSecretName is Invalid for a name that a secret of people cannot have.
func CheckSecretName(name string) error { return CheckLabel("a secret", name) }
