package store

import "context"

const counts = `SELECT
	(SELECT COUNT(*) FROM hooks WHERE state = 'received'),
	(SELECT COUNT(*) FROM jobs WHERE state = 'queued'),
	(SELECT COUNT(*) FROM jobs WHERE state <> 'queued'),
	(SELECT COUNT(*) FROM releases WHERE state = 'proposed'),
	(SELECT COUNT(*) FROM wakes WHERE owner = ''),
	(SELECT COUNT(*) FROM wakes WHERE owner <> ''),
	(SELECT COUNT(*) FROM replicas)`

// Counts is what there is to do, for a status page.
type Counts struct {
	HooksReceived    int
	JobsQueued       int
	JobsActive       int
	ReleasesProposed int
	WakesWaiting     int
	WakesClaimed     int
	Replicas         int
}

// Counts counts what there is to do; it looks at open work only.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	return mustOne(ctx, s.reader, "counts", func(row scanner) (c Counts, err error) {
		err = row.Scan(&c.HooksReceived, &c.JobsQueued, &c.JobsActive, &c.ReleasesProposed, &c.WakesWaiting, &c.WakesClaimed, &c.Replicas)
		return c, err
	}, counts)
}
