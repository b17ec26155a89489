//go:build e2e

package releases

import (
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestClusterFirstRelease(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", "")
	first := w.build("shop", "one", "well")
	w.reached(w.release("shop", first), delivery.ReleaseDeployed, time.Minute)
}
