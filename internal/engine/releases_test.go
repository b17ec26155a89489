package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/store"
)

func (w *world) release(id delivery.ReleaseID) delivery.Release {
	w.t.Helper()
	r, err := w.store.Release(w.t.Context(), id)
	w.must(err)
	return r
}

func (w *world) wantRelease(id delivery.ReleaseID, want delivery.ReleaseState) delivery.Release {
	w.t.Helper()
	r := w.release(id)
	if r.State != want {
		w.t.Fatalf("release %s is %s, want %s (%v)", id, r.State, want, r.Cause)
	}
	return r
}

// releases lists all releases, the oldest first.
func (w *world) releases() []delivery.Release {
	w.t.Helper()
	releases, err := w.store.Releases(w.t.Context(), store.ReleaseFilter{Limit: 1000})
	w.must(err)
	slices.Reverse(releases)
	return releases
}

func (w *world) target(env string) delivery.Target {
	w.t.Helper()
	t, err := w.store.Target(w.t.Context(), "shop", env)
	w.must(err)
	return t
}

// create makes a release of shop and lets it begin.
func (w *world) create(ask engine.CreateRelease) delivery.ReleaseID {
	w.t.Helper()
	ask.App = "shop"
	r, err := w.CreateRelease(w.t.Context(), admin(), ask)
	w.must(err)
	synctest.Wait()
	return r.ID
}

func (w *world) command(id delivery.ReleaseID, cmd delivery.Command) error {
	_, err := w.CommandRelease(w.t.Context(), admin(), id, cmd, "because")
	synctest.Wait()
	return err
}

func (w *world) rollBack(env string, to delivery.RevisionID) delivery.ReleaseID {
	w.t.Helper()
	r, err := w.RollBack(w.t.Context(), admin(), "shop", env, to, "too slow")
	w.must(err)
	synctest.Wait()
	return r.ID
}

// wish says in short what the deployer was last told: "a", or "a+b@25".
func (w *world) wish(env string) string {
	w.t.Helper()
	wishes := w.deployer.Wishes("shop", env)
	if len(wishes) == 0 {
		return ""
	}
	name := func(r *delivery.Revision) string {
		if r == nil {
			return ""
		}
		return string(r.Artifact[len("sha256:")])
	}
	d := wishes[len(wishes)-1]
	if d.Canary == nil {
		return name(d.Stable)
	}
	return fmt.Sprintf("%s+%s@%d", name(d.Stable), name(d.Canary), d.Share)
}

func (w *world) wantWish(env, want string) {
	w.t.Helper()
	if got := w.wish(env); got != want {
		w.t.Fatalf("the deployer of %s was told %q, want %q", env, got, want)
	}
}

// inProd is a world in which "a" runs in prod and "b" was built and released to dev.
func inProd(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.build("shop", "dev", "a")
		w.wantRelease(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.ReleaseDeployed)
		w.build("shop", "dev", "b")
		w.wantWish("prod", "a")
		story(t, w)
	})
}

func TestAutomaticRelease(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		run := w.build("shop", "dev", "a")
		r := w.wantRelease(w.run(run.ID).Release, delivery.ReleaseDeployed)
		if !r.Automatic || r.By.Kind != delivery.ActorSystem || r.Revision.Run != run.ID || r.Env != "dev" {
			t.Errorf("release: %+v", r)
		}
		w.wantWish("dev", "a")
		if h := w.target("dev").History; len(h) != 1 || h[0].Release != r.ID {
			t.Errorf("history: %+v", h)
		}
		if prod := w.build("shop", "prod", "b"); prod.Release != "" {
			t.Error("a run for a manual environment was released")
		}
		w.wantWish("prod", "")
	})
}

// A good run of an app that was deleted meanwhile is released nowhere, and is no
// trouble.
func TestNoReleaseOfADeletedApp(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		w.forget("App", "shop")
		r.succeed(digest("a"))
		if run := w.wantRun(id, delivery.RunSucceeded); run.Release != "" {
			t.Errorf("released as %s", run.Release)
		}
		if _, _, _, waits, err := w.store.WakeWhy(t.Context(), w.run(id).Ref()); waits || err != nil {
			t.Errorf("the run is looked at again (%v)", err)
		}
	})
}

