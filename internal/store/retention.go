package store

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	pastApps = `SELECT app FROM runs UNION SELECT app FROM releases UNION SELECT app FROM artifacts ORDER BY app`

	pastRuns      = `SELECT id, number, env, state, artifact, hook <> '' FROM runs WHERE app = $1`
	pastReleases  = `SELECT id, env, state, review FROM releases WHERE app = $1`
	pastArtifacts = `SELECT digest, created_at FROM artifacts WHERE app = $1`
	appTargets    = `SELECT doc, version FROM targets WHERE app = $1`
	openReleases  = `SELECT doc, version FROM releases WHERE app = $1 AND state IN ('proposed', 'rolling', 'paused')`

	// What is still to be worked on stays: its wake would find nothing.
	forgetRun = `DELETE FROM runs WHERE id = $1 AND state NOT IN ('queued', 'running')
		AND NOT EXISTS (SELECT 1 FROM wakes WHERE kind = 'run' AND wakes.id = $1 OR kind = 'notification' AND wakes.id = $2)`
	// holdPast has others wait who would name what is about to go; in the order in
	// which a change writes. With one writer there is nobody.
	holdPast = `LOCK TABLE runs, targets, releases, artifacts IN SHARE ROW EXCLUSIVE MODE`

	forgetNotification = `DELETE FROM notifications WHERE id = $1`
	forgetRelease      = `DELETE FROM releases WHERE id = $1 AND state NOT IN ('proposed', 'rolling', 'paused') AND review = 0
		AND NOT EXISTS (SELECT 1 FROM wakes WHERE kind = 'release' AND wakes.id = $1)`
	forgetHistory = `DELETE FROM history WHERE kind = $1 AND id = $2`
	// A digest is 64 hexadecimal digits: a document that holds it names it.
	forgetArtifact = `DELETE FROM artifacts WHERE app = $1 AND digest = $2
		AND NOT EXISTS (SELECT 1 FROM runs WHERE app = $1 AND artifact = $2)
		AND NOT EXISTS (SELECT 1 FROM targets WHERE app = $1 AND doc LIKE '%' || $2 || '%')
		AND NOT EXISTS (SELECT 1 FROM releases WHERE app = $1 AND state IN ('proposed', 'rolling', 'paused') AND doc LIKE '%' || $2 || '%')`

	// namesDigest asks last for any app: repositories and apps need not be named alike.
	namesDigest = `SELECT EXISTS (SELECT 1 FROM artifacts WHERE app = $1 AND digest = $2)
		OR EXISTS (SELECT 1 FROM artifacts WHERE digest = $2)
		OR EXISTS (SELECT 1 FROM targets WHERE doc LIKE '%' || $2 || '%')
		OR EXISTS (SELECT 1 FROM releases WHERE state IN ('proposed', 'rolling', 'paused') AND doc LIKE '%' || $2 || '%')`

	oldestHooks = `SELECT doc, seq FROM hooks WHERE seq > $1 ORDER BY seq LIMIT $2`
	forgetHook  = `DELETE FROM hooks WHERE id = $1 AND state <> 'received'
		AND NOT EXISTS (SELECT 1 FROM runs WHERE hook = $1)
		AND EXISTS (SELECT 1 FROM hooks later WHERE later.repo = hooks.repo AND later.seq > hooks.seq)
		AND NOT EXISTS (SELECT 1 FROM wakes WHERE kind = 'hook' AND wakes.id = $1)`
	forgetFacts = `DELETE FROM history WHERE kind = 'target' AND id = $1 AND version IN (
		SELECT version FROM history WHERE kind = 'target' AND id = $1 AND version < $2 ORDER BY version LIMIT $3)`
)

// PastApps names the apps that something of the past is kept of.
func (s *Store) PastApps(ctx context.Context) ([]string, error) {
	return list(ctx, s.reader, scanValue[string], pastApps)
}

// Past tells what retention must know of an app. It is not of one moment: Forget
// asks again for what must not go.
func (s *Store) Past(ctx context.Context, app string) (p delivery.Past, err error) {
	p.App = app
	p.Runs, err = list(ctx, s.reader, scanPastRun, pastRuns, app)
	if err == nil {
		p.Releases, err = list(ctx, s.reader, scanPastRelease, pastReleases, app)
	}
	if err == nil {
		p.Artifacts, err = list(ctx, s.reader, scanPastArtifact, pastArtifacts, app)
	}
	if err == nil {
		p.Targets, err = list(ctx, s.reader, scanTarget, appTargets, app)
	}
	if err == nil {
		p.Open, err = list(ctx, s.reader, scanRelease, openReleases, app)
	}
	return p, err
}

