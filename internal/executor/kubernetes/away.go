package kubernetes

import (
	"context"
	"errors"
	"net/url"

	"github.com/shiplock/shiplock/internal/delivery"
)

// away is why the cluster does not show its pods; nil when it does.
func (e *Executor) away() *delivery.Cause {
	if err := e.pods.Trouble(); err != nil {
		c := delivery.Because(delivery.AttemptAway, delivery.Args{"cluster": e.Cluster.Host, "reason": reasonOf(err)})
		return &c
	}
	if !e.pods.Synced() {
		c := delivery.Because(delivery.AttemptUnseen, delivery.Args{"cluster": e.Cluster.Host})
		return &c
	}
	return nil
}

// reasonOf is what an API server, or the way to it, said, without the request.
func reasonOf(err error) string {
	var said *delivery.Error
	if errors.As(err, &said) && said.Kind != delivery.Unavailable {
		return said.Msg
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err.Error()
	}
	return err.Error()
}

// awaits keeps an attempt waiting, for room or for the cluster, and says why.
func (e *Executor) awaits(key string, cause *delivery.Cause) delivery.AttemptStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waits[key] = cause
	return delivery.AttemptStatus{Phase: delivery.AttemptPending, Cause: cause}
}

// tell says, as it happens, that the cluster has gone away and is back.
func (e *Executor) tell(trouble error) {
	if trouble != nil {
		e.Logger.Warn("cluster does not show its pods", "cluster", e.Cluster.Host, "err", trouble)
		return
	}
	e.Logger.Info("cluster shows its pods", "cluster", e.Cluster.Host)
	e.ringWaiting()
}

// begin has those start that waited for the first sight of the pods.
func (e *Executor) begin(ctx context.Context) {
	select {
	case <-e.pods.InSync():
		e.ringWaiting()
	case <-ctx.Done():
	}
}

// ringWaiting has everything that waits looked at again.
func (e *Executor) ringWaiting() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.waits {
		e.bells.ring(key)
	}
}
