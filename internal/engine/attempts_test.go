package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func TestStartIsRepeatedUntilItWorks(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.executor.Refuse("start", errAway)
		id := w.startRun("shop", "dev")
		if why, _, tries, waits, err := w.store.WakeWhy(t.Context(), w.run(id).Ref()); err != nil || !waits || tries == 0 || !strings.Contains(why, "start shop-1-build-1: it does not answer") {
			t.Errorf("waits %v after %d tries because %q (%v)", waits, tries, why, err)
		}
		w.pass(3 * time.Second)
		w.executor.Follow(func(string) (error, bool) { return errAway, true }) // done, and the answer lost
		w.pass(10 * time.Second)
		w.executor.Follow(nil)
		w.pass(time.Minute / 2)
		w.claim().succeed(digest("a"))
		if r := w.wantRun(id, delivery.RunSucceeded); r.Jobs[0].Attempt != 1 {
			t.Errorf("it took %d attempts, want one: none was lost", r.Jobs[0].Attempt)
		}
	})
}

func TestClaim(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		good := w.alive()
		change := func(f func(*api.Claim)) error {
			c := good
			f(&c)
			_, err := w.Claim(t.Context(), c)
			return err
		}
		w.refused(change(func(c *api.Claim) { c.Protocols = []int{99} }), delivery.Invalid, "install a runner of the server's version")
		w.refused(change(func(c *api.Claim) { c.Token = "short" }), delivery.Invalid, "at least 20")
		w.refused(change(func(c *api.Claim) { c.Code = "guessed" }), delivery.Denied, "claim code")
		w.refused(change(func(c *api.Claim) { c.Attempt = "shop-1-build-2" }), delivery.Denied, "claim code")
		w.refused(change(func(c *api.Claim) { c.Attempt = "nonsense" }), delivery.Denied, "claim code")
		a, err := w.Claim(t.Context(), good)
		w.must(err)
		if a.Run != "shop#1" || a.Clone.SHA != w.run(id).Commit.SHA || a.Push.Repository != "shop" || a.Push.Username != good.Attempt ||
			a.Push.Password != good.Token || strings.Contains(a.Plan.Image.Base, "{registry}") || a.Heartbeat != 10_000 {
			t.Errorf("assignment: %+v", a)
		}
		w.must(change(func(*api.Claim) {})) // its answer may have been lost
		w.gone(change(func(c *api.Claim) { c.Token = strings.Repeat("x", 40) }))
		w.wantRun(id, delivery.RunRunning)
	})
}

func TestReports(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		step := func(seq int64, state delivery.StepState) api.Report {
			return api.Report{Seq: seq, Step: &delivery.Step{Name: "build", State: state}}
		}
		for _, c := range []struct {
			what    string
			reports []api.Report
			acked   int64
		}{
			{"a sign of life", nil, 0},
			{"the first", []api.Report{step(1, delivery.StepRunning)}, 1},
			{"the same again", []api.Report{step(1, delivery.StepFailed)}, 1},
			{"one after a gap", []api.Report{step(3, delivery.StepFailed)}, 1},
			{"one that is new", []api.Report{step(1, delivery.StepFailed), step(2, delivery.StepSucceeded), step(4, delivery.StepFailed)}, 2},
		} {
			if ack, err := r.send(c.reports...); err != nil || ack.Seq != c.acked || ack.Cancel {
				t.Errorf("%s: %+v %v, want %d acknowledged", c.what, ack, err, c.acked)
			}
		}
		_, err := r.send(api.Report{Seq: 3})
		w.refused(err, delivery.Invalid, "says nothing")
		_, err = r.send(api.Report{Seq: 3, Step: &delivery.Step{Name: "dance"}})
		w.refused(err, delivery.Invalid, "no step")
		other := *r
		other.token = strings.Repeat("x", 40)
		_, err = other.send()
		w.gone(err)
		other = *r
		other.key = "shop-1-build-2"
		_, err = other.send(step(3, delivery.StepFailed))
		w.gone(err)
		if s := w.run(id).Jobs[0].Steps; s[slices.IndexFunc(s, func(s delivery.Step) bool { return s.Name == "build" })].State != delivery.StepSucceeded {
			t.Errorf("steps: %+v", s)
		}
	})
}

