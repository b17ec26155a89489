//go:build e2e

package pods

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// What befalls a pod is told from what befalls a build, tried again as often as it
// makes sense, and explained.
func TestClusterCauses(t *testing.T) {
	w := newWorld(t, "--build-start", "20s", "--silence", "15s")
	for name, c := range map[string]struct {
		run, more string
		image     string // in place of busybox
		code      string
		says      string
		attempts  int
	}{
		"no-room": {
			run: "true", more: `"pod": {"resources": {"requests": {"cpu": "64", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}}`,
			code: delivery.AttemptUnschedulable, says: "Insufficient cpu", attempts: 1,
		},
		"no-node": {
			run: "true", more: `"pod": {"nodeSelector": {"pool": "elsewhere"}}`,
			code: delivery.AttemptUnschedulable, says: "node affinity/selector", attempts: 1,
		},
		"memory": {
			run: "head -c 60000000 /dev/zero | tail -c 60000000 | wc -c; x=$(head -c 400000000 /dev/zero | tr '\\0' x); echo ${#x}", more: `"pod": {"resources": {"limits": {"memory": "64Mi"}}}`,
			code: delivery.AttemptMemory, says: "out of memory", attempts: 2,
		},
		"disk": {
			run: "head -c 200000000 /dev/zero > big; sleep 120", more: `"pod": {"resources": {"limits": {"memory": "128Mi", "ephemeral-storage": "50Mi"}}}`,
			code: delivery.AttemptDisk, says: "50Mi", attempts: 1,
		},
		"volume": {
			run: "true", more: `"pod": {"volumes": [{"name": "settings", "path": "/etc/settings", "configMap": "not-there"}]}`,
			code: delivery.AttemptVolume, says: `configmap "not-there" not found`, attempts: 2,
		},
		"service": {
			run: "true", more: `"pod": {"services": [{"name": "db", "image": "` + w.busybox() + `", "command": ["sh", "-c", "echo no database here; exit 7"], "port": 5432}]}`,
			code: "attempt.service", says: "no database here", attempts: 3,
		},
		"image-of-a-service": {
			run: "true", more: `"pod": {"services": [{"name": "db", "image": "registry.example.com/not/there:1"}]}`,
			code: delivery.AttemptImage, says: "the registry has no such image", attempts: 2,
		},
		"image": {
			run: "true", image: w.space.Registry + "/not/there:1",
			code: delivery.AttemptImage, says: "not/there:1", attempts: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			stack := w.script(name, c.run, c.more)
			if c.image != "" {
				stack.Spec = bytes.Replace(stack.Spec, []byte(w.busybox()), []byte(c.image), 1)
			}
			w.api.Apply(stack, app(name, name))
			r := w.ended(w.start(name, "dev", someCommit), 4*time.Minute)
			if r.State != delivery.RunErrored || r.Cause == nil || r.Cause.Code != c.code || r.Jobs[0].Attempt != c.attempts {
				t.Fatalf("%s after %d attempts: %+v; lost %+v", r.State, r.Jobs[0].Attempt, r.Cause, r.Jobs[0].Lost)
			}
			if all := r.Cause.Text + "\n" + strings.Join(r.Cause.Evidence, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("it says %q, and not %q", all, c.says)
			}
			if r.Cause.Next == "" {
				t.Error("it does not say what to do")
			}
			if zh := r.Cause.In(phrase.Chinese); zh.Text == r.Cause.Text || zh.Next == r.Cause.Next {
				t.Errorf("in Chinese it says %q, %q", zh.Text, zh.Next)
			}
			t.Logf("%s → %s", r.Cause.Text, r.Cause.Next)
		})
	}
}
