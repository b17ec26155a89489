package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

// deployed brings a fresh rollout to where revision 1 runs alone.
func deployed(t rapid.TB) *rollout {
	t.Helper()
	w := newRollout(t)
	first := w.offer(newRelease("release-1", delivery.ReleaseDeploy, 1))
	w.run(time.Hour)
	if first.State != delivery.ReleaseDeployed || !w.target.Settled() {
		t.Fatalf("the first release is %s: %s", first.State, text(t, w.target))
	}
	w.wishes = nil
	return w
}

func (w *rollout) at(d time.Duration, do func(*rollout)) {
	w.script = append(w.script, cue{w.now.Add(d), do})
}

func by(w *rollout) delivery.Cancellation { return delivery.Cancellation{By: ann, At: w.now} }

// goOnWhenHeld continues the manual batch at some time.
func (w *rollout) goOnWhenHeld(d time.Duration, r *delivery.Release) {
	w.at(d, func(w *rollout) {
		_ = w.tell(r, delivery.ContinueRequested{By: ann, Batch: r.Batch, At: w.now})
	})
}

func TestRolloutReachesItsRightEnd(t *testing.T) {
	second := delivery.RevisionID("rev-2")
	for name, tc := range map[string]struct {
		arrange func(w *rollout, r *delivery.Release)
		want    delivery.ReleaseState
	}{
		"healthy": {func(*rollout, *delivery.Release) {}, delivery.ReleaseDeployed},
		"slow to be healthy and to show": {func(w *rollout, _ *delivery.Release) {
			w.deployer.shownAfter = 30 * time.Second
			w.deployer.conduct[second] = conduct{healthyAfter: 3 * time.Minute}
		}, delivery.ReleaseDeployed},
		"crashes at start": {func(w *rollout, _ *delivery.Release) {
			w.deployer.conduct[second] = conduct{healthyAfter: never, failsAfter: time.Second}
		}, delivery.ReleaseFailed},
		"crashes while held": {func(w *rollout, _ *delivery.Release) {
			w.deployer.conduct[second] = conduct{failsAfter: hold + time.Minute}
		}, delivery.ReleaseFailed},
		"never healthy": {func(w *rollout, _ *delivery.Release) {
			w.deployer.conduct[second] = conduct{healthyAfter: never}
		}, delivery.ReleaseFailed},
		"deployer forgets": {func(w *rollout, _ *delivery.Release) {
			for _, d := range []time.Duration{0, time.Second, 12 * time.Minute, 31 * time.Minute} {
				w.deployer.forgets = append(w.deployer.forgets, w.now.Add(d))
			}
		}, delivery.ReleaseDeployed},
		"deployer forgets and is slow": {func(w *rollout, _ *delivery.Release) {
			w.deployer.shownAfter = 25 * time.Second
			w.deployer.forgets = []time.Time{w.now.Add(5 * time.Second), w.now.Add(14 * time.Minute)}
		}, delivery.ReleaseDeployed},
		"deployer away for a while": {func(w *rollout, _ *delivery.Release) {
			w.deployer.away = []span{{w.now, w.now.Add(2 * time.Minute)}}
		}, delivery.ReleaseDeployed},
		"deployer away for too long": {func(w *rollout, _ *delivery.Release) {
			w.deployer.away = []span{{w.now, w.now.Add(9 * time.Minute)}}
		}, delivery.ReleaseFailed},
		"aborted while the deployer is away": {func(w *rollout, r *delivery.Release) {
			w.deployer.away = []span{{w.now.Add(time.Minute), w.now.Add(time.Hour)}}
			w.at(2*time.Minute, func(w *rollout) { _ = w.tell(r, delivery.AbortRequested{By: by(w)}) })
		}, delivery.ReleaseAborted},
		"paused, resumed, then full": {func(w *rollout, r *delivery.Release) {
			w.at(time.Minute, func(w *rollout) { _ = w.tell(r, delivery.PauseRequested{By: by(w)}) })
			w.at(20*time.Minute, func(w *rollout) { _ = w.tell(r, delivery.ResumeRequested{By: ann, At: w.now}) })
			w.at(22*time.Minute, func(w *rollout) { _ = w.tell(r, delivery.FullRequested{By: ann, At: w.now}) })
		}, delivery.ReleaseDeployed},
		"target paused and resumed": {func(w *rollout, _ *delivery.Release) {
			w.at(time.Minute, func(w *rollout) { w.tellTarget(delivery.TargetPaused{By: by(w)}) })
			w.at(25*time.Minute, func(w *rollout) { w.tellTarget(delivery.TargetResumed{}) })
		}, delivery.ReleaseDeployed},
	} {
		t.Run(name, func(t *testing.T) {
			w := deployed(t)
			r := w.offer(newRelease("release-2", delivery.ReleaseDeploy, 2))
			tc.arrange(w, r)
			w.goOnWhenHeld(30*time.Minute, r)
			w.goOnWhenHeld(40*time.Minute, r)
			w.run(6 * time.Hour)
			if r.State != tc.want {
				t.Fatalf("%s, want %s; cause %v", r.State, tc.want, r.Cause)
			}
			serves := revision(1)
			if tc.want == delivery.ReleaseDeployed {
				serves = revision(2)
			}
			if d := w.target.Desired; !w.target.Settled() || d.Canary != nil || d.Stable.ID != serves.ID || w.target.Running().Revision.ID != serves.ID {
				t.Errorf("in the end the Target is %s", text(t, w.target))
			}
			if tc.want == delivery.ReleaseFailed && r.Cause == nil {
				t.Error("failed without a cause")
			}
		})
	}
}

