package store

import (
	"context"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertRelease   = `INSERT INTO releases (version, doc, id, state, review, app, env) VALUES ($1 + 1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`
	updateRelease   = `UPDATE releases SET version = version + 1, doc = $2, state = $4, review = $5 WHERE id = $3 AND version = $1`
	selectRelease   = `SELECT doc, version FROM releases WHERE id = $1`
	notOverReleases = `SELECT doc, version FROM releases WHERE state IN ('proposed', 'rolling', 'paused') ORDER BY id`
	waitingReleases = `SELECT id FROM releases WHERE state = 'proposed' AND app = $1 AND env = $2 ORDER BY id`
)

func writeRelease(r *delivery.Release) (write, error) {
	review := 0
	if r.UnderReview() {
		review = 1
	}
	return aggregate{
		name: "release " + string(r.ID), insert: insertRelease, update: updateRelease, version: &r.Version, doc: r,
		cols:  []any{string(r.ID), string(r.State), review},
		fixed: []any{r.App, r.Env},
	}.write()
}

var scanRelease = scanVersioned(func(r *delivery.Release) *int64 { return &r.Version })

// Release loads a release, or NotFound.
func (s *Store) Release(ctx context.Context, id delivery.ReleaseID) (delivery.Release, error) {
	return mustOne(ctx, s.reader, "release "+string(id), scanRelease, selectRelease, string(id))
}

// WaitingReleases lists the proposed releases of a Target, oldest first.
func (s *Store) WaitingReleases(ctx context.Context, app, env string) ([]delivery.ReleaseID, error) {
	return list(ctx, s.reader, scanValue[delivery.ReleaseID], waitingReleases, app, env)
}

// OpenReleases lists the releases that are not over, oldest first.
func (s *Store) OpenReleases(ctx context.Context) ([]delivery.Release, error) {
	return list(ctx, s.reader, scanRelease, notOverReleases)
}

// ReleaseFilter chooses releases; an empty field chooses all.
type ReleaseFilter struct {
	App, Env string
	// Apps are those to choose from; nil is all.
	Apps  []string
	State delivery.ReleaseState
	// UnderReview chooses those that an emergency left to be looked at.
	UnderReview bool
	// Before continues a list after its last release.
	Before delivery.ReleaseID
	Limit  int
}

// Releases lists releases by id, which is by time, the newest first.
func (s *Store) Releases(ctx context.Context, f ReleaseFilter) ([]delivery.Release, error) {
	var w where
	w.equal("app", f.App)
	w.among("app", f.Apps)
	w.equal("env", f.Env)
	w.equal("state", string(f.State))
	w.below("id", string(f.Before))
	if f.UnderReview {
		w.and("review = 1")
	}
	return list(ctx, s.reader, scanRelease, w.query(`SELECT doc, version FROM releases`, `id DESC`, f.Limit), w.args...)
}
