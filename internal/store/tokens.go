package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	tokenColumns = `id, kind, name, owner, epoch, hash, grants, scope, asked_from, opened_by, created_at, expires_at, used_at`
	insertToken  = `INSERT INTO tokens (` + tokenColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`
	selectTokens = `SELECT ` + tokenColumns + ` FROM tokens`
	countTokens  = `SELECT COUNT(*) FROM tokens`
	// findToken needs one look for a request: the token and whose it is.
	findToken = `SELECT t.id, t.kind, t.name, t.owner, t.epoch, t.hash, t.grants, t.scope, t.asked_from, t.opened_by, t.created_at, t.expires_at, t.used_at,
		COALESCE(u.doc, '') FROM tokens t LEFT JOIN users u ON u.name = t.owner WHERE t.hash = $1`

	useToken      = `UPDATE tokens SET used_at = $2 WHERE id = $1 AND used_at < $2`
	revokeToken   = `DELETE FROM tokens WHERE id = $1 OR opened_by = $1`
	revokeTokens  = `DELETE FROM tokens WHERE owner = $1 AND owner <> '' AND (kind = $2 OR epoch < $3)`
	expiredTokens = `DELETE FROM tokens WHERE expires_at > 0 AND expires_at <= $1`
)

// AddToken keeps a token; Conflict when its ID or Hash is there already.
func (s *Store) AddToken(ctx context.Context, t delivery.Token) error {
	w, err := writeToken(t)
	if err != nil {
		return err
	}
	return s.write(ctx, durable, w.apply)
}

func writeToken(t delivery.Token) (write, error) {
	grants, err := encode(t.Grants)
	scope := ""
	if err == nil && t.Scope != nil {
		scope, err = encode(t.Scope)
	}
	return write{
		apply: func(tx *tx) error {
			n, err := tx.exec(insertToken, t.ID, string(t.Kind), t.Name, t.Owner, t.Epoch, t.Hash, grants, scope, t.From, t.By,
				millis(t.CreatedAt), millis(t.ExpiresAt), millis(t.UsedAt))
			if err == nil && n == 0 {
				err = delivery.E(delivery.Conflict, "the token "+t.ID+" exists already")
			}
			return err
		},
		committed: func() {},
	}, err
}

func writeRevocation(m delivery.TokenMatch) write {
	return write{
		apply: func(tx *tx) error {
			if m.ID != "" {
				_, err := tx.exec(revokeToken, m.ID)
				return err
			}
			_, err := tx.exec(revokeTokens, m.Owner, string(m.Kind), m.Epoch)
			return err
		},
		committed: func() {},
	}
}

func scanToken(row scanner) (delivery.Token, error) { return scanTokenAnd(row) }

// scanTokenAnd scans what follows a token's columns too.
func scanTokenAnd(row scanner, more ...any) (t delivery.Token, err error) {
	var grants, scope []byte
	var created, expires, used int64
	into := []any{&t.ID, &t.Kind, &t.Name, &t.Owner, &t.Epoch, &t.Hash, &grants, &scope, &t.From, &t.By, &created, &expires, &used}
	if err = row.Scan(append(into, more...)...); err != nil {
		return t, err
	}
	if err = decode(grants, &t.Grants); err == nil && len(scope) > 0 {
		err = decode(scope, &t.Scope)
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt = fromMillis(created), fromMillis(expires), fromMillis(used)
	return t, err
}

// owned is a token with its owner, who is nil when there is none.
type owned struct {
	token delivery.Token
	owner *delivery.User
}

func scanOwned(row scanner) (o owned, err error) {
	var doc []byte
	if o.token, err = scanTokenAnd(row, &doc); err == nil && len(doc) > 0 {
		err = decode(doc, &o.owner)
	}
	return o, err
}

// TokenByHash finds a token and its owner, without the owner's password; NotFound when
// there is none. An owner who was removed is nil.
func (s *Store) TokenByHash(ctx context.Context, hash string) (delivery.Token, *delivery.User, error) {
	o, err := mustOne(ctx, s.reader, "such token", scanOwned, findToken, hash)
	return o.token, o.owner, err
}

// Token finds a token by its ID, or NotFound.
func (s *Store) Token(ctx context.Context, id string) (delivery.Token, error) {
	return mustOne(ctx, s.reader, "token "+id, scanToken, selectTokens+` WHERE id = $1`, id)
}

// Tokens lists the tokens and sessions of an owner, or all for "", the newest first.
func (s *Store) Tokens(ctx context.Context, owner string) ([]delivery.Token, error) {
	return list(ctx, s.reader, scanToken, selectTokens+` WHERE owner = $1 OR $1 = '' ORDER BY created_at DESC, id DESC`, owner)
}

// TokenCount counts the tokens.
func (s *Store) TokenCount(ctx context.Context) (int, error) {
	return mustOne(ctx, s.reader, "table of tokens", scanValue[int], countTokens)
}

// CloseToken ends a token, or a session; what is not there has ended.
func (s *Store) CloseToken(ctx context.Context, id string) error {
	return s.write(ctx, durable, writeRevocation(delivery.TokenMatch{ID: id}).apply)
}

// UseTokens remembers when tokens were used last.
func (s *Store) UseTokens(ctx context.Context, used map[string]time.Time) error {
	ids := slices.Sorted(maps.Keys(used)) // in one order, for replicas
	return s.write(ctx, relaxed, func(tx *tx) error {
		for _, id := range ids {
			if _, err := tx.exec(useToken, id, millis(used[id])); err != nil {
				return err
			}
		}
		return nil
	})
}
