package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertTarget = `INSERT INTO targets (version, doc, app, env) VALUES ($1 + 1, $2, $3, $4) ON CONFLICT (app, env) DO NOTHING`
	updateTarget = `UPDATE targets SET version = version + 1, doc = $2 WHERE app = $3 AND env = $4 AND version = $1`
	selectTarget = `SELECT doc, version FROM targets WHERE app = $1 AND env = $2`
	listTargets  = `SELECT doc, version FROM targets ORDER BY app, env`
)

func writeTarget(t *delivery.Target) (write, error) {
	return aggregate{
		name: "target " + t.Key(), insert: insertTarget, update: updateTarget, version: &t.Version, doc: t,
		cols: []any{t.App, t.Env},
	}.write()
}

var scanTarget = scanVersioned(func(t *delivery.Target) *int64 { return &t.Version })

// Target loads a target. When there is none yet, it returns one of version 0 that
// holds its app and environment only.
func (s *Store) Target(ctx context.Context, app, env string) (delivery.Target, error) {
	t, ok, err := one(ctx, s.reader, scanTarget, selectTarget, app, env)
	if !ok {
		t = delivery.Target{App: app, Env: env}
	}
	return t, err
}

// Targets lists all targets by app and environment.
func (s *Store) Targets(ctx context.Context) ([]delivery.Target, error) {
	return list(ctx, s.reader, scanTarget, listTargets)
}
