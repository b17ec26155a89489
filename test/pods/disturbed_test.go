//go:build e2e

package pods

import (
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	scheduling "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/test/harness"
	"github.com/shiplock/shiplock/test/kube"
)

// because waits until a run waits, or has lost an attempt, for a reason with this code.
func (w *world) because(id delivery.RunID, code string) delivery.Cause {
	w.t.Helper()
	var found *delivery.Cause
	if !harness.Eventually(2*time.Minute, func() bool {
		r := w.api.Run(id)
		found = r.Cause
		for _, lost := range r.Jobs[0].Lost {
			if found == nil || found.Code != code {
				found = &lost.Cause
			}
		}
		return found != nil && found.Code == code
	}) {
		w.t.Fatalf("the run's cause is %+v, and not %s\n%s", found, code, w.server.LogTail())
	}
	if zh := found.In(phrase.Chinese); zh.Text == found.Text || found.Next != "" && zh.Next == found.Next {
		w.t.Errorf("in Chinese it says %q, %q", zh.Text, zh.Next)
	}
	w.t.Logf("%s → %s", found.Text, found.Next)
	return *found
}

// begun waits until a run's step runs, and has printed something.
func (w *world) begun(id delivery.RunID) {
	w.t.Helper()
	if !harness.Eventually(2*time.Minute, func() bool {
		r := w.api.Run(id)
		running := slices.ContainsFunc(r.Jobs[0].Steps, func(s delivery.Step) bool { return s.State == delivery.StepRunning })
		return running && strings.Contains(w.api.LogText(id), "begun")
	}) {
		w.t.Fatalf("the run never began: %+v\n%s", w.api.Run(id).Cause, w.server.LogTail())
	}
}

// disturbed is a run whose first attempt is disturbed, which it does not end by itself,
// and whose second one is not: the pod's name tells them apart.
func (w *world) disturbed(name, more string, disturb func(pod string)) api.Run {
	w.t.Helper()
	w.api.Apply(w.script(name, "echo begun $(hostname); case $(hostname) in *-1) sleep 300;; esac", more), app(name, name))
	id := w.start(name, "dev", someCommit)
	w.begun(id)
	disturb(name + "-1-build-1")
	return w.good(id, 3*time.Minute)
}

// What the cluster does to a build costs it an attempt, and is told as what it was.
func TestClusterDisturbances(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		code    string
		disturb func(w *world, pod string)
	}{
		"deleted": {"attempt.deleted", func(w *world, pod string) { w.space.Delete(w.t, w.space.Name, "pods", pod) }},
		"drained": {delivery.AttemptReclaimed, func(w *world, pod string) { w.space.Evict(w.t, pod) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			r := w.disturbed(name, "", func(pod string) { c.disturb(w, pod) })
			w.because(r.ID, c.code)
			if len(r.Jobs[0].Lost) != 1 {
				t.Errorf("it lost %+v", r.Jobs[0].Lost)
			}
		})
	}
}

// A build stands back when something more important needs its place.
func TestClusterPreemption(t *testing.T) {
	n := kube.Cluster(t)
	low := &scheduling.PriorityClass{ObjectMeta: meta.ObjectMeta{Name: n.Name + "-builds"}, Value: -1000, PreemptionPolicy: new(core.PreemptNever)}
	n.Beside(t, "priorityclasses", low)
	high := &scheduling.PriorityClass{ObjectMeta: meta.ObjectMeta{Name: n.Name + "-services"}, Value: 1000}
	n.Beside(t, "priorityclasses", high)
	w := newWorldIn(t, n, "--build-priority-class", low.Name)
	half := `"pod": {"resources": {"requests": {"cpu": "1100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}}`
	r := w.disturbed("modest", half, func(string) {
		p := kube.Script("service", "sleep 5")
		p.Spec.PriorityClassName = high.Name
		p.Spec.Containers[0].Resources.Requests = core.ResourceList{core.ResourceCPU: resource.MustParse("1100m")}
		n.Start(t, p)
	})
	w.because(r.ID, delivery.AttemptPreempted)
}

// What the namespace has no room for waits, says so, and goes on when there is some.
func TestClusterQuota(t *testing.T) {
	w := newWorld(t)
	w.space.Create(t, "resourcequotas", &core.ResourceQuota{
		ObjectMeta: meta.ObjectMeta{Name: "one"}, Spec: core.ResourceQuotaSpec{Hard: core.ResourceList{"pods": resource.MustParse("1")}},
	})
	w.api.Apply(w.script("first", "echo begun; sleep 8", ""), app("first", "first"), w.script("second", "true", ""), app("second", "second"))
	first := w.start("first", "dev", someCommit)
	w.begun(first)
	second := w.start("second", "dev", someCommit)
	if c := w.because(second, delivery.AttemptQuota); !strings.Contains(c.Text, w.space.Name) || !strings.Contains(c.Text, "pods=1") {
		t.Errorf("it says %q", c.Text)
	}
	w.good(first, time.Minute)
	if r := w.good(second, time.Minute); r.Jobs[0].Attempt != 1 || r.Cause != nil {
		t.Errorf("it took %d attempts, and says %+v", r.Jobs[0].Attempt, r.Cause)
	}
}

// A node that is gone takes its builds with it, and others get them.
func TestClusterNodeLost(t *testing.T) {
	w := newWorld(t, "--build-start", "150s")
	ghost := &core.Node{ObjectMeta: meta.ObjectMeta{Name: "ghost-" + w.space.Name, Labels: map[string]string{"ghost": w.space.Name}}}
	w.space.Beside(t, "nodes", ghost)
	room := core.ResourceList{core.ResourceCPU: resource.MustParse("4"), core.ResourceMemory: resource.MustParse("4Gi"), core.ResourcePods: resource.MustParse("10"), core.ResourceEphemeralStorage: resource.MustParse("50Gi")}
	now := meta.Now()
	ghost.Status = core.NodeStatus{Capacity: room, Allocatable: room, Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, LastHeartbeatTime: now, LastTransitionTime: now}}}
	w.space.UpdateStatus(t, "nodes", ghost)
	w.api.Apply(w.script("lost", "true", `"pod": {"nodeSelector": {"ghost": "`+w.space.Name+`"}}`), app("lost", "lost"))
	id := w.start("lost", "dev", someCommit)
	w.space.Await(t, "lost-1-build-1", func(p *core.Pod) bool { return p.Spec.NodeName != "" })
	w.space.Delete(t, "", "nodes", ghost.Name)
	if c := w.because(id, "attempt.node_lost"); !strings.Contains(c.Text, ghost.Name) {
		t.Errorf("it says %q", c.Text)
	}
}
