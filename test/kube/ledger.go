//go:build e2e

package kube

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Ledger notes the number that an annotation of Deployments and Services has over time,
// and when it falls.
type Ledger struct {
	annotation string
	mu         sync.Mutex
	last       map[string]int64 // by kind, name and UID
	seen       int
	fell       []string
}

// Note watches the namespace's Deployments and Services until the test ends.
func (n *Namespace) Note(t testing.TB, annotation string) *Ledger {
	t.Helper()
	l := &Ledger{annotation: annotation, last: map[string]int64{}}
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	for resource, group := range map[string]schema.GroupVersion{"deployments": apps.SchemeGroupVersion, "services": core.SchemeGroupVersion} {
		client, err := n.api.group(group)
		if err != nil {
			cancel()
			t.Fatal(err)
		}
		looking.Go(func() {
			for ctx.Err() == nil { // the server ends a watch now and then
				w, err := client.Get().Namespace(n.Name).Resource(resource).VersionedParams(n.api.options(&meta.ListOptions{Watch: true})).Watch(ctx)
				if err != nil {
					continue
				}
				for e := range w.ResultChan() {
					l.note(resource, e)
				}
				w.Stop()
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		looking.Wait()
	})
	return l
}

func (l *Ledger) note(resource string, e watch.Event) {
	o, ok := e.Object.(meta.Object)
	if !ok || e.Type == watch.Deleted {
		return
	}
	n, err := strconv.ParseInt(o.GetAnnotations()[l.annotation], 10, 64)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := fmt.Sprintf("%s/%s (%s)", resource, o.GetName(), o.GetUID())
	if before := l.last[id]; n < before {
		l.fell = append(l.fell, fmt.Sprintf("%s from %d to %d", id, before, n))
	}
	l.last[id] = max(l.last[id], n)
	l.seen++
}

// WantNoFall fails the test when a number fell, or none was seen.
func (l *Ledger) WantNoFall(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fall := range l.fell {
		t.Errorf("%s fell: %s", l.annotation, fall)
	}
	if l.seen == 0 {
		t.Errorf("no %s was seen", l.annotation)
	}
}
