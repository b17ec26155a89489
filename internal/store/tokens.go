package store

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertToken = `INSERT INTO tokens (id, name, hash, grants, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	selectToken = `SELECT id, name, hash, grants, created_at FROM tokens WHERE hash = $1`
	countTokens = `SELECT COUNT(*) FROM tokens`
)

// Token is what is kept of an API token: never the token itself.
type Token struct {
	ID        string
	Name      string
	Hash      string
	Grants    delivery.Grants
	CreatedAt time.Time
}

// AddToken keeps a token; Conflict when its ID or Hash is there already.
func (s *Store) AddToken(ctx context.Context, t Token) error {
	grants, err := encode(t.Grants)
	if err != nil {
		return err
	}
	return s.write(ctx, durable, func(tx *tx) error {
		n, err := tx.exec(insertToken, t.ID, t.Name, t.Hash, grants, millis(t.CreatedAt))
		if err == nil && n == 0 {
			err = delivery.E(delivery.Conflict, "the token "+t.ID+" exists already")
		}
		return err
	})
}

func scanToken(row scanner) (t Token, err error) {
	var grants []byte
	var createdAt int64
	if err = row.Scan(&t.ID, &t.Name, &t.Hash, &grants, &createdAt); err == nil {
		err = decode(grants, &t.Grants)
	}
	t.CreatedAt = fromMillis(createdAt)
	return t, err
}

// TokenByHash finds a token, or NotFound.
func (s *Store) TokenByHash(ctx context.Context, hash string) (Token, error) {
	return mustOne(ctx, s.reader, "such token", scanToken, selectToken, hash)
}

// TokenCount counts the tokens.
func (s *Store) TokenCount(ctx context.Context) (int, error) {
	return mustOne(ctx, s.reader, "table of tokens", scanValue[int], countTokens)
}
