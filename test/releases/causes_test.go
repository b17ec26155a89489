//go:build e2e

package releases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose/workload"
	"github.com/shiplock/shiplock/test/evidence"
	"github.com/shiplock/shiplock/test/harness"
)

// mishap is a second version of an app that does not become healthy.
type mishap struct {
	behaviour string
	// health is how long it may take to be healthy; "" is 8s.
	health string
	// before and after are what the App's document says for the two versions.
	before, after string
	code          string
	says          string
	// hopeless: the release goes back by itself, without waiting for its deadline.
	hopeless bool
}

var mishaps = map[string]mishap{
	"crash":  {behaviour: "crash", code: workload.Crashed, says: "the database shop-db refuses the password", hopeless: true},
	"memory": {behaviour: "hungry", before: `"resources": {"limits": {"memory": "48Mi"}}`, after: `"resources": {"limits": {"memory": "48Mi"}}`, code: workload.Memory, says: "used all of its 48Mi", hopeless: true},
	"unwell": {behaviour: "unwell", code: workload.Startup, says: "GET / on port 8080", hopeless: true},
	"port":   {behaviour: "elsewhere", health: "90s", code: workload.Port, says: "the app listens on port 3999", hopeless: true},
	"config": {behaviour: "well", after: `"config": [{"configMap": "not-there"}]`, code: workload.Configuration, says: "the ConfigMap not-there is not there", hopeless: true},
	"room":   {behaviour: "well", after: `"resources": {"requests": {"cpu": "64"}}`, code: workload.Unschedulable, says: "the pod asks for 64"},
	"node":   {behaviour: "well", after: `"nodeSelector": {"pool": "gpu"}`, code: workload.Unschedulable, says: "pool=gpu"},
	"user":   {behaviour: "well", after: `"serviceAccount": "not-there"`, code: workload.Configuration, says: "the ServiceAccount not-there is not there", hopeless: true},
}

// A version that does not become healthy says why, in both languages and soon after the
// cluster knows, and the old one goes on serving.
func TestClusterMishaps(t *testing.T) {
	w := newWorld(t, `, "strategy": {"batches": [{"percent": 50}]}`)
	s := evidence.Look(t, w.space)
	var mu sync.Mutex
	var lags []time.Duration
	t.Run("mishaps", func(t *testing.T) {
		for name, m := range mishaps {
			first, second := w.versions(name, m)
			after := m.document(m.after)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := w.in(t)
				w.reached(w.release(name, first), delivery.ReleaseDeployed, 2*time.Minute)
				w.reapply(name, after)
				tr := w.trafficBy(name, 1) // many apps are asked at once
				id := w.release(name, second)
				lag := w.explained(s, name, m)
				mu.Lock()
				lags = append(lags, lag)
				mu.Unlock()
				w.goesBack(id, m)
				tr.end()
				tr.wantNone(t)
			})
		}
	})
	slices.Sort(lags)
	if len(lags) > 0 {
		harness.Promise(t, "a Cause after the cluster knows it, at most", lags[len(lags)-1].Seconds(), 5, "s", "")
	}
}

// in is the world for a part of the test.
func (w *world) in(t testing.TB) *world {
	part := *w
	part.t = t
	return &part
}

// versions builds both versions of an app.
func (w *world) versions(name string, m mishap) (first, second int) {
	w.t.Helper()
	w.app(name, m.document(m.before))
	return w.build(name, "one", "well"), w.build(name, "two", m.behaviour)
}

// document is what an App's document says beside the rest, with a workload.
func (m mishap) document(workload string) string {
	return fmt.Sprintf(`, "health": {"timeout": %q}, "workload": {%s}`, cmp.Or(m.health, "8s"), workload)
}

// explained waits for the Cause, and returns how long after the cluster knew it the
// product said it.
func (w *world) explained(s *evidence.Sight, name string, m mishap) time.Duration {
	w.t.Helper()
	var known, said time.Time
	s.Await(w.t, name, name+"-canary", func(c *delivery.Cause, _ bool) bool {
		if known.IsZero() && c != nil && c.Code == m.code {
			known = time.Now()
		}
		if !known.IsZero() && said.IsZero() && w.says(name, m) {
			said = time.Now()
		}
		return !said.IsZero()
	})
	return said.Sub(known)
}

// says tells whether the Target has the Cause, whole and in both languages.
func (w *world) says(name string, m mishap) bool {
	w.t.Helper()
	var now api.Target
	w.api.Must("GET", "/targets/"+name+"/prod", nil, &now)
	for _, v := range now.Versions {
		if v.Cause == nil || v.Cause.Code != m.code {
			continue
		}
		// What the kubelet says of a check comes after that it fails.
		if all := v.Cause.Text + strings.Join(v.Cause.Evidence, "\n"); strings.Contains(all, m.says) {
			w.whole(v.Cause, m)
			return true
		}
	}
	return false
}

func (w *world) whole(c *delivery.Cause, m mishap) {
	w.t.Helper()
	if all := c.Text + "\n" + strings.Join(c.Evidence, "\n"); !strings.Contains(all, m.says) {
		w.t.Errorf("it says %q, and not %q", all, m.says)
	}
	if zh := c.In(phrase.Chinese); c.Next == "" || zh.Text == c.Text || zh.Next == c.Next {
		w.t.Errorf("what to do is %q; in Chinese it says %q, %q", c.Next, zh.Text, zh.Next)
	}
}

// goesBack waits until the old version is alone again: by itself, or because somebody
// aborts.
func (w *world) goesBack(id delivery.ReleaseID, m mishap) {
	w.t.Helper()
	if !m.hopeless {
		w.api.Must("POST", "/releases/"+string(id)+"/abort", api.Reason{Reason: "test"}, nil)
		w.reached(id, delivery.ReleaseAborted, time.Minute)
		return
	}
	r := w.reached(id, delivery.ReleaseFailed, 2*time.Minute)
	if r.Cause == nil || r.Cause.Code != m.code {
		w.t.Errorf("the release failed because of %+v, want %s", r.Cause, m.code)
		return
	}
	w.whole(r.Cause, m)
	w.t.Logf("%s → %s %q", r.Cause.Text, r.Cause.Next, r.Cause.Evidence)
}
