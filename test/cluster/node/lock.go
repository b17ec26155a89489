package node

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// lock keeps others from starting and stopping the cluster at the same time. What is
// locked is its directory, which may be gone and made anew while this one waits.
func lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		unlock, err := tryLock()
		if unlock != nil || err != nil {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another command starts or stops the cluster since minutes: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func tryLock() (unlock func(), err error) {
	if err := os.MkdirAll(layout.Dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.Open(layout.Dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		dir.Close()
		return nil, nil
	}
	locked, err := dir.Stat()
	now, gone := os.Stat(layout.Dir)
	if err != nil || gone != nil || !os.SameFile(locked, now) {
		dir.Close()
		return nil, err
	}
	return func() { dir.Close() }, nil
}
