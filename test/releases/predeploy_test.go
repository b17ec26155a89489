//go:build e2e

package releases

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// A release's command runs before the first pod of the new version; when it fails, the
// release does, with its last words, and nothing else has changed.
func TestClusterPreDeploy(t *testing.T) {
	w := newWorld(t, "")
	w.app("shop", w.migrating("echo migrated"))
	one, two := w.build("shop", "one", "well"), w.build("shop", "two", "well")
	w.reached(w.release("shop", one), delivery.ReleaseDeployed, time.Minute)
	w.reapply("shop", w.migrating(`echo 'ERROR: relation \"users\" does not exist' >&2; exit 3`))
	r := w.reached(w.release("shop", two), delivery.ReleaseFailed, time.Minute)
	if r.Cause == nil || r.Cause.Code != "predeploy.failed" || !strings.Contains(strings.Join(r.Cause.Evidence, "\n"), `relation "users" does not exist`) {
		t.Errorf("the cause is %+v", r.Cause)
	}
	tr := w.traffic("shop")
	w.wantOnly(tr, "one", time.Now())
	if w.deployment("shop-canary") != nil {
		t.Error("there is a canary")
	}
}

func (w *world) migrating(script string) string {
	return `, "environments": {"prod": {"workload": {"preDeploy": {"run": "` + script + `", "timeout": "1m"}}}}`
}
