package kubernetes

import (
	"context"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Try asks the cluster whether it would take the pod of a build, and makes none. It
// returns the API server's time, when it would.
func (e *Executor) Try(ctx context.Context) (time.Time, error) {
	p := e.pod(delivery.AttemptSpec{Key: "shiplock-doctor-1-build-1"}, "shiplock/doctor")
	err := e.Cluster.Try(ctx, "pods", p)
	return p.CreationTimestamp.Time, err
}