func TestCreateRelease(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("blog", ""))
		refuse := func(ask engine.CreateRelease, kind delivery.Kind, says string) {
			t.Helper()
			_, err := w.CreateRelease(t.Context(), admin(), ask)
			w.refused(err, kind, says)
		}
		refuse(engine.CreateRelease{App: "shop", Env: "pre"}, delivery.NotFound, "no good run for pre yet")
		refuse(engine.CreateRelease{App: "shop", Env: "pre", From: "dev"}, delivery.Conflict, "nothing of shop runs in dev yet")
		w.build("shop", "dev", "a")
		w.build("shop", "pre", "b")
		failed := w.startRun("shop", "pre")
		w.must(w.claim().finish(failure))
		refuse(engine.CreateRelease{App: "nope", Env: "pre"}, delivery.NotFound, `no app "nope"`)
		refuse(engine.CreateRelease{App: "shop", Env: "nope"}, delivery.NotFound, `no environment "nope"`)
		refuse(engine.CreateRelease{App: "shop", Env: "pre", From: "nope"}, delivery.NotFound, `no environment "nope"`)
		refuse(engine.CreateRelease{App: "shop", Env: "pre", Run: 9}, delivery.NotFound, "shop#9")
		refuse(engine.CreateRelease{App: "shop", Env: "pre", Run: w.run(failed).Number}, delivery.Conflict, "shop#3 is failed and has no artifact")
		refuse(engine.CreateRelease{App: "shop", Env: "pre", Artifact: digest("f")}, delivery.NotFound, "artifact")
		refuse(engine.CreateRelease{App: "blog", Env: "pre", Artifact: digest("a")}, delivery.NotFound, "artifact")
		for _, c := range []struct {
			ask  engine.CreateRelease
			want string
		}{
			{engine.CreateRelease{Env: "pre", Run: 1}, "a"},
			{engine.CreateRelease{Env: "pre"}, "b"},
			{engine.CreateRelease{Env: "test", From: "pre"}, "b"},
			{engine.CreateRelease{Env: "prod", Artifact: digest("a"), Reason: "first"}, "a"},
		} {
			r := w.wantRelease(w.create(c.ask), delivery.ReleaseDeployed)
			if r.Automatic || r.By.Name != "ann" || r.Reason != c.ask.Reason {
				t.Errorf("release: %+v", r)
			}
			if got := w.wish(c.ask.Env); !strings.HasPrefix(got, c.want) && !strings.HasSuffix(got, c.want+"@100") {
				t.Errorf("%+v: deployed %s, want %s", c.ask, got, c.want)
			}
		}
		older := w.release(w.create(engine.CreateRelease{Env: "test", Run: 1}))
		if why, err := w.Blockers(t.Context(), older); err != nil || len(why) != 1 || why[0].Code != "release.older" {
			t.Errorf("an older version waits because of %+v (%v)", why, err)
		}
		w.must(w.command(older.ID, delivery.CmdReleaseCancel))
		w.wantRelease(older.ID, delivery.ReleaseCanceled)
	})
}

func TestCanary(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantRelease(id, delivery.ReleasePaused) // its batch holds for a person
		w.wantWish("prod", "a+b@25")
		w.refused(w.command(id, delivery.CmdReleaseResume), delivery.Conflict, "nobody paused")
		w.must(w.command(id, delivery.CmdReleasePause))
		w.refused(w.command(id, delivery.CmdReleaseContinue), delivery.Conflict, "resume it first")
		w.must(w.command(id, delivery.CmdReleaseResume))
		w.wantRelease(id, delivery.ReleasePaused)
		w.must(w.command(id, delivery.CmdReleaseContinue))
		r := w.wantRelease(id, delivery.ReleaseDeployed)
		var asked []int
		for _, b := range r.Batches {
			asked = append(asked, b.Effective)
		}
		if !slices.Equal(asked, []int{25, 100}) {
			t.Errorf("batches took %v %% of the traffic", asked)
		}
		w.wantWish("prod", "a+b@100")
		w.pass(10 * time.Minute) // bake
		w.wantWish("prod", "b")
		w.refused(w.command(id, delivery.CmdReleaseAbort), delivery.Conflict, "the release is deployed")
		w.refused(w.command(id, delivery.CmdApply), delivery.Invalid, "not a command for a release")
		w.refused(w.command("nope", delivery.CmdReleaseAbort), delivery.NotFound, "release nope")
	})
}