func scanPastRun(row scanner) (r delivery.PastRun, err error) {
	err = row.Scan(&r.ID, &r.Number, &r.Env, &r.State, &r.Artifact, &r.Pushed)
	return r, err
}

func scanPastRelease(row scanner) (r delivery.PastRelease, err error) {
	var review int
	err = row.Scan(&r.ID, &r.Env, &r.State, &review)
	r.UnderReview = review == 1
	return r, err
}

func scanPastArtifact(row scanner) (a delivery.PastArtifact, err error) {
	var at int64
	err = row.Scan(&a.Digest, &at)
	a.CreatedAt = fromMillis(at)
	return a, err
}

// Forget removes what verdicts let go of an app, in one transaction, but for what is
// needed again meanwhile. It is durable: bytes that only they referred to may go
// afterwards. It returns how many things went.
func (s *Store) Forget(ctx context.Context, app string, verdicts []delivery.Verdict) (gone int, err error) {
	err = s.write(ctx, durable, func(tx *tx) error {
		gone = 0
		if _, err := tx.exec(holdPast); err != nil {
			return err
		}
		for _, v := range verdicts {
			n, err := forget(tx, app, v)
			if err != nil {
				return err
			}
			gone += int(n)
		}
		return nil
	})
	return gone, err
}

func forget(tx *tx, app string, v delivery.Verdict) (n int64, err error) {
	if !v.Go {
		return 0, nil
	}
	switch v.Kind {
	case delivery.KeptArtifact:
		return tx.exec(forgetArtifact, app, v.ID)
	case delivery.KeptRelease:
		if n, err = tx.exec(forgetRelease, v.ID); n > 0 && err == nil {
			_, err = tx.exec(forgetHistory, string(delivery.KindRelease), v.ID)
		}
		if n > 0 && err == nil {
			_, err = tx.exec(forgetMessages, v.ID)
		}
	case delivery.KeptRun:
		status := delivery.StatusID(delivery.RunID(v.ID))
		if n, err = tx.exec(forgetRun, v.ID, status); n > 0 && err == nil {
			_, err = tx.exec(forgetHistory, string(delivery.KindRun), v.ID)
		}
		if n > 0 && err == nil {
			_, err = tx.exec(forgetNotification, status)
		}
		if n > 0 && err == nil {
			_, err = tx.exec(forgetMessages, v.ID)
		}
	}
	return n, err
}

// NamesDigest tells whether an artifact, a Target or an open release names a digest,
// probably one of the app.
func (s *Store) NamesDigest(ctx context.Context, app string, d delivery.Digest) (bool, error) {
	return mustOne(ctx, s.reader, "answer", scanValue[bool], namesDigest, app, string(d))
}

// oldHook is a hook and its place in the order of arrival.
type oldHook struct {
	delivery.Hook
	seq int64
}

func scanOldHook(row scanner) (h oldHook, err error) {
	var doc []byte
	if err = row.Scan(&doc, &h.seq); err == nil {
		err = decode(doc, &h.Hook)
	}
	return h, err
}

// ForgetHooks looks at the limit oldest hooks after one, and removes those that came
// before a time and that nothing needs. next is where to go on, 0 at the end.
func (s *Store) ForgetHooks(ctx context.Context, after int64, before time.Time, limit int) (gone int, next int64, err error) {
	hooks, err := list(ctx, s.reader, scanOldHook, oldestHooks, after, limit)
	if err != nil || len(hooks) == 0 {
		return 0, 0, err
	}
	next = hooks[len(hooks)-1].seq
	for i, h := range hooks {
		if !h.ReceivedAt.Before(before) { // they came in order
			hooks, next = hooks[:i], 0
			break
		}
	}
	err = s.write(ctx, relaxed, func(tx *tx) error {
		gone = 0
		for _, h := range hooks {
			n, err := tx.exec(forgetHook, h.ID)
			if n > 0 && err == nil {
				_, err = tx.exec(forgetHistory, string(delivery.KindHook), h.ID)
			}
			if err != nil {
				return err
			}
			gone += int(n)
		}
		return nil
	})
	return gone, next, err
}

// ForgetTokens removes the tokens and sessions that expired before a time.
func (s *Store) ForgetTokens(ctx context.Context, before time.Time) error {
	return s.write(ctx, relaxed, func(tx *tx) error {
		_, err := tx.exec(expiredTokens, millis(before))
		return err
	})
}

// ForgetFacts removes the limit oldest facts of a target below a version.
func (s *Store) ForgetFacts(ctx context.Context, target string, below int64, limit int) (gone int, err error) {
	err = s.write(ctx, relaxed, func(tx *tx) error {
		n, err := tx.exec(forgetFacts, target, below, limit)
		gone = int(n)
		return err
	})
	return gone, err
}