// After its end, an attempt is told again what it was told; it may say nothing new,
// push nothing, and is not noticed any more.
func TestReportsAfterTheEnd(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		w.must(w.CheckPush(t.Context(), r.key, r.token, "shop"))
		w.must(w.CheckPull(t.Context(), r.key, r.token))
		w.refused(w.CheckPush(t.Context(), r.key, r.token, "blog"), delivery.Denied, "may not push to blog")
		w.gone(w.CheckPush(t.Context(), r.key, "guessed", "shop"))
		end := good(digest("a"))
		w.must(r.finish(end))
		w.wantRun(id, delivery.RunSucceeded)
		w.pass(time.Hour)
		before := w.run(id)
		for what, reports := range map[string][]api.Report{"its end again": {{Seq: 1, Finish: &end}}, "a sign of life": nil} {
			if ack, err := r.send(reports...); err != nil || ack.Seq != 1 {
				t.Errorf("%s: %+v %v", what, ack, err)
			}
		}
		failed := api.Finish{Outcome: api.OutcomeFailed}
		_, err := r.send(api.Report{Seq: 2, Finish: &failed})
		w.gone(err)
		_, err = r.send(api.Report{Seq: 2, Step: &delivery.Step{Name: "build", State: delivery.StepFailed}})
		w.gone(err)
		w.gone(w.CheckPush(t.Context(), r.key, r.token, "shop"))
		w.gone(w.CheckPull(t.Context(), r.key, r.token))
		if after := w.run(id); after.Version != before.Version {
			t.Errorf("the run changed from version %d to %d", before.Version, after.Version)
		}
	})
}

func TestArtifactIsAClaim(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.images.Any = false
		w.images.Push("blog", digest("b"))
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		finish := func(f api.Finish) error {
			_, err := r.send(api.Report{Seq: 1, Finish: &f})
			return err
		}
		w.refused(finish(api.Finish{Outcome: api.OutcomeSucceeded}), delivery.Invalid, "names none")
		w.refused(finish(good(digest("a"))), delivery.NotFound, "shop@")
		elsewhere := good(digest("b"))
		elsewhere.Artifact.Repository = "blog"
		w.refused(finish(elsewhere), delivery.NotFound, "shop@")
		w.wantRun(id, delivery.RunRunning)
		w.images.Push("shop", digest("a"))
		claim := good(digest("a"))
		claim.Artifact.Size, claim.Artifact.Env, claim.Artifact.RunNumber, claim.Artifact.App = 1, "prod", 99, "blog"
		w.must(r.finish(claim))
		run := w.wantRun(id, delivery.RunSucceeded)
		if a := run.Artifact; a.App != "shop" || a.Env != "dev" || a.RunNumber != 1 || a.Size != 1000 || a.Repository != "shop" {
			t.Errorf("the runner's word was taken: %+v", a)
		}
		if tags := w.images.Tags(); len(tags) != 1 || tags["shop:1-"+run.Commit.Short()] != digest("a") {
			t.Errorf("tags: %v", tags)
		}
		if _, err := w.store.Artifact(t.Context(), "shop", digest("a")); err != nil {
			t.Error(err)
		}
	})
}

// A runner that claims again, after its server's restart, goes on from the last line
// that is kept.
func TestLogs(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.startRun("shop", "dev")
		c := w.alive()
		r := w.claim()
		r.step("build")
		ack, err := w.AppendLog(t.Context(), r.key, r.token, api.LogBatch{First: 1, Lines: make([]api.LogLine, 3)})
		if err != nil || ack.Line != 3 {
			t.Errorf("appended up to %d (%v), want 3", ack.Line, err)
		}
		if a, err := w.Claim(t.Context(), c); err != nil || a.Line != 3 || a.Seq != 1 {
			t.Errorf("the runner goes on after line %d and report %d (%v), want 3 and 1", a.Line, a.Seq, err)
		}
		_, err = w.AppendLog(t.Context(), r.key, "guessed", api.LogBatch{First: 4})
		w.gone(err)
	})
}

