package runner

import (
	"os"
	"syscall"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// sampleEvery is how often memory is measured at most.
const sampleEvery = 100 * time.Millisecond

// usage sums up what a tree of processes used. Processor time is exact: every
// process ends as a child of ours or of one that waited for it; one that outlives its
// parents while several steps run may count for another of them. Memory is the
// larger of two views: the largest single process, by the kernel's account,
// which for a short step includes what the runner itself had when it forked; and
// the largest sum seen over the tree, which counts shared pages repeatedly.
type usage struct {
	cpu  time.Duration
	peak int64 // bytes
}

func (u *usage) add(r *syscall.Rusage) {
	u.cpu += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	u.peak = max(u.peak, r.Maxrss<<10)
}

func (u *usage) sum() delivery.Usage {
	return delivery.Usage{PeakMemory: u.peak, CPU: delivery.Duration(u.cpu.Round(time.Millisecond))}
}

// sample measures memory, and reaps orphans that have ended, until the first
// process is done. It takes 2 % of a processor at most, however many processes
// the machine has.
func (p *process) sample() {
	timer := time.NewTimer(sampleEvery)
	defer timer.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-timer.C:
		}
		began := time.Now()
		p.look()
		timer.Reset(max(sampleEvery, 50*time.Since(began)))
	}
}

func (p *process) look() {
	list, err := processes()
	if err != nil {
		return // the kernel's account remains
	}
	self, sum := os.Getpid(), int64(0)
	top := self
	if p.house.others(p.pid) {
		top = p.pid
	}
	for _, x := range descendants(list, top) {
		sum += x.rss
	}
	for _, x := range list {
		switch {
		case x.pid == p.pid && top != self:
			sum += x.rss
		case x.state == 'Z' && x.parent == self:
			if used, ok := p.house.adopt(x.pid); ok {
				p.used.add(&used)
			}
		}
	}
	p.used.peak = max(p.used.peak, sum)
}
