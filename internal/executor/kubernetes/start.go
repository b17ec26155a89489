package kubernetes

import (
	"context"
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose/pods"
	"github.com/shiplock/shiplock/internal/kube"
)

// Start makes the attempt's pod unless it was made before.
func (e *Executor) Start(ctx context.Context, spec delivery.AttemptSpec) (delivery.AttemptStatus, error) {
	if _, _, _, _, err := delivery.ParseAttemptKey(spec.Key); err != nil {
		return delivery.AttemptStatus{}, err
	}
	if s, ok := e.seen(spec.Key); ok {
		return s, nil
	}
	if away := e.away(); away != nil {
		return e.awaits(spec.Key, away), nil
	}
	image, status := e.images.get(spec)
	if image == "" {
		return status, nil
	}
	if err := e.prerequisites(ctx, spec.Caches); err != nil {
		return e.refusal(spec.Key, err)
	}
	p := e.pod(spec, image)
	err := e.Cluster.Create(ctx, "pods", p)
	if delivery.KindOf(err) == delivery.Conflict {
		return e.Observe(ctx, spec.Key)
	}
	if err != nil {
		return e.refusal(spec.Key, err)
	}
	e.mu.Lock()
	delete(e.waits, spec.Key)
	if _, ok := e.pods.Get(e.Namespace, spec.Key); !ok {
		e.made[spec.Key] = p
	}
	e.mu.Unlock()
	e.Logger.Info("attempt started", "attempt", spec.Key)
	return pods.Attempt(p, nil, e.Now()), nil
}

// refusal is the status of an attempt whose pod cannot be made: it waits for room, or
// is over, or is to be tried again when the cluster answers.
func (e *Executor) refusal(key string, err error) (delivery.AttemptStatus, error) {
	var said *delivery.Error
	errors.As(err, &said)
	switch {
	case errors.Is(err, kube.ErrQuota):
		cause := delivery.Because(delivery.AttemptQuota, delivery.Args{"namespace": e.Namespace, "message": quotaWords(said.Msg)})
		return e.awaits(key, &cause), nil
	case said != nil && (said.Kind == delivery.Denied || said.Kind == delivery.Invalid || said.Kind == delivery.NotFound):
		cause := delivery.Because(delivery.AttemptRefused, delivery.Args{"message": said.Msg})
		return delivery.AttemptStatus{Phase: delivery.AttemptOver, Cause: &cause}, nil
	}
	return delivery.AttemptStatus{}, err
}

// stopGrace is a runner's time to end its steps and report, which is longer than its
// own grace.
const stopGrace = 20 * time.Second

// Stop asks for the end of the attempt's pod, which has time to report.
func (e *Executor) Stop(ctx context.Context, key string) error {
	e.mu.Lock()
	delete(e.waits, key)
	p := e.made[key]
	e.mu.Unlock()
	if seen, ok := e.pods.Get(e.Namespace, key); ok {
		p = seen
	}
	if e.away() != nil {
		return nil // when the cluster shows its pods again, those that nobody counts on go
	}
	if p == nil {
		p = named(e.Namespace, key)
		// Another server may have made it just now.
		if err := e.Cluster.Get(ctx, "pods", p); err != nil {
			if delivery.KindOf(err) == delivery.NotFound {
				return nil
			}
			return err
		}
	}
	return e.remove(ctx, p)
}

func (e *Executor) remove(ctx context.Context, p *corev1.Pod) error {
	if p.DeletionTimestamp != nil || !e.owns(p) {
		return nil
	}
	grace := stopGrace
	if terminal(p) {
		grace = 0 // there is nothing left to end, and one write less
	}
	return e.Cluster.Delete(ctx, "pods", p, grace)
}

// terminal tells whether a pod has ended for its kubelet too.
func terminal(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// quotaWords are what an API server says of a quota, without the name of the pod.
func quotaWords(said string) string {
	if _, after, ok := strings.Cut(said, "exceeded quota: "); ok {
		return after
	}
	return said
}
