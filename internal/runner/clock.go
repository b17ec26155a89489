package runner

import (
	"context"
	"sync"
	"time"
)

// jobClock ends a job's context at the job's limit.
type jobClock struct {
	began time.Time
	end   context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
}

// startClock limits ctx; 0 is no limit.
func startClock(ctx context.Context, limit time.Duration) (context.Context, *jobClock) {
	ctx, end := context.WithCancelCause(ctx)
	c := &jobClock{began: time.Now(), end: end}
	c.limit(limit)
	return ctx, c
}

// limit takes the place of the limit before; it counts from the job's beginning.
func (c *jobClock) limit(limit time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	if limit > 0 {
		c.timer = time.AfterFunc(limit-time.Since(c.began), func() { c.end(&limitError{limit, true}) })
	}
}

func (c *jobClock) stop() {
	c.limit(0)
	c.end(nil)
}
