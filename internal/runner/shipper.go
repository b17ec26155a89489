package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// pace is the shortest time between the starts of two batches that are not full,
// so that a chatty step makes few requests. A line after silence goes at once.
const pace = 12 * time.Millisecond

// shipper sends the spool's lines, one batch at a time.
type shipper struct {
	client *client
	spool  *spool
	logger *slog.Logger
	// drained is sent to when the server has every line; it has a buffer of one.
	drained chan struct{}
	// hurry is closed when nothing more will come.
	hurry chan struct{}
}

// run ends with ctx, with errGone, or with an error of the spool.
func (s *shipper) run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		b, ok, err := s.spool.take()
		if err != nil {
			return err
		}
		if !ok {
			s.wait(ctx)
			continue
		}
		started := time.Now()
		progress, err := s.send(ctx, b)
		switch {
		case err != nil:
			return err
		case !progress: // the server took nothing: no sense in a storm
			sleep(ctx, jitter(pause))
			pause = min(2*pause, longestPause)
			continue
		}
		pause = firstPause
		if !b.full {
			s.rest(ctx, pace-time.Since(started))
		}
	}
	return nil
}

func (s *shipper) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.spool.added:
	}
}

func (s *shipper) rest(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.hurry:
	case <-ctx.Done():
	}
}

func (s *shipper) send(ctx context.Context, b batch) (progress bool, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		ack, err := s.client.log(ctx, b.body)
		if err == nil {
			progress, err = s.spool.acknowledge(b, ack)
		}
		return err
	})
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		s.logger.Warn("log lines refused", "line", b.first, "lines", b.lines, "err", err)
		s.spool.refuse(b, err.Error())
		progress = true
	case ctx.Err() != nil:
		return false, nil
	case err != nil:
		return false, err
	}
	if s.spool.drained() {
		select {
		case s.drained <- struct{}{}:
		default:
		}
	}
	return progress, nil
}