func TestCanaryToFullAtOnce(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.must(w.command(id, delivery.CmdReleaseFull))
		w.wantRelease(id, delivery.ReleaseDeployed)
		w.wantWish("prod", "a+b@100")
	})
}

func TestAbort(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		_, err := w.RollBack(t.Context(), admin(), "shop", "prod", "", "")
		w.refused(err, delivery.Conflict, "shiplock release abort shop --env prod")
		w.must(w.command(id, delivery.CmdReleaseAbort))
		if r := w.wantRelease(id, delivery.ReleaseAborted); r.Cause.Text != "aborted by ann: because" {
			t.Errorf("cause: %+v", r.Cause)
		}
		w.wantWish("prod", "a")
		if h := w.target("prod").History; len(h) != 1 {
			t.Errorf("history: %+v", h)
		}
	})
}

// A version that does not become healthy goes back, with the deployer's own words.
func TestBadVersionGoesBack(t *testing.T) {
	cause := delivery.Cause{Code: "process.exit", Text: "exit code 3", Evidence: []string{"panic: no config"}}
	inProd(t, func(t *testing.T, w *world) {
		w.deployer.Break(digest("b"), cause)
		r := w.wantRelease(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.ReleaseFailed)
		if r.Cause == nil || r.Cause.Text != cause.Text || !slices.Equal(r.Cause.Evidence, cause.Evidence) {
			t.Errorf("cause: %+v", r.Cause)
		}
		w.wantWish("prod", "a")
	})
}

// A version that is never ready fails at its batch's time limit, and not before.
func TestSlowVersionGoesBackAtItsDeadline(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.deployer.Delay(digest("b"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.pass(5*time.Minute - time.Second)
		w.wantRelease(id, delivery.ReleaseRolling)
		w.pass(2 * time.Second)
		if r := w.wantRelease(id, delivery.ReleaseFailed); r.Cause.Code != "batch.deadline" {
			t.Errorf("cause: %+v", r.Cause)
		}
	})
}

func TestRollback(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		_, err := w.RollBack(t.Context(), admin(), "shop", "prod", "", "")
		w.refused(err, delivery.Conflict, "no earlier healthy version")
		w.must(w.command(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.CmdReleaseFull))
		_, err = w.RollBack(t.Context(), admin(), "shop", "prod", "000000000000", "")
		w.refused(err, delivery.NotFound, "never ran 000000000000")
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales")) // keeps no rollback
		r := w.wantRelease(w.rollBack("prod", ""), delivery.ReleaseDeployed)
		if r.Kind != delivery.ReleaseRollback || r.Reason != "too slow" || r.Revision.Artifact != digest("a") {
			t.Errorf("rollback: %+v", r)
		}
		w.wantWish("prod", "a")
		running := w.target("prod")
		if h := running.History; len(h) != 3 || !h[1].RolledBack {
			t.Errorf("history: %+v", h)
		}
		forward := running.History[1].Revision.ID // by its name people can go there all the same
		w.wantRelease(w.rollBack("prod", delivery.RevisionID(forward.Short())), delivery.ReleaseDeployed)
		if got := w.target("prod").Running().Revision.ID; got != forward {
			t.Errorf("%s runs, want %s", got, forward)
		}
	})
}

