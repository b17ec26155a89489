package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertArtifact = `INSERT INTO artifacts (doc, app, digest, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (app, digest) DO NOTHING`
	selectArtifact = `SELECT doc FROM artifacts WHERE app = $1 AND digest = $2`
	listArtifacts  = `SELECT doc FROM artifacts WHERE app = $1 ORDER BY created_at DESC LIMIT $2`
)

func writeArtifact(a delivery.Artifact) (write, error) {
	return appendOnly(a, insertArtifact, a.App, string(a.Digest), millis(a.CreatedAt))
}

// Artifact finds an artifact of an app by digest, or NotFound.
func (s *Store) Artifact(ctx context.Context, app string, digest delivery.Digest) (delivery.Artifact, error) {
	what := "artifact " + string(digest) + " of " + app
	return mustOne(ctx, s.reader, what, scanDoc[delivery.Artifact], selectArtifact, app, string(digest))
}

// Artifacts lists an app's artifacts, the newest first.
func (s *Store) Artifacts(ctx context.Context, app string, limit int) ([]delivery.Artifact, error) {
	return list(ctx, s.reader, scanDoc[delivery.Artifact], listArtifacts, app, limit)
}
