package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

func inImages(cfg *engine.Config) { cfg.BuildsInImages = true }

// commits says what the commit of startRun holds.
func (w *world) commits(files ...delivery.SourceFile) {
	w.past.Sources = map[string][]delivery.SourceFile{strings.Repeat("ab", 20): files}
}

func openApp() delivery.Document {
	return document("App", "shop", `{"repo":"http://git/team/shop","path":"services/shop","build":{"resources":{"limits":{"memory":"8Gi"}}}}`)
}

// The commit's own files choose the image before anything is started in it.
func TestFilesChooseTheImage(t *testing.T) {
	playWith(t, inImages, func(t *testing.T, w *world) {
		w.apply(openApp())
		w.commits(delivery.SourceFile{Path: "services/shop/go.mod", Text: "module shop\n\ngo 1.25\n"}, delivery.SourceFile{Path: "shiplock.yaml", Text: addsLint})
		id := w.startRun("shop", "dev")
		started := w.executor.Alive()
		if len(started) != 1 || started[0].Image != "docker.io/library/golang:1.26" || started[0].Pod.Resources.Limits["memory"] != "8Gi" {
			t.Fatalf("started: %+v", started)
		}
		run := w.run(id)
		if p := run.Plan; p.Open || p.Stack != "go-1.26" || p.StackWhy != "go.mod: go 1.25" || len(p.Reads) > 0 || stepNames(p) != "checkout build test lint image" {
			t.Errorf("the plan is %+v", p)
		}
		r := w.claim()
		r.step("checkout")
		r.step("lint")
		r.succeed(digest("a"))
		w.wantRun(id, delivery.RunSucceeded)
		if calls := w.past.Calls("files"); len(calls) != 1 || calls[0] != "files services/shop" {
			t.Errorf("git was asked %v", calls)
		}
	})
}

// A machine's own tools build whatever is checked out, so the runner reads the files.
func TestFilesChooseAtTheCheckout(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(openApp())
		w.commits(delivery.SourceFile{Path: "go.mod", Text: "go 1.25\n"})
		id := w.startRun("shop", "dev")
		if !w.run(id).Plan.Open || len(w.executor.Alive()) != 1 || len(w.past.Calls("files")) > 0 {
			t.Errorf("the plan is %+v", w.run(id).Plan)
		}
	})
}

// What is wrong with the files is the user's, and nothing is started for it.
func TestNoImageIsChosen(t *testing.T) {
	for name, tc := range map[string]struct {
		files []delivery.SourceFile
		err   error
		code  string
		says  string
	}{
		"no file":     {nil, nil, "plan.invalid", "write stack into the App"},
		"bad file":    {[]delivery.SourceFile{{Path: "go.mod", Text: "go 1.25\n"}, {Path: "shiplock.yaml", Text: "pod: {}\n"}}, nil, "plan.invalid", "shiplock.yaml:1:1"},
		"no commit":   {nil, delivery.E(delivery.NotFound, "the repository does not have the commit any more"), "checkout.failed", "does not have the commit"},
		"no password": {nil, delivery.E(delivery.Denied, "the repository asks for a password"), "checkout.failed", "asks for a password"},
	} {
		t.Run(name, func(t *testing.T) {
			playWith(t, inImages, func(t *testing.T, w *world) {
				w.apply(openApp())
				w.commits(tc.files...)
				if tc.err != nil {
					w.past.Refuse("files", tc.err)
				}
				run := w.wantRun(w.startRun("shop", "dev"), delivery.RunFailed)
				if c := run.Cause(); c == nil || c.Code != tc.code || !strings.Contains(c.Text, tc.says) {
					t.Errorf("cause is %+v", c)
				}
				if len(w.executor.Alive()) > 0 || len(run.Jobs[0].Lost) > 0 {
					t.Errorf("started %v, lost %v", w.executor.Alive(), run.Jobs[0].Lost)
				}
			})
		})
	}
}

// A host that is away for a moment costs an attempt, as at a checkout; one that stays
// away errs the run.
func TestChoiceOutlivesAGitHost(t *testing.T) {
	playWith(t, inImages, func(t *testing.T, w *world) {
		w.apply(openApp())
		w.commits(delivery.SourceFile{Path: "go.mod", Text: "go 1.25\n"})
		w.past.Refuse("files", delivery.E(delivery.Unavailable, "the repository's server does not answer"))
		id := w.startRun("shop", "dev")
		if lost := w.run(id).Jobs[0].Lost; len(lost) != 1 || lost[0].Cause.Code != "checkout.failed" {
			t.Fatalf("lost: %+v", lost)
		}
		w.past.Follow(nil)
		w.pass(5 * time.Second)
		w.claim().succeed(digest("a"))
		w.wantRun(id, delivery.RunSucceeded)

		w.past.Refuse("files", delivery.E(delivery.Unavailable, "the repository's server does not answer"))
		id = w.startRun("shop", "dev")
		w.pass(time.Minute)
		if run := w.wantRun(id, delivery.RunErrored); len(run.Jobs[0].Lost) != 3 {
			t.Errorf("%d attempts were lost", len(run.Jobs[0].Lost))
		}
	})
}

// While one host hangs, the runs of others start; a cancellation does not wait for it.
func TestChoiceHoldsUpNobody(t *testing.T) {
	playWith(t, inImages, func(t *testing.T, w *world) {
		w.apply(openApp(), app("other", ""))
		w.commits(delivery.SourceFile{Path: "go.mod", Text: "go 1.25\n"})
		release := make(chan struct{})
		w.past.Follow(func(call string) (error, bool) {
			if strings.HasPrefix(call, "files") {
				<-release
			}
			return nil, false
		})
		hanging, canceled := w.startRun("shop", "dev"), w.startRun("shop", "dev")
		other := w.startRun("other", "dev")
		w.must(w.CancelRun(t.Context(), admin(), canceled, ""))
		w.pass(time.Minute - time.Second)
		w.wantRun(canceled, delivery.RunCanceled)
		w.claim().succeed(digest("a"))
		w.wantRun(other, delivery.RunSucceeded)
		close(release)
		w.pass(3 * time.Second)
		if run := w.run(hanging); run.Plan.Open || len(w.executor.Alive()) != 1 {
			t.Errorf("state %s, plan %+v", run.State(), run.Plan)
		}
	})
}