func TestRolloutSharesAreTheBatches(t *testing.T) {
	w := deployed(t)
	r := w.offer(newRelease("release-2", delivery.ReleaseDeploy, 2))
	w.goOnWhenHeld(30*time.Minute, r)
	w.run(time.Hour)
	var shares []string
	for _, d := range w.wishes {
		shares = append(shares, fmt.Sprintf("%d%%", d.Share))
	}
	if got := fmt.Sprint(shares); got != "[10% 50% 100% 0%]" {
		t.Errorf("wished for %s", got)
	}
	if held := r.Batches[1].StartedAt.Sub(r.Batches[0].ReadyAt); held != hold {
		t.Errorf("the first batch was held for %s", held)
	}
}

func TestRollbackWithinBakeIsOneSwitch(t *testing.T) {
	w := deployed(t)
	restarted := w.now
	w.tellTarget(delivery.DesiredChanged{Desired: delivery.Desired{Stable: w.target.Desired.Stable, RestartedAt: restarted}})
	w.run(time.Minute)
	r := newRelease("release-2", delivery.ReleaseDeploy, 2)
	r.Strategy, r.Bake = delivery.Strategy{}, delivery.Duration(hold)
	w.offer(r)
	w.run(time.Minute)
	if d := w.target.Desired; d.Stable == nil || d.Canary == nil || d.Share != 100 || w.target.BakeUntil.IsZero() {
		t.Fatalf("not baking: %s", text(t, w.target))
	}
	w.wishes = nil
	w.deployer.conduct["rev-1"] = conduct{healthyAfter: time.Hour} // a start would take long
	back := w.offer(newRelease("release-3", delivery.ReleaseRollback, 1))
	w.deployer.since["rev-1"] = t0.Add(-never)
	w.quiet()
	if back.State != delivery.ReleaseDeployed {
		t.Fatalf("the rollback is %s", back.State)
	}
	if len(w.wishes) != 2 || w.wishes[0].Share != 0 || w.wishes[0].Canary == nil || !w.wishes[0].RestartedAt.Equal(restarted) {
		t.Errorf("wished for %s", text(t, w.wishes))
	}
	if p := w.target.Previous(); p != nil {
		t.Errorf("a second rollback would go to %s", p.Revision.ID)
	}
}

func TestBakeEnds(t *testing.T) {
	w := deployed(t)
	r := newRelease("release-2", delivery.ReleaseDeploy, 2)
	r.Strategy, r.Bake = delivery.Strategy{}, delivery.Duration(hold)
	w.offer(r)
	w.run(hold - time.Second)
	if w.target.Desired.Canary == nil {
		t.Fatal("the old version was let go early")
	}
	w.run(time.Minute)
	if d := w.target.Desired; d.Canary != nil || d.Stable.ID != "rev-2" || !w.target.Settled() {
		t.Errorf("after the bake: %s", text(t, w.target))
	}
}

