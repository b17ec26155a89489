package store

import (
	"cmp"
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertHook = `INSERT INTO hooks (version, doc, id, state, repo, branch) VALUES ($1 + 1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`
	updateHook = `UPDATE hooks SET version = version + 1, doc = $2, state = $4 WHERE id = $3 AND version = $1`
	selectHook = `SELECT doc, version FROM hooks WHERE id = $1`
	listHooks  = `SELECT doc, version FROM hooks ORDER BY seq DESC LIMIT $1`
	// newestHooks leaps from repository to repository along the index. What the
	// reconciler made up did not come from a forge.
	newestHooks = `WITH RECURSIVE repos(repo) AS (
			SELECT MIN(repo) FROM hooks
			UNION ALL SELECT (SELECT MIN(repo) FROM hooks WHERE repo > repos.repo) FROM repos WHERE repo IS NOT NULL)
		SELECT doc, version FROM repos JOIN hooks ON seq = (SELECT MAX(seq) FROM hooks h WHERE h.repo = repos.repo AND h.id NOT LIKE 'reconciler-%')
		ORDER BY seq DESC`

	earlierHook = `SELECT EXISTS (SELECT 1 FROM hooks WHERE state = 'received' AND repo = $2 AND branch = $3
		AND seq < (SELECT seq FROM hooks WHERE id = $1))`
	pushedTo = `SELECT doc, version FROM hooks WHERE repo = $1 AND branch = $2
		AND seq < COALESCE((SELECT seq FROM hooks WHERE id = $3), 9223372036854775807) ORDER BY seq DESC LIMIT $4`

	laterHook = `SELECT id FROM hooks WHERE state = 'received' AND repo = $2 AND branch = $3
		AND seq > (SELECT seq FROM hooks WHERE id = $1) ORDER BY seq LIMIT 1`
)

func writeHook(h *delivery.Hook) (write, error) {
	return aggregate{
		name: "hook " + h.ID, insert: insertHook, update: updateHook, version: &h.Version, doc: h,
		cols:  []any{h.ID, string(h.State)},
		fixed: []any{repoKey(*h), h.Push.Queue()},
	}.write()
}

// repoKey names a hook's repository, by the forge's own id when it has one: a path
// may change between two pushes.
func repoKey(h delivery.Hook) string {
	return cmp.Or(h.Push.Repo.Forge, h.Forge) + "/" + cmp.Or(h.Push.Repo.ProjectID, h.Push.Repo.Path)
}

var scanHook = scanVersioned(func(h *delivery.Hook) *int64 { return &h.Version })

// Hook loads a hook, or NotFound.
func (s *Store) Hook(ctx context.Context, id string) (delivery.Hook, error) {
	return mustOne(ctx, s.reader, "hook "+id, scanHook, selectHook, id)
}

// Hooks lists hooks, the newest first.
func (s *Store) Hooks(ctx context.Context, limit int) ([]delivery.Hook, error) {
	return list(ctx, s.reader, scanHook, listHooks, limit)
}

// NewestHooks lists the newest hook that each repository sent, the newest first.
func (s *Store) NewestHooks(ctx context.Context) ([]delivery.Hook, error) {
	return list(ctx, s.reader, scanHook, newestHooks)
}

// PushedTo lists the hooks of one branch or tag, that of h, which came before h if h is
// kept; the newest first.
func (s *Store) PushedTo(ctx context.Context, h delivery.Hook, limit int) ([]delivery.Hook, error) {
	return list(ctx, s.reader, scanHook, pushedTo, repoKey(h), h.Push.Queue(), h.ID, limit)
}

// EarlierHook tells whether an earlier push to the same branch is unexpanded.
func (s *Store) EarlierHook(ctx context.Context, h delivery.Hook) (bool, error) {
	earlier, _, err := one(ctx, s.reader, scanValue[bool], earlierHook, h.ID, repoKey(h), h.Push.Queue())
	return earlier, err
}

// LaterHook returns the next unexpanded push to the same branch, or "".
func (s *Store) LaterHook(ctx context.Context, h delivery.Hook) (string, error) {
	id, _, err := one(ctx, s.reader, scanValue[string], laterHook, h.ID, repoKey(h), h.Push.Queue())
	return id, err
}
