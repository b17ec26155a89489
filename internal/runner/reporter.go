package runner

import (
	"context"
	"sync"
	"time"

	"github.com/shiplock/shiplock/internal/api"
)

// reporter sends numbered reports in order, one request at a time, and signs of
// life in between.
type reporter struct {
	client *client
	beat   time.Duration
	// cancel is called when the server asks for it, possibly often.
	cancel func()
	// added is sent to when there is something new to send, settled when the
	// server has it all; each has a buffer of one.
	added, settled chan struct{}

	mu    sync.Mutex
	list  []api.Report // all there were: a few per step
	first int64        // number of list[0]
	acked int64
}

func newReporter(c *client, a api.Assignment, cancel func()) *reporter {
	beat := time.Duration(a.Heartbeat) * time.Millisecond
	if beat <= 0 {
		beat = 10 * time.Second
	}
	return &reporter{
		client: c, beat: beat, cancel: cancel, first: a.Seq + 1, acked: a.Seq,
		added: make(chan struct{}, 1), settled: make(chan struct{}, 1),
	}
}

// add numbers reports that belong together.
func (r *reporter) add(reports ...api.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, report := range reports {
		report.Seq = r.first + int64(len(r.list))
		r.list = append(r.list, report)
	}
	select {
	case r.added <- struct{}{}:
	default:
	}
}

// pending are the reports that the server does not have yet.
func (r *reporter) pending() []api.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list[r.acked+1-r.first:]
}

// acknowledge takes the server's word for what it has.
func (r *reporter) acknowledge(seq int64) (progress bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.acked
	r.acked = min(max(seq, r.first-1), r.first+int64(len(r.list))-1)
	return r.acked > before
}

// run ends with ctx, or with an error that is final.
func (r *reporter) run(ctx context.Context) error {
	timer := time.NewTimer(r.beat)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.added:
		case <-timer.C:
		}
		if err := r.send(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		timer.Reset(r.beat)
	}
}

// send says at least once what is pending, and goes on until nothing is.
func (r *reporter) send(ctx context.Context) error {
	pause := firstPause
	for {
		progress := false
		var sent int
		err := retry(ctx, func(ctx context.Context) error {
			pending := r.pending()
			if sent = len(pending); sent == 0 {
				pending = []api.Report{}
			}
			ack, err := r.client.reports(ctx, pending)
			if err != nil {
				return err
			}
			progress = r.acknowledge(ack.Seq)
			if ack.Cancel {
				r.cancel()
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(r.pending()) == 0 {
			select {
			case r.settled <- struct{}{}:
			default:
			}
			return nil
		}
		if !progress && sent > 0 && !sleep(ctx, jitter(pause)) {
			return context.Cause(ctx)
		}
		pause = min(2*pause, longestPause)
	}
}
