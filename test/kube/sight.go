//go:build e2e

package kube

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Sight is what a watch has shown of the pods of a namespace, and when.
type Sight struct {
	mu      sync.Mutex
	pods    map[string]Seen
	changed chan struct{} // closed and made anew with every change
	failed  error
}

// Seen is a pod as it was last seen, and when it was first seen to be there, to have
// ended and to be gone.
type Seen struct {
	*core.Pod
	There, Ended, Gone time.Time
}

// Look watches the namespace's pods until the test ends.
func (n *Namespace) Look(t testing.TB) *Sight {
	t.Helper()
	client, err := n.api.core()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	open := func() (watch.Interface, error) {
		return client.Get().Namespace(n.Name).Resource("pods").VersionedParams(n.api.options(&meta.ListOptions{Watch: true})).Watch(ctx)
	}
	w, err := open()
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s := &Sight{pods: map[string]Seen{}, changed: make(chan struct{})}
	var looking sync.WaitGroup
	looking.Go(func() {
		for err == nil && ctx.Err() == nil { // the server ends a watch now and then
			for e := range w.ResultChan() {
				s.note(e, time.Now())
			}
			w.Stop()
			w, err = open()
		}
		s.blind(err)
	})
	t.Cleanup(func() {
		cancel()
		looking.Wait()
	})
	return s
}

func (s *Sight) note(e watch.Event, now time.Time) {
	p, ok := e.Object.(*core.Pod)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.pods[p.Name]
	if seen.Pod = p; seen.There.IsZero() {
		seen.There = now
	}
	if seen.Ended.IsZero() && Ended(p) {
		seen.Ended = now
	}
	if e.Type == watch.Deleted {
		seen.Gone = now
	}
	s.pods[p.Name] = seen
	s.tell()
}

// blind says that nothing more will be seen.
func (s *Sight) blind(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	s.tell()
}

func (s *Sight) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Pods are all that were ever seen, by name.
func (s *Sight) Pods() map[string]Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pods)
}

// Await waits until what was seen is as asked for, and returns it.
func (s *Sight) Await(t testing.TB, what string, as func(map[string]Seen) bool) map[string]Seen {
	t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		pods, changed, failed := maps.Clone(s.pods), s.changed, s.failed
		s.mu.Unlock()
		if as(pods) {
			return pods
		}
		if failed != nil {
			t.Fatalf("%s: the watch has ended: %v", what, failed)
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