func TestRollbackNeverFailsByItself(t *testing.T) {
	w := deployed(t)
	w.deployer.conduct["rev-0"] = conduct{healthyAfter: never}
	r := w.offer(newRelease("release-2", delivery.ReleaseRollback, 0))
	w.run(6 * time.Hour)
	if r.State != delivery.ReleaseRolling || r.Cause == nil {
		t.Fatalf("%s, cause %v", r.State, r.Cause)
	}
	if err := w.tell(r, delivery.AbortRequested{By: by(w)}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if r.State != delivery.ReleaseAborted || w.target.Active != "" || w.target.Desired.Stable.ID != "rev-1" {
		t.Errorf("%s: %s", r.State, text(t, w.target))
	}
}

func TestRollbackSucceedsLate(t *testing.T) {
	w := deployed(t)
	w.deployer.conduct["rev-0"] = conduct{healthyAfter: 2 * time.Hour}
	r := w.offer(newRelease("release-2", delivery.ReleaseRollback, 0))
	w.run(3 * time.Hour)
	if r.State != delivery.ReleaseDeployed || r.Cause != nil {
		t.Errorf("%s, cause %v", r.State, r.Cause)
	}
}

func TestAbortOfAWarmRollbackReturnsToTheNewVersion(t *testing.T) {
	w := deployed(t)
	r := newRelease("release-2", delivery.ReleaseDeploy, 2)
	r.Strategy, r.Bake = delivery.Strategy{}, delivery.Duration(hold)
	w.offer(r)
	w.run(time.Minute)
	w.deployer.conduct["rev-1"] = conduct{healthyAfter: never} // the warm version died
	back := w.offer(newRelease("release-3", delivery.ReleaseRollback, 1))
	w.quiet()
	_ = w.tell(back, delivery.AbortRequested{By: by(w)})
	w.wishes = nil
	w.run(time.Minute)
	if back.State != delivery.ReleaseAborted || w.target.Desired.Stable.ID != "rev-2" || w.target.Desired.Canary != nil {
		t.Errorf("%s: %s", back.State, text(t, w.target))
	}
	if first := w.wishes[0]; first.Stable.ID != "rev-2" || first.Canary.ID != "rev-1" || first.Share != 0 {
		t.Errorf("went back by %s", text(t, w.wishes))
	}
}

func TestRestartTakesWhatRunsWhenItStarts(t *testing.T) {
	w := deployed(t)
	full := newRelease("release-2", delivery.ReleaseDeploy, 2)
	full.Strategy = delivery.Strategy{}
	w.deployer.conduct["rev-2"] = conduct{healthyAfter: time.Minute}
	w.offer(full)
	w.quiet()
	restart := w.offer(newRelease("release-3", delivery.ReleaseRestart, 1))
	w.run(10 * time.Minute)
	if restart.State != delivery.ReleaseDeployed || restart.Revision.ID != "rev-2" || w.target.Desired.Stable.ID != "rev-2" {
		t.Errorf("%s of %s: %s", restart.State, restart.Revision.ID, text(t, w.target))
	}
	if !w.target.Desired.RestartedAt.Equal(restart.StartedAt) {
		t.Errorf("restarted at %s, wished for %s", restart.StartedAt, w.target.Desired.RestartedAt)
	}
}

func TestFirstReleaseThatFailsLeavesNothing(t *testing.T) {
	w := newRollout(t)
	w.deployer.conduct["rev-1"] = conduct{healthyAfter: never, failsAfter: time.Second}
	r := w.offer(newRelease("release-1", delivery.ReleaseDeploy, 1))
	w.run(time.Hour)
	if r.State != delivery.ReleaseFailed || w.target.Desired.Stable != nil || w.target.Desired.Canary != nil || w.target.Active != "" {
		t.Errorf("%s: %s", r.State, text(t, w.target))
	}
}

func TestAutomaticReleasesKeepOnlyTheNewestWaiter(t *testing.T) {
	w := deployed(t)
	w.deployer.conduct["rev-2"] = conduct{healthyAfter: time.Minute}
	var all []*delivery.Release
	for n := 2; n <= 5; n++ {
		r := newRelease(fmt.Sprintf("release-%d", n), delivery.ReleaseDeploy, n)
		r.Automatic, r.Strategy = true, delivery.Strategy{}
		all = append(all, w.offer(r))
		w.quiet()
	}
	w.run(time.Hour)
	var got []delivery.ReleaseState
	for _, r := range all {
		got = append(got, r.State)
	}
	if fmt.Sprint(got) != "[deployed superseded superseded deployed]" {
		t.Errorf("%v", got)
	}
}

// TestRolloutInAnyOrder plays random releases, deployers and people against each
// other. In the end the people give way, and everything has to end.
func TestRolloutInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := deployed(rt)
		minute := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most*60).Draw(rt, name)) * time.Second
		}
		for n := 2; n <= 4; n++ {
			id := delivery.RevisionID(fmt.Sprintf("rev-%d", n))
			w.deployer.conduct[id] = rapid.SampledFrom([]conduct{
				{}, {healthyAfter: time.Minute}, {healthyAfter: 4 * time.Minute}, {healthyAfter: never},
				{healthyAfter: never, failsAfter: time.Second}, {failsAfter: 7 * time.Minute},
			}).Draw(rt, "conduct")
			r := newRelease(fmt.Sprintf("release-%d", n), rapid.SampledFrom([]delivery.ReleaseKind{
				delivery.ReleaseDeploy, delivery.ReleaseDeploy, delivery.ReleaseRollback, delivery.ReleaseRestart, delivery.ReleaseScale,
			}).Draw(rt, "kind"), n)
			if r.Kind == delivery.ReleaseScale {
				r.Replicas = rapid.IntRange(0, 9).Draw(rt, "replicas")
			}
			r.Automatic = rapid.Bool().Draw(rt, "automatic")
			r.Bake = delivery.Duration(minute("bake", 5))
			w.at(minute("offer", 40), func(w *rollout) { w.offer(r) })
		}
		w.deployer.shownAfter = rapid.SampledFrom([]time.Duration{0, 3 * time.Second, 40 * time.Second}).Draw(rt, "shown after")
		for range rapid.IntRange(0, 3).Draw(rt, "forgets") {
			w.deployer.forgets = append(w.deployer.forgets, w.now.Add(minute("forgets at", 60)))
		}
		for range rapid.IntRange(0, 2).Draw(rt, "outages") {
			from := w.now.Add(minute("away from", 60))
			w.deployer.away = append(w.deployer.away, span{from, from.Add(minute("away for", 10))})
		}
		for range rapid.IntRange(0, 12).Draw(rt, "commands") {
			command := rapid.IntRange(0, 7).Draw(rt, "command")
			w.at(minute("command at", 90), func(w *rollout) { w.command(command) })
		}
		w.run(2 * time.Hour)
		for range 40 {
			w.giveWay()
			w.run(time.Hour)
		}
		for _, r := range w.releases {
			if !r.State.Terminal() && r.State != delivery.ReleaseIsProposed {
				rt.Fatalf("%s never ended: %s\n%s", r.ID, text(rt, r), text(rt, w.target))
			}
			if r.State == delivery.ReleaseIsProposed && len(r.Blockers(w.now, delivery.ReleaseFacts{Target: w.target})) == 0 {
				rt.Fatalf("%s may start, and nothing starts it", r.ID)
			}
		}
		if !w.target.Settled() {
			rt.Fatalf("the Target never settled: %s", text(rt, w.target))
		}
	})
}

