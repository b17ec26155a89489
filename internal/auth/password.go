package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Params are those of argon2id (RFC 9106). They are kept with each hash, so that
// another choice takes hold of a password at its next log-in.
type Params struct {
	Passes    uint32
	MemoryKiB uint32
	Lanes     uint8
}

// Defaults take about 0.1 s and 64 MiB for one password.
func (p Params) orDefault() Params {
	if p == (Params{}) {
		return Params{Passes: 2, MemoryKiB: 64 << 10, Lanes: 1}
	}
	return p
}

const (
	saltLen, keyLen = 16, 32
	// hashing bounds the memory of log-ins, queue their number that may wait.
	hashing, queue = 2, 32
	// maxMemoryKiB refuses a kept hash that would take all the memory.
	maxMemoryKiB = 1 << 20
)

// hasher derives keys from passwords, few at once.
type hasher struct {
	params Params
	slots  chan struct{}
	line   chan struct{}
	// derive is argon2id; a test counts what it is asked.
	derive func(password string, salt []byte, p Params) []byte
	// nobody is what the password of who is not there is held against.
	nobody string
}

func newHasher(p Params) *hasher {
	h := &hasher{
		params: p.orDefault(), slots: make(chan struct{}, hashing), line: make(chan struct{}, hashing+queue),
		derive: func(password string, salt []byte, p Params) []byte {
			return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Lanes, keyLen)
		},
	}
	h.nobody = encode(h.params, make([]byte, saltLen), make([]byte, keyLen))
	return h
}

// run derives a key when it is its turn. Unavailable when too many wait.
func (h *hasher) run(ctx context.Context, password string, salt []byte, p Params) ([]byte, error) {
	select {
	case h.line <- struct{}{}:
	default:
		return nil, delivery.E(delivery.Unavailable, "too many people log in at this moment: try again in some seconds")
	}
	defer func() { <-h.line }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-h.slots }()
	return h.derive(password, salt, p), nil
}

// hash is what is kept of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	key, err := h.run(ctx, password, salt, h.params)
	return encode(h.params, salt, key), err
}

// verify tells whether a password is the one of a hash, in the same time whether there
// is a hash or not; stale says that it was made with other parameters.
func (h *hasher) verify(ctx context.Context, kept, password string) (ok, stale bool, err error) {
	known := kept != ""
	if !known {
		kept = h.nobody
	}
	p, salt, want, err := decode(kept)
	if err != nil {
		return false, false, err
	}
	got, err := h.run(ctx, password, salt, p)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, p != h.params, nil
}

// encode writes the form that the reference implementation of argon2 does.
func encode(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB, p.Passes, p.Lanes, b64(salt), b64(key))
}

func decode(kept string) (p Params, salt, key []byte, err error) {
	var version int
	parts := strings.Split(kept, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return p, nil, nil, errKept
	}
	_, err = fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &p.MemoryKiB, &p.Passes, &p.Lanes)
	if err == nil {
		salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	}
	if err == nil {
		key, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || version != argon2.Version || len(key) != keyLen || p.Passes < 1 || p.Lanes < 1 || p.MemoryKiB > maxMemoryKiB {
		return p, nil, nil, errKept
	}
	return p, salt, key, nil
}

var errKept = delivery.E(delivery.Internal, "the hash of a password in the database is damaged: reset that password")

// newPassword is for one log-in: 100 random bits.
func newPassword() string {
	t := strings.ToLower(rand.Text())
	return t[:5] + "-" + t[5:10] + "-" + t[10:15] + "-" + t[15:20]
}