// A rollback never fails by itself: it says what is wrong and wishes again.
func TestRollbackKeepsTrying(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.command(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.CmdReleaseFull))
		w.pass(10 * time.Minute)
		w.deployer.Break(digest("a"), delivery.Cause{Code: "image.pull", Text: "the image cannot be pulled"})
		id := w.rollBack("prod", "")
		before := len(w.deployer.Wishes("shop", "prod"))
		w.pass(time.Minute)
		if r := w.wantRelease(id, delivery.ReleaseRolling); r.Cause == nil || r.Cause.Code != "image.pull" {
			t.Errorf("cause: %+v", r.Cause)
		}
		if n := len(w.deployer.Wishes("shop", "prod")) - before; n != 4 {
			t.Errorf("it wished %d times anew in a minute, want 4", n)
		}
		w.deployer.Mend(digest("a"))
		w.pass(15 * time.Second)
		w.wantRelease(id, delivery.ReleaseDeployed)
	})
}

// A second release waits behind the first and begins after it; a newer one takes
// the place of the one that waits.
func TestReleasesWaitInLine(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		first := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.build("shop", "pre", "c")
		second := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("c")})
		if why, err := w.Blockers(t.Context(), w.wantRelease(second, delivery.ReleaseIsProposed)); err != nil || len(why) != 1 || why[0].Code != "target.busy" {
			t.Errorf("it waits because of %+v (%v)", why, err)
		}
		w.build("shop", "pre", "d")
		third := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("d")})
		if r := w.wantRelease(second, delivery.ReleaseSuperseded); r.SupersededBy != third {
			t.Errorf("superseded by %s", r.SupersededBy)
		}
		w.wantWish("prod", "a+b@25")
		w.must(w.command(first, delivery.CmdReleaseContinue))
		w.wantRelease(first, delivery.ReleaseDeployed)
		w.wantWish("prod", "b+d@25")
		w.must(w.command(third, delivery.CmdReleaseContinue))
		w.wantRelease(third, delivery.ReleaseDeployed)
	})
}

// A restart brings no version, so it takes the place of none that waits.
func TestRestartDoesNotReplaceAVersionThatWaits(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		first := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.build("shop", "pre", "c")
		second := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("c")})
		restart, err := w.Restart(t.Context(), admin(), "shop", "prod", "")
		w.must(err)
		synctest.Wait()
		w.wantRelease(second, delivery.ReleaseIsProposed)
		w.must(w.command(first, delivery.CmdReleaseFull))
		w.pass(time.Second)
		w.must(w.command(second, delivery.CmdReleaseFull))
		w.pass(time.Second)
		w.wantRelease(second, delivery.ReleaseDeployed)
		w.wantRelease(restart.ID, delivery.ReleaseDeployed)
		if got := w.target("prod").Running().Revision.Artifact; got != digest("c") {
			t.Errorf("%s runs, want c", got)
		}
	})
}

// Only the newest good run of an automatic environment that is busy is released.
func TestAutomaticReleasesKeepTheNewest(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.deployer.Delay(digest("a"))
		for _, digit := range []string{"a", "b", "c"} {
			w.build("shop", "dev", digit)
		}
		w.deployer.Mend(digest("a"))
		w.Nudge(w.target("dev").Ref())
		w.pass(0)
		var got []delivery.ReleaseState
		for _, r := range w.releases() {
			got = append(got, r.State)
		}
		if want := []delivery.ReleaseState{delivery.ReleaseDeployed, delivery.ReleaseSuperseded, delivery.ReleaseDeployed}; !slices.Equal(got, want) {
			t.Errorf("releases: %v, want %v", got, want)
		}
		w.wantWish("dev", "c")
	})
}

func TestPausedTarget(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "sales"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		if why, err := w.Blockers(t.Context(), w.wantRelease(id, delivery.ReleaseIsProposed)); err != nil || len(why) != 1 || why[0].Code != "target.paused" {
			t.Errorf("it waits because of %+v (%v)", why, err)
		}
		w.must(w.ResumeTarget(t.Context(), admin(), "shop", "prod"))
		w.pass(0)
		w.wantWish("prod", "a+b@25")
		w.refused(w.PauseTarget(t.Context(), admin(), "shop", "nope", ""), delivery.NotFound, `no environment "nope"`)
		w.refused(w.ResumeTarget(t.Context(), admin(), "nope", "prod"), delivery.NotFound, `no app "nope"`)
	})
}