func TestLostAttempts(t *testing.T) {
	cause := delivery.Cause{Code: "node.gone", Text: "the node is gone"}
	for name, lose := range map[string]func(*world){
		"the process died": func(w *world) {
			key := w.claim().key
			w.executor.Die(key, &cause)
			w.NudgeAttempt(key)
		},
		"it died before its claim": func(w *world) {
			key := w.alive().Attempt
			w.executor.Die(key, &cause)
			w.NudgeAttempt(key)
		},
		"its runner gave up": func(w *world) {
			w.must(w.claim().finish(api.Finish{Outcome: api.OutcomeLost, Cause: &cause}))
		},
		"its runner was stopped from outside": func(w *world) {
			r := w.claim()
			w.executor.Die(r.key, &cause)
			w.must(r.finish(api.Finish{Outcome: api.OutcomeCanceled}))
		},
		"it was silent": func(w *world) {
			w.claim()
			w.pass(delivery.DefaultRunLimits().Silence)
		},
		"it was never claimed": func(w *world) { w.pass(delivery.DefaultRunLimits().Start) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				id := w.startRun("shop", "dev")
				for attempt := 1; attempt <= 3; attempt++ {
					lose(w)
					w.pass(0)
					if j := w.wantOver(id); attempt < 3 && (j.State != delivery.JobQueued || j.RetryAt.Sub(j.Lost[attempt-1].At) != time.Duration(attempt)*2*time.Second) {
						t.Fatalf("after attempt %d: %+v", attempt, j)
					}
					w.pass(5 * time.Second)
				}
				r := w.wantRun(id, delivery.RunErrored)
				if len(r.Jobs[0].Lost) != 3 || r.Cause() == nil {
					t.Errorf("job: %+v", r.Jobs[0])
				}
				if closed := w.logs.Closed(); !slices.Equal(closed, []string{"shop-1-build-1", "shop-1-build-2", "shop-1-build-3"}) {
					t.Errorf("logs closed of %v", closed)
				}
				for i, end := range w.logs.Ends() {
					if !strings.Contains(end, r.Jobs[0].Lost[i].Cause.Text) {
						t.Errorf("the log of attempt %d ends with %q", i+1, end)
					}
				}
			})
		})
	}
}

// A runner that was stopped from outside knows of it before its executor does, whose
// word on the reason counts; it is not waited for in vain for long.
func TestStoppedFromOutside(t *testing.T) {
	cause := delivery.Cause{Code: delivery.AttemptDisk, Text: "out of disk"}
	for code, learn := range map[string]func(*world, string){
		cause.Code:        func(w *world, key string) { w.executor.Die(key, &cause) },
		"attempt.stopped": func(*world, string) {},
	} {
		t.Run(code, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.apply(app("shop", ""))
				id := w.startRun("shop", "dev")
				r := w.claim()
				said := make(chan error, 1)
				go func() { said <- r.finish(api.Finish{Outcome: api.OutcomeCanceled}) }()
				synctest.Wait()
				if lost := w.run(id).Jobs[0].Lost; len(lost) > 0 {
					t.Fatalf("lost at once: %+v", lost)
				}
				learn(w, r.key)
				w.must(<-said)
				if lost := w.run(id).Jobs[0].Lost; len(lost) != 1 || lost[0].Cause.Code != code {
					t.Errorf("lost %+v", lost)
				}
			})
		})
	}
}

// wantOver wants that no attempt is alive.
func (w *world) wantOver(id delivery.RunID) delivery.Job {
	w.t.Helper()
	if alive := w.executor.Alive(); len(alive) > 0 {
		w.t.Errorf("%d attempts are alive", len(alive))
	}
	return w.run(id).Jobs[0]
}

// A later attempt fences the earlier one: whatever that still says is gone.
func TestStaleAttemptIsFenced(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		stale := w.claim()
		w.executor.Die(stale.key, nil)
		w.NudgeAttempt(stale.key)
		w.pass(5 * time.Second)
		fresh := w.claim() // with the same token, as a copied runner may have
		if fresh.key != "shop-1-build-2" {
			t.Fatalf("the attempt is %s", fresh.key)
		}
		w.gone(stale.finish(good(digest("a"))))
		_, err := stale.send()
		w.gone(err)
		_, err = w.AppendLog(t.Context(), stale.key, stale.token, api.LogBatch{First: 1})
		w.gone(err)
		w.gone(w.CheckPull(t.Context(), stale.key, stale.token))
		w.gone(w.CheckPush(t.Context(), stale.key, stale.token, "shop"))
		if len(w.images.Tags()) > 0 {
			t.Error("a stale attempt wrote a tag")
		}
		fresh.succeed(digest("b"))
		if r := w.wantRun(id, delivery.RunSucceeded); r.Artifact.Digest != digest("b") {
			t.Errorf("artifact: %+v", r.Artifact)
		}
	})
}

func TestHeartbeatsKeepAnAttempt(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		for range 30 {
			w.pass(10 * time.Second)
			if _, err := r.send(); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(w.history(w.run(id).Ref()), "attempt.seen"); n == 0 || n > 8 {
			t.Errorf("%d signs of life kept in 5 minutes of silence limit 3: want a few", n)
		}
		r.succeed(digest("a"))
	})
}

