package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// dated makes ids of the bubble's time.
func dated() func(*engine.Config) {
	n := 0
	return func(c *engine.Config) {
		c.LeaseEvery = 1000 * time.Hour // there is one server, and days pass
		c.NewID = func() string {
			n++
			hex := fmt.Sprintf("%012x", time.Now().UnixMilli())
			return fmt.Sprintf("%s-%s-7000-8000-%012x", hex[:8], hex[8:], n)
		}
	}
}

const retention = `{"runs":2,"age":"30d","logs":"10d","audit":"60d"}`

// keeper plays a team that builds, releases and rolls back, and a registry that
// loses every image that nothing names.
type keeper struct {
	*world
	t      *testing.T
	random *rand.Rand
	images map[delivery.Digest]bool
	built  int
}

func (k *keeper) build(env string) {
	k.built++
	id := k.startRun("shop", env)
	d := delivery.Digest(fmt.Sprintf("sha256:%064x", k.built))
	k.images[d] = true
	if r := k.claim(); k.random.IntN(4) == 0 {
		k.must(r.finish(failure))
	} else {
		r.succeed(d)
	}
	if !k.run(id).State().Terminal() {
		k.t.Fatal("the run is not over")
	}
}

// offer releases what some run made, when there is one.
func (k *keeper) offer(env string) {
	runs := k.runs()
	run := runs[k.random.IntN(len(runs))]
	if run.Artifact == nil {
		return
	}
	_, err := k.CreateRelease(k.t.Context(), admin(), engine.CreateRelease{App: "shop", Env: env, Run: run.Number})
	if err != nil && delivery.KindOf(err) != delivery.Conflict {
		k.t.Fatal(err)
	}
	synctest.Wait()
	if k.random.IntN(3) > 0 {
		k.finishReleases(env)
	}
}

// finishReleases lets the release under way have all traffic.
func (k *keeper) finishReleases(env string) {
	for range 3 {
		if active := k.target(env).Active; active != "" {
			k.must(k.command(active, delivery.CmdReleaseFull))
			k.pass(20 * time.Minute)
		}
	}
}

// pass lets go of the past, perhaps only a part of it, and then of the images.
func (k *keeper) retain() {
	ctx := k.t.Context()
	if k.random.IntN(2) == 0 {
		short, cancel := context.WithTimeout(ctx, time.Duration(k.random.IntN(20))*time.Millisecond)
		defer cancel()
		ctx = short
	}
	if _, err := k.Retain(ctx); err != nil && ctx.Err() == nil {
		k.t.Fatal(err)
	}
	for d := range k.images {
		named, err := k.store.NamesDigest(k.t.Context(), "shop", d)
		k.must(err)
		if !named {
			delete(k.images, d)
		}
	}
}

// check wants every image there that a Target runs or can go back to.
func (k *keeper) check() {
	k.t.Helper()
	for _, env := range []string{"dev", "prod"} {
		target := k.target(env)
		for _, d := range target.History {
			if !k.images[d.Revision.Artifact] {
				k.t.Fatalf("%s cannot go back to #%d", env, d.Revision.RunNumber)
			}
		}
		for _, r := range []*delivery.Revision{target.Desired.Stable, target.Desired.Canary} {
			if r != nil && !k.images[r.Artifact] {
				k.t.Fatalf("%s runs #%d, whose image is gone", env, r.RunNumber)
			}
		}
	}
	for _, r := range k.releases() {
		if !r.State.Terminal() && !k.images[r.Revision.Artifact] {
			k.t.Fatalf("the image of the open release of #%d is gone", r.Revision.RunNumber)
		}
	}
}

// back rolls back, which must always do.
func (k *keeper) back(env string) {
	target := k.target(env)
	previous := target.Previous()
	if previous == nil || target.Active != "" {
		return
	}
	id := k.rollBack(env, previous.Revision.ID)
	k.pass(20 * time.Minute)
	r := k.wantRelease(id, delivery.ReleaseDeployed)
	if r.Revision.ID != previous.Revision.ID || !k.images[r.Revision.Artifact] {
		k.t.Fatalf("%s went back to %+v, and not to #%d", env, r.Revision, previous.Revision.RunNumber)
	}
}

// TestARollbackWorksAfterAnyPass builds, releases, rolls back and lets go of the past
// in any order.
func TestARollbackWorksAfterAnyPass(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			playWith(t, dated(), func(t *testing.T, w *world) {
				k := &keeper{world: w, t: t, random: rand.New(rand.NewPCG(seed, 1)), images: map[delivery.Digest]bool{}}
				w.apply(app("shop", ""), document("Retention", "default", retention))
				k.build("dev")
				most := 0
				for range 80 {
					env := []string{"dev", "prod"}[k.random.IntN(2)]
					switch k.random.IntN(6) {
					case 0, 1:
						k.build(env)
					case 2:
						k.offer(env)
					case 3:
						k.back(env)
					case 4:
						k.pass(time.Duration(1+k.random.IntN(20)) * 24 * time.Hour)
					case 5:
						k.retain()
					}
					k.check()
					most = max(most, len(k.images))
				}
				k.pass(100 * 24 * time.Hour)
				k.finishReleases("prod")
				_, err := k.Retain(t.Context())
				k.must(err)
				k.retain()
				k.check()
				k.back("prod")
				k.back("dev")
				if runs := len(k.runs()); runs >= k.built || len(k.images) >= k.built {
					t.Errorf("%d runs and %d images are left of %d", runs, len(k.images), k.built)
				}
			})
		})
	}
}

// TestRetentionSaysWhatGoes: the report names what the next pass removes, and the pass
// removes just that.
func TestRetentionSaysWhatGoes(t *testing.T) {
	playWith(t, dated(), func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Retention", "default", retention))
		for digit := range 5 {
			w.build("shop", "pre", fmt.Sprint(digit))
		}
		w.create(engine.CreateRelease{Env: "pre", Run: 1})
		w.pass(31 * 24 * time.Hour)
		report, err := w.Retention(t.Context())
		w.must(err)
		goes := map[string]bool{}
		for _, v := range report.Going {
			goes[v.Name] = true
		}
		if !goes["shop#2"] || !goes["shop#3"] || goes["shop#1"] || goes["shop#4"] || report.Counts.Runs != 2 || report.Counts.Artifacts != 2 {
			t.Fatalf("goes: %+v", report)
		}
		for _, v := range report.Staying {
			if v.Name == "shop#1" && v.Why != "what shop/pre runs" {
				t.Errorf("%+v", v)
			}
		}
		gone, err := w.Retain(t.Context())
		w.must(err)
		if gone.Runs != 2 || gone.Artifacts != 2 || gone.Releases != 0 {
			t.Errorf("gone: %+v", gone)
		}
		if again, err := w.Retain(t.Context()); err != nil || again.Any() {
			t.Errorf("a second pass: %+v, %v", again, err)
		}
		_, err = w.store.RunByNumber(t.Context(), "shop", 2)
		w.refused(err, delivery.NotFound, "shop#2")
		if run := w.build("shop", "pre", "9"); run.Number != 6 {
			t.Errorf("the next run is %s", run.Name())
		}
	})
}
