package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestDrift(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting() // shop#1, of commit b, runs in pre
		w.line("abcd")
		w.past.Parents[sha("e")] = sha("a")
		drift := func(app, env string) []delivery.Divergence {
			t.Helper()
			targets, err := w.store.Targets(t.Context())
			w.must(err)
			all, err := w.Drift(t.Context(), app, env, targets)
			w.must(err)
			return all
		}
		want := func(state delivery.BranchState, text string) {
			t.Helper()
			w.pass(time.Minute) // past what is remembered
			all := drift("", "")
			if len(all) != 1 || all[0].State != state || all[0].String() != text || all[0].Branch != "pre" || all[0].Env != "pre" || all[0].RunNumber != 1 {
				t.Errorf("%+v, want %s", all, text)
			}
		}
		w.at("pre", "b")
		want(delivery.BranchSame, "the head of the branch")
		w.at("pre", "d")
		want(delivery.BranchAhead, "the branch is 2 commits ahead")
		w.at("pre", "a")
		want(delivery.BranchApart, "the branch does not contain this commit: 1 commit outside of it")
		w.at("pre", "e")
		want(delivery.BranchApart, "the branch does not contain this commit: 1 commit outside of it, and it is 1 commit ahead")
		w.at("release", "d")
		want(delivery.BranchGone, "the branch does not exist")
		if all := drift("shop", "prod"); len(all) != 0 {
			t.Errorf("where nothing runs: %+v", all)
		}
		asked := len(w.past.Calls("heads "))
		if drift("", "pre"); len(w.past.Calls("heads ")) != asked {
			t.Error("git was asked again at once")
		}
		w.past.Refuse("heads", errAway)
		want(delivery.BranchUnknown, "not known: it does not answer: connection refused")
	})
}

// A host that hangs leaves those of others known, and nobody waiting for long.
func TestDriftOfHostsThatHang(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting()
		w.line("ab")
		w.at("pre", "b")
		targets, err := w.store.Targets(t.Context())
		w.must(err)
		w.apply(document("App", "till", `{"repo":"https://other.example/group/till.git","stack":"go-1.26"}`))
		for _, one := range targets {
			if one.Env == "pre" {
				one.App = "till"
				targets = append(targets, one)
				break
			}
		}
		hang := make(chan struct{})
		hung := false
		w.past.Follow(func(call string) (error, bool) {
			if !strings.HasPrefix(call, "heads") || hung {
				return nil, true
			}
			hung = true
			<-hang
			return errAway, false
		})
		start := time.Now()
		all, err := w.Drift(t.Context(), "", "", targets)
		w.must(err)
		states := map[delivery.BranchState]int{}
		for _, d := range all {
			states[d.State]++
		}
		if len(all) != 2 || states[delivery.BranchSame] != 1 || states[delivery.BranchUnknown] != 1 || time.Since(start) > 21*time.Second {
			t.Errorf("after %s: %+v", time.Since(start), all)
		}
		close(hang)
	})
}

func TestDriftOfNothing(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting()
		_, err := w.Drift(t.Context(), "nope", "", nil)
		w.refused(err, delivery.NotFound, `there is no app "nope"`)
		_, err = w.Drift(t.Context(), "", "moon", nil)
		w.refused(err, delivery.NotFound, `there is no environment "moon"`)
	})
}
