package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

func sha(digit string) string { return strings.Repeat(digit, 40) }

// tag makes a hook of a tag from one of a branch.
func tag(h delivery.Hook, name string) delivery.Hook {
	h.Push.Branch, h.Push.Tag, h.Push.Before = "", name, sha("0")
	return h
}

func TestTags(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Environment", "pre", `{"branch":"pre","tags":"v*","rank":3}`))
		w.receive(tag(push("h1", "shop", "", "a"), "nightly"))
		w.wantRuns("h1", 0, `no environment builds tag nightly of team/shop: give one the pattern of its tags`)
		w.receive(tag(push("h2", "shop", "", "b"), "v1.2"))
		w.wantRuns("h2", 1, "")
		if r := w.runs()[0]; r.Env != "pre" || r.Commit.Tag != "v1.2" || r.Commit.Branch != "" || r.Commit.SHA != sha("b") {
			t.Errorf("run: %+v", r)
		}
		gone := tag(push("h3", "shop", "", "b"), "v1.2")
		gone.Push.After = ""
		w.receive(gone)
		w.wantRuns("h3", 0, "tag v1.2 was deleted")
	})
}

// A new branch is compared with where it left another one, so that it does not build
// the whole repository.
func TestNewBranchOfAMonorepo(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.mono()
		w.past.Parents = map[string]string{sha("a"): "", sha("b"): sha("a"), sha("c"): sha("b")}
		w.past.Branches = map[string]string{"dev": sha("b"), "main": sha("a"), "test": sha("c")}
		w.forge.Paths = []string{"mail/x"}
		create := func(id, digit string) delivery.Hook {
			h := from(push(id, "mono", "test", digit), "0")
			h.Push.DefaultBranch = "main"
			return h
		}
		w.receive(create("h1", "c"))
		w.wantRuns("h1", 1, "branch test is new, and was compared with dev at bbbbbbbb")
		if calls := w.forge.Calls("changed "); len(calls) != 1 || calls[0] != "changed b c" {
			t.Errorf("git was asked %v", calls)
		}
		w.receive(create("h2", "b")) // it has no commit of its own
		w.wantRuns("h2", 0, "compared with dev at bbbbbbbb; no app builds branch test of team/mono for the changed paths")
		w.past.Branches = nil
		w.receive(create("h3", "d"))
		w.wantRuns("h3", 3, "every app, as git does not say what changed: there is no other branch to compare it with")
	})
}

func TestDeletedBranchCancelsWhatWaits(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("cart", ""))
		for i, name := range []string{"one", "two", "three", "four"} { // takes every place
			w.apply(app(name, ""))
			w.receive(push("busy"+name, name, "dev", "abcd"[i:i+1]))
		}
		w.receive(from(push("h1", "shop", "dev", "b"), "a"), from(push("h2", "shop", "test", "b"), "a"), from(push("h3", "cart", "dev", "b"), "a"))
		waits := w.wantRun(w.hook("h1").Runs[0], delivery.RunQueued).Name() // branches are expanded side by side
		gone := from(push("h4", "shop", "dev", "b"), "b")
		gone.Push.After = ""
		w.receive(gone)
		w.wantRuns("h4", 0, "branch dev was deleted, so what waited for it was canceled: "+waits)
		r := w.wantRun(w.hook("h1").Runs[0], delivery.RunCanceled)
		if r.Cancel == nil || r.Cancel.Reason != "branch dev was deleted" || r.Cancel.By.String() != "hook:gitlab:bob" {
			t.Errorf("canceled: %+v", r.Cancel)
		}
		w.wantRun(w.hook("h2").Runs[0], delivery.RunQueued)
		w.wantRun(w.hook("h3").Runs[0], delivery.RunQueued)
	})
}

// A host that hangs holds up the pushes to its own branches only, and those keep their
// order.
func TestHangingHostHoldsUpNobodyElse(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.mono()
		w.apply(app("shop", ""))
		hang := make(chan struct{})
		w.forge.Follow(func(call string) (error, bool) {
			if strings.HasPrefix(call, "changed ") {
				<-hang
				return errAway, false
			}
			return nil, false
		})
		quick := from(push("quick", "shop", "dev", "d"), "c")
		quick.Push.Repo.ProjectID = "8"
		w.receive(
			from(push("slow1", "mono", "dev", "b"), "a"), from(push("slow2", "mono", "dev", "c"), "b"),
			quick,
		)
		for id, want := range map[string]delivery.HookState{"slow1": delivery.HookReceived, "slow2": delivery.HookReceived, "quick": delivery.HookExpanded} {
			if h := w.hook(id); h.State != want {
				t.Errorf("%s is %s, want %s", id, h.State, want)
			}
		}
		close(hang)
		w.pass(time.Second)
		w.wantRuns("slow1", 3, "every app, as git does not say what changed")
		w.wantRuns("slow2", 3, "every app, as git does not say what changed")
		var order []string
		for _, r := range w.runs() {
			if r.App == "cart" {
				order = append(order, r.Commit.SHA[:1])
			}
		}
		if strings.Join(order, "") != "bc" {
			t.Errorf("runs of %v, want b, c", order)
		}
	})
}

// A storm of pushes to a host that hangs leaves room for the questions to others.
func TestStormOfPushesToAHangingHost(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.mono()
		hang := make(chan struct{})
		w.forge.Paths = []string{"mail/x"}
		w.forge.Follow(func(call string) (error, bool) {
			if call == "changed a b" {
				<-hang
				return errAway, false
			}
			return nil, false
		})
		for i := range 300 {
			h := from(push(fmt.Sprintf("slow%d", i), "mono", "dev", "b"), "a")
			h.Push.Repo.CloneURL, h.Push.Repo.SSHURL = "http://hung/team/mono.git", "http://git/team/mono"
			h.Push.Repo.ProjectID = fmt.Sprint(100 + i)
			w.must(w.ReceiveHook(t.Context(), h))
		}
		w.receive(from(push("quick", "mono", "test", "d"), "c"))
		w.wantRuns("quick", 1, "")
		close(hang)
		w.pass(3 * time.Minute)
		if h := w.hook("slow299"); h.State == delivery.HookReceived {
			t.Errorf("the last of the storm is %s", h.State)
		}
	})
}

func TestPushToAPromotedBranch(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Environment", "prod", `{"branch":"release","promote":{"from":"pre"},"rank":4}`))
		w.receive(from(push("h1", "shop", "release", "b"), "a"))
		w.wantRuns("h1", 0, "prod takes what pre runs, so nothing is built for branch release")
	})
}
