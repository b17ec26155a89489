package kubernetes

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// follow hands on lines as they come, of pods that come as well, until ctx ends.
func (r *logReader) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var owned sync.WaitGroup
	defer owned.Wait()
	defer cancel()
	lines, ended := make(chan delivery.AppLine), make(chan source)
	running := map[source]bool{}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		for _, s := range r.d.sources(r.app, false) {
			if last, seen := r.last[s]; !running[s] && len(running) < maxSources && (!seen || !r.d.over(s)) {
				running[s] = true
				r.last[s] = last
				owned.Go(func() { r.tail(ctx, s, last, lines, ended) })
			}
		}
		if err := r.relay(ctx, lines, ended, running, look.C); err != nil {
			return err
		}
	}
}

// relay hands on lines until it is time to look for pods again.
func (r *logReader) relay(ctx context.Context, lines <-chan delivery.AppLine, ended <-chan source, running map[source]bool, look <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case l := <-lines:
			if err := r.hand(l); err != nil {
				return err
			}
		case s := <-ended:
			delete(running, s)
			if _, there := r.d.watches.pods.Get(r.d.Place.Namespace, s.pod); !there {
				delete(r.last, s)
			}
		case <-look:
			return nil
		}
	}
}

// tail reads one log until its pod is gone or done: each time that its container has
// ended, or the connection, it is opened again.
func (r *logReader) tail(ctx context.Context, s source, after time.Time, lines chan<- delivery.AppLine, ended chan<- source) {
	for {
		over := r.d.over(s) // before it is read, so that nothing is said after the last read
		after = r.read(ctx, s, after, lines)
		if over {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
	select {
	case ended <- s:
	case <-ctx.Done():
	}
}

// read passes on one log to its end, and returns the time of its last line.
func (r *logReader) read(ctx context.Context, s source, after time.Time, lines chan<- delivery.AppLine) time.Time {
	q := r.query(s)
	q.Since, q.Lines = after, 0
	log, err := r.d.Cluster.FollowLog(ctx, q)
	if err != nil {
		return after // it has not begun, or is gone, or is tried again
	}
	defer func() { _ = log.Close() }() // it was only read
	in := newLineReader(s, log, after)
	for {
		l, err := in.next()
		if err != nil {
			return in.last
		}
		select {
		case lines <- l:
		case <-ctx.Done():
			return in.last
		}
	}
}

// over tells whether nothing more is to come of a container.
func (d *Deployer) over(s source) bool {
	p, ok := d.watches.pods.Get(d.Place.Namespace, s.pod)
	return !ok || p.UID != s.uid || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}