func TestRestart(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		_, err := w.Restart(t.Context(), admin(), "shop", "pre", "")
		w.refused(err, delivery.Conflict, "nothing of shop runs in pre")
		r, err := w.Restart(t.Context(), admin(), "shop", "prod", "leak")
		w.must(err)
		w.pass(0)
		w.wantRelease(r.ID, delivery.ReleaseDeployed)
		wishes := w.deployer.Wishes("shop", "prod")
		if d := wishes[len(wishes)-1]; d.RestartedAt.IsZero() || d.Canary != nil || d.Stable.Artifact != digest("a") {
			t.Errorf("wish: %+v", d)
		}
	})
}

func TestScale(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		_, err := w.Scale(t.Context(), admin(), "shop", "pre", 3, "")
		w.refused(err, delivery.Conflict, "nothing of shop runs in pre")
		_, err = w.Scale(t.Context(), admin(), "shop", "prod", engine.MaxReplicas+1, "")
		w.refused(err, delivery.Invalid, "1 to 1000")
		r, err := w.Scale(t.Context(), admin(), "shop", "prod", 3, "rush")
		w.must(err)
		w.pass(0)
		w.wantRelease(r.ID, delivery.ReleaseDeployed)
		wishes := w.deployer.Wishes("shop", "prod")
		if d := wishes[len(wishes)-1]; d.Replicas != 3 || !d.RestartedAt.IsZero() || d.Canary != nil || d.Stable.Artifact != digest("a") {
			t.Errorf("wish: %+v", d)
		}
	})
}

// A deployer that is away puts a release off, which says why, and goes on later.
func TestDeployerAway(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.deployer.Follow(func(string) (error, bool) { return errAway, false })
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.pass(20 * time.Second)
		why, due, tries, waits, err := w.store.WakeWhy(t.Context(), w.target("prod").Ref())
		if err != nil || !waits || tries < 4 || !strings.Contains(why, "apply generation 3 of shop/prod: it does not answer") || !due.After(time.Now()) {
			t.Errorf("waits %v after %d tries for %s because %q (%v)", waits, tries, due, why, err)
		}
		rel := w.wantRelease(id, delivery.ReleaseRolling)
		if why, err := w.Blockers(t.Context(), rel); err != nil || len(why) != 1 || !strings.Contains(why[0].Text, "it does not answer") {
			t.Errorf("it says that it is held up by %+v (%v)", why, err)
		}
		w.deployer.Follow(nil)
		w.pass(time.Minute)
		if why, err := w.Blockers(t.Context(), w.wantRelease(id, delivery.ReleasePaused)); err != nil || len(why) > 0 {
			t.Errorf("it says that it is held up by %+v (%v)", why, err)
		}
		w.wantWish("prod", "a+b@25")
	})
}

// Another server may have told the deployer a newer wish. That is no race to win
// at once: it is put off like any trouble, and told to people.
func TestDeployerFence(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.must(w.deployer.Apply(t.Context(), "shop", "prod", delivery.Desired{Generation: 99}))
		before := len(w.deployer.Calls("apply shop/prod"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.pass(time.Second)
		why, _, tries, waits, err := w.store.WakeWhy(t.Context(), w.target("prod").Ref())
		if err != nil || !waits || !strings.Contains(why, "generation 99 of shop/prod was seen") {
			t.Errorf("waits %v because %q (%v)", waits, why, err)
		}
		if n := len(w.deployer.Calls("apply shop/prod")) - before; n != tries {
			t.Errorf("the deployer was asked %d times in %d tries", n, tries)
		}
		w.wantRelease(id, delivery.ReleaseRolling)
	})
}
