package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	saveHead = `INSERT INTO heads (repo, branch, sha, seen_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (repo, branch) DO UPDATE SET sha = excluded.sha, seen_at = excluded.seen_at`
	listHeads = `SELECT branch, sha, seen_at FROM heads WHERE repo = $1 ORDER BY branch`
)

func writeHead(h delivery.Head) (write, error) {
	return write{
		apply: func(tx *tx) error {
			_, err := tx.exec(saveHead, h.Repo, h.Branch, h.SHA, millis(h.At))
			return err
		},
		committed: func() {},
	}, nil
}

// Heads lists where the branches of a repository were when they were last accounted
// for.
func (s *Store) Heads(ctx context.Context, repo string) ([]delivery.Head, error) {
	return list(ctx, s.reader, func(row scanner) (delivery.Head, error) {
		h := delivery.Head{Repo: repo}
		var seen int64
		err := row.Scan(&h.Branch, &h.SHA, &seen)
		h.At = fromMillis(seen)
		return h, err
	}, listHeads, repo)
}
