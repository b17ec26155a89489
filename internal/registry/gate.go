package registry

import (
	"os"
	"sync"
	"syscall"
)

// gate is held by many who rely on what is there, or by one collection that removes
// something; also over processes, when several serve one directory.
type gate struct {
	within sync.RWMutex
	dir    *os.File // locked with flock(2), by this process as a whole

	mu    sync.Mutex
	users int
}

// enter keeps collections from removing anything until leave.
func (g *gate) enter() (leave func(), err error) {
	g.within.RLock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users == 0 {
		if err := g.lock(syscall.LOCK_SH); err != nil {
			g.within.RUnlock()
			return nil, err
		}
	}
	g.users++
	return g.leave, nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users--; g.users == 0 {
		_ = g.lock(syscall.LOCK_UN) // it cannot fail on an open file
	}
	g.within.RUnlock()
}

// alone runs do while nobody else is inside.
func (g *gate) alone(do func() error) error {
	g.within.Lock()
	defer g.within.Unlock()
	if err := g.lock(syscall.LOCK_EX); err != nil {
		return err
	}
	defer func() { _ = g.lock(syscall.LOCK_UN) }()
	return do()
}

func (g *gate) lock(how int) error {
	for {
		if err := syscall.Flock(int(g.dir.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
