package delivery_test

import (
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// scaleTo offers a scale.
func (w *rollout) scaleTo(id string, replicas int) *delivery.Release {
	r := newRelease(id, delivery.ReleaseScale, 1)
	r.Replicas = replicas
	return w.offer(r)
}

// deploy offers another version, of which the catalog says how many there are, and waits.
func (w *rollout) deploy(id string, rev, replicas int) *delivery.Release {
	r := newRelease(id, delivery.ReleaseDeploy, rev)
	r.Strategy, r.Revision.Config.Replicas = delivery.Strategy{}, replicas
	d := w.offer(r)
	w.run(time.Hour)
	return d
}

func TestScaleChangesNothingButTheNumber(t *testing.T) {
	w := deployed(t)
	before := w.target.Desired
	r := w.scaleTo("release-2", 5)
	w.run(time.Hour)
	after := w.target.Desired
	if r.State != delivery.ReleaseDeployed || after.Replicas != 5 || w.target.Active != "" {
		t.Fatalf("%s: %s", r.State, text(t, w.target))
	}
	if after.Replicas = before.Replicas; !after.Same(before) {
		t.Errorf("from %s to %s", text(t, before), text(t, after))
	}
	if scaled := w.target.Desired.Scaled().Stable; scaled.ID != before.Stable.ID || scaled.Config.Replicas != 5 {
		t.Errorf("it runs as %s", text(t, scaled))
	}
	if n := len(w.target.History); n != 1 {
		t.Errorf("%d versions in its history", n)
	}
}

func TestScaleStaysUntilTheCatalogHasAnotherNumber(t *testing.T) {
	w := deployed(t)
	of := w.target.Running().Revision.Config.Replicas
	w.scaleTo("release-2", 5)
	w.run(time.Hour)
	w.deploy("release-3", 2, of)
	w.offer(newRelease("release-4", delivery.ReleaseRollback, 1))
	w.run(time.Hour)
	w.offer(newRelease("release-5", delivery.ReleaseRestart, 1))
	w.run(time.Hour)
	if got := w.target.Desired.Replicas; got != 5 {
		t.Errorf("after a deploy, a rollback and a restart it is %d: %s", got, text(t, w.target))
	}
	w.deploy("release-6", 3, of+1)
	if got := w.target.Desired.Replicas; got != 0 {
		t.Errorf("after a deploy that brings another number it is %d: %s", got, text(t, w.target))
	}
}

// A version that is kept warm is there for a rollback after the scale, too.
func TestScaleWithinTheBakeKeepsBothVersions(t *testing.T) {
	w := deployed(t)
	r := newRelease("release-2", delivery.ReleaseDeploy, 2)
	r.Strategy, r.Bake = delivery.Strategy{}, delivery.Duration(time.Hour)
	w.offer(r)
	w.run(time.Minute)
	s := newRelease("release-3", delivery.ReleaseScale, 2)
	s.Replicas, s.Bake = 5, r.Bake
	scale := w.offer(s)
	w.quiet()
	d := w.target.Desired
	if scale.State != delivery.ReleaseDeployed || d.Stable == nil || d.Stable.ID != "rev-1" || d.Canary == nil || d.Canary.ID != "rev-2" || d.Share != 100 || w.target.BakeUntil.IsZero() {
		t.Fatalf("%s: %s", scale.State, text(t, w.target))
	}
	w.run(2 * time.Hour)
	if d := w.target.Desired; d.Canary != nil || d.Stable.ID != "rev-2" || d.Replicas != 5 {
		t.Errorf("after the bake: %s", text(t, d))
	}
}

func TestAbortedScaleGoesBackToTheNumberBefore(t *testing.T) {
	w := deployed(t)
	w.scaleTo("release-2", 3)
	w.run(time.Hour)
	r := w.scaleTo("release-3", 9)
	w.quiet()
	if r.State.Terminal() { // the deployer is quick: the next one is held
		w.deployer.conduct["rev-1"] = conduct{healthyAfter: never}
		r = w.scaleTo("release-4", 10)
		w.quiet()
	}
	if err := w.tell(r, delivery.AbortRequested{By: by(w)}); err != nil {
		t.Fatalf("it was over before: %v", err)
	}
	w.run(time.Hour)
	if r.State != delivery.ReleaseAborted || w.target.Desired.Replicas == r.Replicas || w.target.Desired.Replicas != r.BaseReplicas || w.target.Active != "" {
		t.Errorf("%s: %s", r.State, text(t, w.target))
	}
}

func TestWhatReplacesWhatWaits(t *testing.T) {
	for _, c := range []struct {
		newer, waiting delivery.ReleaseKind
		want           bool
	}{
		{delivery.ReleaseDeploy, delivery.ReleaseDeploy, true},
		{delivery.ReleaseDeploy, delivery.ReleaseRestart, true},
		{delivery.ReleaseDeploy, delivery.ReleaseScale, false},
		{delivery.ReleaseScale, delivery.ReleaseScale, true},
		{delivery.ReleaseScale, delivery.ReleaseDeploy, false},
		{delivery.ReleaseRestart, delivery.ReleaseDeploy, false},
		{delivery.ReleaseRestart, delivery.ReleaseRestart, true},
	} {
		if got := c.newer.Replaces(c.waiting); got != c.want {
			t.Errorf("%s replaces %s: %v", c.newer, c.waiting, got)
		}
	}
}

func TestAnAutoscalerIsNotOverruled(t *testing.T) {
	r := delivery.Revision{Config: delivery.Config{Replicas: 2, Workload: &delivery.Workload{Autoscale: delivery.Autoscale{Max: 9}}}}
	if got := (delivery.Desired{Stable: &r, Replicas: 5}).Scaled().Stable.Config.Replicas; got != 2 {
		t.Errorf("%d instances", got)
	}
}
