package kubernetes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
)

// podChanged is called by the watch.
func (e *Executor) podChanged(before, now *corev1.Pod) {
	if now != nil {
		e.mu.Lock()
		delete(e.made, now.Name)
		e.mu.Unlock()
		e.bells.ring(now.Name)
		return
	}
	status := pods.Attempt(before, nil, e.Now())
	e.mu.Lock()
	delete(e.made, before.Name)
	cause := status.Cause
	if status.Phase != delivery.AttemptOver {
		deleted := delivery.Because("attempt.deleted", nil)
		cause = &deleted
	}
	e.gone[before.Name] = ending{cause: cause, at: e.Now()}
	e.mu.Unlock()
	e.bells.ring(before.Name)
	e.ringWaiting() // it has left some room
}

// warned is called by the watch.
func (e *Executor) warned(_, now *corev1.Event) {
	if now != nil {
		if _, ok := e.pods.Get(e.Namespace, now.InvolvedObject.Name); ok {
			e.bells.ring(now.InvolvedObject.Name)
		}
	}
}

// changed looks at an attempt that something happened to: it tells if that means
// something, and removes the pod if nobody counts on it any more.
func (e *Executor) changed(ctx context.Context, key string) {
	status, known := e.seen(key)
	e.mu.Lock()
	last, toldBefore := e.told[key]
	news := !known || !toldBefore || last.Phase != status.Phase || !last.Cause.Same(status.Cause)
	if known {
		e.told[key] = status
	}
	e.mu.Unlock()
	if news {
		e.OnChange(key)
	}
	if status.Phase == delivery.AttemptOver {
		e.leaving.ring(key)
	}
}

// closingTime is how long a kubelet may take from the end of a build to that of its pod.
const closingTime = 30 * time.Second

// closing tells whether a pod is about to end by itself: its build has. Removed before, it
// would cost a second removal, by the kubelet, and an event.
func closing(p *corev1.Pod, now time.Time) bool {
	end := pods.EndOfBuild(p)
	return !terminal(p) && !end.IsZero() && now.Sub(end) < closingTime
}

// removeIdle removes a pod that the server does not count on.
func (e *Executor) removeIdle(ctx context.Context, key string) {
	p, ok := e.pods.Get(e.Namespace, key)
	if !ok || p.DeletionTimestamp != nil || closing(p, e.Now()) {
		return
	}
	active, err := e.Active(ctx, key)
	if err == nil && !active {
		err = e.remove(ctx, p)
	}
	if err != nil && ctx.Err() == nil {
		e.Logger.Warn("pod of an ended attempt stays for now", "attempt", key, "err", err)
	}
}

// remembered is how long the end of an attempt is known after its pod.
const remembered = time.Hour

// sweep looks at every pod: for what changes by time alone, and for those that nobody
// counts on, which a crash may have left.
func (e *Executor) sweep(ctx context.Context) {
	now := e.Now()
	for _, p := range e.pods.All() {
		e.bells.ring(p.Name)
		if now.Sub(p.CreationTimestamp.Time) > sweepEvery { // its server knows it by now
			e.leaving.ring(p.Name)
		}
	}
	e.ringWaiting() // others than we may have left room
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, end := range e.gone {
		if now.Sub(end.at) > remembered {
			delete(e.gone, key)
			delete(e.told, key)
		}
	}
}