// command lets a person do something to whatever is under way.
func (w *rollout) command(n int) {
	if n == 6 {
		w.tellTarget(delivery.TargetPaused{By: by(w)})
	}
	if n == 7 {
		w.tellTarget(delivery.TargetResumed{})
	}
	for _, r := range w.releases {
		if r.ID != w.target.Active && n != 5 {
			continue
		}
		switch n {
		case 0:
			_ = w.tell(r, delivery.ContinueRequested{By: ann, Batch: r.Batch, At: w.now})
		case 1:
			_ = w.tell(r, delivery.FullRequested{By: ann, At: w.now})
		case 2:
			_ = w.tell(r, delivery.PauseRequested{By: by(w)})
		case 3:
			_ = w.tell(r, delivery.ResumeRequested{By: ann, At: w.now})
		case 4:
			_ = w.tell(r, delivery.AbortRequested{By: by(w)})
		case 5:
			_ = w.tell(r, delivery.ReleaseWithdrawn{By: by(w)})
		}
	}
}

// giveWay is people who no longer stand in the way of anything.
func (w *rollout) giveWay() {
	w.tellTarget(delivery.TargetResumed{})
	for _, r := range w.releases {
		if r.ID != w.target.Active {
			continue
		}
		_ = w.tell(r, delivery.ResumeRequested{By: ann, At: w.now})
		_ = w.tell(r, delivery.ContinueRequested{By: ann, Batch: r.Batch, At: w.now})
		if r.Kind == delivery.ReleaseRollback && w.now.Sub(r.StartedAt) > 5*time.Hour {
			_ = w.tell(r, delivery.AbortRequested{By: by(w)})
		}
	}
}
