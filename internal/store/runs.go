package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	insertRun = `INSERT INTO runs (version, doc, id, state, artifact, app, env, hook, number)
		SELECT $1 + 1, $2, $3, $4, $5, $6, $7, $8, COALESCE(MAX(number), 0) + 1 FROM runs WHERE app = $6
		ON CONFLICT (id) DO NOTHING RETURNING number`
	updateRun = `UPDATE runs SET version = version + 1, doc = $2, state = $4, artifact = $5
		WHERE id = $3 AND version = $1 RETURNING number`

	selectRun         = `SELECT doc, version, number FROM runs WHERE id = $1`
	selectRunByNumber = `SELECT doc, version, number FROM runs WHERE app = $1 AND number = $2`

	olderQueued = `SELECT id FROM runs
		WHERE state = 'queued' AND hook <> '' AND app = $1 AND env = $2 AND number < $3 ORDER BY number`
	newestPushed = `SELECT doc, version, number FROM runs
		WHERE hook <> '' AND app = $1 AND env = $2 ORDER BY number DESC LIMIT 1`
	latestArtifact = `SELECT doc, version, number FROM runs
		WHERE state = 'succeeded' AND artifact <> '' AND app = $1 AND env = $2 ORDER BY number DESC LIMIT 1`
)

// writeRun writes the run and what the admission sees of its jobs.
func writeRun(r *delivery.Run) (write, error) {
	var artifact string
	if r.Artifact != nil {
		artifact = string(r.Artifact.Digest)
	}
	a := aggregate{
		name: "run " + string(r.ID), insert: insertRun, update: updateRun, version: &r.Version, doc: r,
		cols:  []any{string(r.ID), string(r.State()), artifact},
		fixed: []any{r.App, r.Env, r.Hook},
	}
	query, args, err := a.statement()
	loaded, jobs := r.Version, jobRows(*r)
	var number int // assigned by the database
	return write{
		apply: func(tx *tx) error {
			err := tx.row(query, args...).Scan(&number)
			if errors.Is(err, sql.ErrNoRows) {
				return conflict(a.name)
			}
			if err != nil {
				return err
			}
			return writeJobs(tx, jobs)
		},
		committed: func() { r.Version, r.Number = loaded+1, number },
	}, err
}

func scanRun(row scanner) (r delivery.Run, err error) {
	var doc []byte
	var version int64
	var number int
	if err = row.Scan(&doc, &version, &number); err == nil {
		err = decode(doc, &r)
	}
	r.Version, r.Number = version, number
	return r, err
}

// Run loads a run, or NotFound.
func (s *Store) Run(ctx context.Context, id delivery.RunID) (delivery.Run, error) {
	return mustOne(ctx, s.reader, "run "+string(id), scanRun, selectRun, string(id))
}

// RunByNumber loads an app's run, or NotFound.
func (s *Store) RunByNumber(ctx context.Context, app string, number int) (delivery.Run, error) {
	return mustOne(ctx, s.reader, fmt.Sprintf("run %s#%d", app, number), scanRun, selectRunByNumber, app, number)
}

// OlderQueued lists the queued runs of the same app and environment with a lower
// number that a push asked for.
func (s *Store) OlderQueued(ctx context.Context, r delivery.Run) ([]delivery.RunID, error) {
	return list(ctx, s.reader, scanValue[delivery.RunID], olderQueued, r.App, r.Env, r.Number)
}

// NewestPushed returns the newest run of an app for an environment that a push asked
// for, or NotFound.
func (s *Store) NewestPushed(ctx context.Context, app, env string) (delivery.Run, error) {
	return mustOne(ctx, s.reader, "pushed run of "+app+" for "+env, scanRun, newestPushed, app, env)
}

// LatestArtifact returns what the app's newest successful run for an environment
// made, or NotFound. Unlike Artifact, it names that very run even when an earlier
// one made the same.
func (s *Store) LatestArtifact(ctx context.Context, app, env string) (delivery.Artifact, error) {
	r, err := mustOne(ctx, s.reader, "successful run of "+app+" for "+env, scanRun, latestArtifact, app, env)
	if err != nil {
		return delivery.Artifact{}, err
	}
	return *r.Artifact, nil
}

// RunFilter chooses runs; an empty field chooses all.
type RunFilter struct {
	App, Env string
	// Apps are those to choose from; nil is all.
	Apps  []string
	State delivery.RunState
	Hook  string
	// Before continues a list after its last run.
	Before delivery.RunID
	Limit  int
}

// Runs lists runs by id, which is by time, the newest first.
func (s *Store) Runs(ctx context.Context, f RunFilter) ([]delivery.Run, error) {
	var w where
	w.equal("app", f.App)
	w.among("app", f.Apps)
	w.equal("env", f.Env)
	w.equal("hook", f.Hook)
	w.equal("state", string(f.State))
	if f.State != "" && !f.State.Terminal() {
		w.and("id IN (SELECT run FROM jobs)") // few of many
	}
	w.below("id", string(f.Before))
	return list(ctx, s.reader, scanRun, w.query(`SELECT doc, version, number FROM runs`, `id DESC`, f.Limit), w.args...)
}