func TestCancel(t *testing.T) {
	cancel := func(w *world, id delivery.RunID) {
		w.t.Helper()
		w.must(w.CancelRun(w.t.Context(), admin(), id, "not needed"))
		w.pass(0)
	}
	check := func(w *world, id delivery.RunID) {
		w.t.Helper()
		r := w.wantRun(id, delivery.RunCanceled)
		if c := r.Cause(); c == nil || c.Text != "canceled by ann: not needed" || r.Artifact != nil || len(w.images.Tags()) > 0 {
			w.t.Errorf("run: %+v", r)
		}
		w.wantOver(id)
	}
	t.Run("queued", func(t *testing.T) {
		playWith(t, capacity(0), func(t *testing.T, w *world) {
			w.apply(app("shop", ""))
			id := w.startRun("shop", "dev")
			cancel(w, id)
			check(w, id)
			cancel(w, id) // again
			if n := count(w.history(w.run(id).Ref()), "cancel.requested"); n != 1 {
				t.Errorf("canceled %d times", n)
			}
		})
	})
	t.Run("not claimed", func(t *testing.T) {
		play(t, func(t *testing.T, w *world) {
			w.apply(app("shop", ""))
			id := w.startRun("shop", "dev")
			c := w.alive()
			cancel(w, id)
			check(w, id)
			_, err := w.Claim(t.Context(), c)
			w.gone(err)
		})
	})
	// Whatever the runner managed to do meanwhile, the cancel was first.
	t.Run("beats success", func(t *testing.T) {
		play(t, func(t *testing.T, w *world) {
			w.apply(app("shop", ""))
			id := w.startRun("shop", "dev")
			r := w.claim()
			w.executor.Refuse("stop", errAway)
			cancel(w, id)
			ack, err := r.send()
			if err != nil || !ack.Cancel {
				t.Errorf("the runner was told %+v, %v", ack, err)
			}
			r.succeed(digest("a"))
			check(w, id)
			if closed := w.logs.Closed(); !slices.Equal(closed, []string{r.key}) {
				t.Errorf("logs closed of %v", closed)
			}
			if ends := w.logs.Ends(); !slices.Equal(ends, []string{""}) {
				t.Errorf("its log ends with %q", ends)
			}
		})
	})
	t.Run("too late", func(t *testing.T) {
		play(t, func(t *testing.T, w *world) {
			w.apply(app("shop", ""))
			r := w.build("shop", "dev", "a")
			w.refused(w.CancelRun(t.Context(), admin(), r.ID, ""), delivery.Conflict, "already succeeded")
		})
	})
}

func TestJobTimeLimit(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(
			document("Stack", "slow", `{"language":"go","build":{"steps":[{"name":"build","run":"true","timeout":"1m"}]},"runtime":{"base":"x"}}`),
			document("App", "shop", `{"repo":"http://git/team/shop","stack":"slow"}`),
		)
		id := w.startRun("shop", "dev")
		r := w.claim()
		limit := w.run(id).Plan.Timeout.Std() + delivery.DefaultRunLimits().Grace
		for range limit / time.Minute {
			w.pass(time.Minute)
			if _, err := r.send(); err != nil {
				t.Fatal(err)
			}
		}
		w.wantRun(id, delivery.RunRunning)
		w.pass(limit % time.Minute)
		if c := w.wantRun(id, delivery.RunFailed).Cause(); c.Code != "job.timeout" {
			t.Errorf("cause: %+v", c)
		}
		w.wantOver(id)
		w.gone(r.finish(good(digest("a"))))
		if len(w.images.Tags()) > 0 {
			t.Error("a fenced report wrote a tag")
		}
	})
}

func TestUserFailure(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		id := w.startRun("shop", "dev")
		r := w.claim()
		r.step("build")
		w.must(r.finish(failure))
		if run := w.wantRun(id, delivery.RunFailed); run.Cause().Text != "build failed" || run.Artifact != nil || run.Release != "" {
			t.Errorf("run: %+v", run)
		}
		if n := len(w.executor.Attempts()); n != 1 {
			t.Errorf("%d attempts: a user's failure is not tried again", n)
		}
	})
}

var failure = api.Finish{Outcome: api.OutcomeFailed, Cause: &delivery.Cause{Code: "step.failed", Text: "build failed"}}
