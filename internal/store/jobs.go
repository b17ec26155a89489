package store

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	upsertJob = `INSERT INTO jobs (run, job, state, lane, team, since, ready_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (run, job) DO UPDATE SET state = excluded.state, since = excluded.since, ready_at = excluded.ready_at
		WHERE jobs.state <> excluded.state OR jobs.since <> excluded.since OR jobs.ready_at <> excluded.ready_at`
	deleteJob = `DELETE FROM jobs WHERE run = $1 AND job = $2`

	activeJobs = `SELECT run, job, team, lane, since FROM jobs WHERE state <> 'queued' ORDER BY run, job`
	// waitingJobs reads the heads of the first lane and team after ($1, $2) in which
	// a job may start.
	waitingJobs = `SELECT run, job, team, lane, since FROM jobs
		WHERE state = 'queued' AND ready_at <= $3 AND (lane, team) = (
			SELECT lane, team FROM jobs WHERE state = 'queued' AND ready_at <= $3 AND (lane, team) > ($1, $2)
			ORDER BY lane, team LIMIT 1)
		ORDER BY since, run, job LIMIT $4`
	laneUse = `SELECT lane, SUM(CASE WHEN state = 'queued' THEN 0 ELSE 1 END), SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END)
		FROM jobs GROUP BY lane ORDER BY lane DESC`
	queuePosition = `SELECT
		(SELECT COUNT(*) FROM jobs q WHERE q.state = 'queued'
			AND (q.lane > j.lane OR q.lane = j.lane AND (q.since, q.run) <= (j.since, j.run))),
		(SELECT COUNT(*) FROM jobs WHERE state = 'queued')
		FROM jobs j WHERE j.run = $1 AND j.state = 'queued' ORDER BY j.job LIMIT 1`
)

// jobRow is what the admission sees of a job. An empty state means that it has
// ended and is not seen any more.
type jobRow struct {
	slot    delivery.Slot
	state   delivery.JobState
	readyAt time.Time
}

func jobRows(r delivery.Run) []jobRow {
	over := r.State().Terminal()
	rows := make([]jobRow, len(r.Jobs))
	for i, j := range r.Jobs {
		rows[i].slot = delivery.Slot{Run: r.ID, Job: j.Name, Team: r.Team, Lane: r.Lane, Since: r.CreatedAt}
		switch {
		case over || j.State.Terminal():
			continue
		case j.State.Active():
			rows[i].slot.Since = j.AdmittedAt
		default: // a retry keeps its place: it is no fault of the user's
			rows[i].readyAt = j.RetryAt
		}
		rows[i].state = j.State
	}
	return rows
}

func writeJobs(tx *tx, rows []jobRow) error {
	for _, r := range rows {
		var err error
		if s := r.slot; r.state == "" {
			_, err = tx.exec(deleteJob, string(s.Run), s.Job)
		} else {
			_, err = tx.exec(upsertJob, string(s.Run), s.Job, string(r.state), s.Lane, s.Team, millis(s.Since), millis(r.readyAt))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func scanSlot(row scanner) (s delivery.Slot, err error) {
	var since int64
	err = row.Scan(&s.Run, &s.Job, &s.Team, &s.Lane, &since)
	s.Since = fromMillis(since)
	return s, err
}

// Slots lists active jobs and, per lane and team, the limit oldest queued jobs
// that may start at now. Since is when an active job was admitted and when the run
// of a queued one was made. A job that is admitted during the call may be in
// neither list: the version of the Admission tells.
func (s *Store) Slots(ctx context.Context, now time.Time, limit int) (active, waiting []delivery.Slot, err error) {
	active, err = list(ctx, s.reader, scanSlot, activeJobs)
	lane, team := int64(-1<<63), ""
	for err == nil {
		var heads []delivery.Slot
		heads, err = list(ctx, s.reader, scanSlot, waitingJobs, lane, team, millis(now), limit)
		if len(heads) == 0 {
			break
		}
		waiting = append(waiting, heads...)
		lane, team = int64(heads[0].Lane), heads[0].Team
	}
	return active, waiting, err
}

// Lanes counts the open jobs of each lane that has any, the highest lane first.
func (s *Store) Lanes(ctx context.Context) ([]delivery.LaneUse, error) {
	return list(ctx, s.reader, func(row scanner) (u delivery.LaneUse, err error) {
		err = row.Scan(&u.Lane, &u.Taken, &u.Waiting)
		return u, err
	}, laneUse)
}

// QueuePosition returns a run's place (from 1) among all queued jobs by lane and
// age. The fair share between teams may let it start sooner or later than that.
// Both are 0 when none of its jobs is queued.
func (s *Store) QueuePosition(ctx context.Context, id delivery.RunID) (position, total int, err error) {
	p, _, err := one(ctx, s.reader, func(row scanner) (p [2]int, err error) {
		err = row.Scan(&p[0], &p[1])
		return p, err
	}, queuePosition, string(id))
	return p[0], p[1], err
}
