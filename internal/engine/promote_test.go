package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// promoting makes prod take what pre runs, and has shop#1, of commit b, run in pre.
func (w *world) promoting() {
	w.t.Helper()
	w.apply(app("shop", ""), document("Environment", "prod", `{"branch":"release","promote":{"from":"pre"},"rank":4}`))
	w.receive(from(push("h1", "shop", "pre", "b"), "a"))
	w.claim().succeed(digest("1"))
	_, err := w.CreateRelease(w.t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "pre"})
	w.must(err)
	w.pass(time.Second)
}

func TestPromotion(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), document("Environment", "prod", `{"branch":"release","promote":{"from":"pre"},"rank":4}`))
		_, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod"})
		w.refused(err, delivery.Conflict, "nothing of shop runs in pre yet")
		_, err = w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod", From: "prod"})
		w.refused(err, delivery.Invalid, "prod cannot take from itself")

		w.promoting()
		rel, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod"})
		w.must(err)
		pre, err := w.store.Target(t.Context(), "shop", "pre")
		w.must(err)
		source := pre.Running().Revision
		if rel.From != "pre" || rel.Revision.Artifact != source.Artifact || rel.Revision.Run != source.Run || rel.Revision.RunNumber != 1 || rel.Revision.Commit.SHA != sha("b") || rel.Revision.Env != "prod" {
			t.Errorf("promoted: %+v", rel)
		}
	})
}

func TestPromotionOfWhatIsNotHealthy(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting()
		w.deployer.Delay(digest("1"))
		w.Nudge(delivery.Target{App: "shop", Env: "pre"}.Ref())
		w.pass(time.Minute)
		_, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod"})
		w.refused(err, delivery.Conflict, "shop#1 has 0 of 1 instances ready in pre, so it is not promoted")
		rel, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod", Run: 1})
		w.must(err)
		if rel.From != "" || rel.Revision.Artifact != digest("1") {
			t.Errorf("by its run: %+v", rel)
		}
	})
}

func TestBranchMoved(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting()
		w.line("abcde")
		w.at("release", "e")
		must := func(err error) { w.must(err) }
		must(w.PauseTarget(t.Context(), admin(), "shop", "prod", "wait"))
		rel, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: "shop", Env: "prod"})
		must(err)
		moved := func() string {
			t.Helper()
			m, err := w.Moved(t.Context(), rel)
			must(err)
			if m == nil {
				return ""
			}
			return m.String()
		}
		if got := moved(); got != "branch release moved by 3 since bbbbbbbb" {
			t.Errorf("moved: %q", got)
		}
		asked := len(w.past.Calls("ahead "))
		if moved(); len(w.past.Calls("ahead ")) != asked {
			t.Error("git was asked again at once")
		}
		w.at("release", "b")
		w.pass(time.Minute)
		if got := moved(); got != "" {
			t.Errorf("not moved: %q", got)
		}
		w.past.Refuse("heads", errAway)
		w.pass(time.Minute)
		if got := moved(); got != "whether branch release moved cannot be told: it does not answer: connection refused" {
			t.Errorf("unknown: %q", got)
		}
		// A host that hangs keeps nobody waiting for long.
		hang := make(chan struct{})
		w.past.Follow(func(string) (error, bool) { <-hang; return errAway, false })
		w.pass(time.Minute)
		start := time.Now()
		if got := moved(); !strings.Contains(got, "git has not answered yet") || time.Since(start) > 3*time.Second {
			t.Errorf("hanging: %q after %s", got, time.Since(start))
		}
		close(hang)
		rel.State = delivery.ReleaseDeployed
		if got := moved(); got != "" {
			t.Errorf("of one that is over: %q", got)
		}
	})
}

func TestWhereACommitIs(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.promoting()
		w.line("0ab")
		where := func(short, app string) (string, []delivery.Presence, error) {
			targets, err := w.store.Targets(t.Context())
			w.must(err)
			return w.Where(t.Context(), short, app, targets)
		}
		for short, want := range map[string]delivery.Contains{"aaaa": delivery.ContainsYes, "0000000": delivery.ContainsYes, "BBBB": delivery.ContainsYes, "cccc": delivery.ContainsNo} {
			full, all, err := where(short, "shop")
			if err != nil || len(all) != 1 || all[0].Contains != want || all[0].Env != "pre" || all[0].RunNumber != 1 ||
				(full == "") != (want == delivery.ContainsNo) {
				t.Errorf("%s: %q %+v %v", short, full, all, err)
			}
		}
		w.past.Refuse("where", delivery.E(delivery.Denied, "the repository refused the credential"))
		w.pass(time.Minute)
		if _, all, err := where("aaaa", ""); err != nil || all[0].Contains != delivery.ContainsUnknown || all[0].Why != "history not reachable: the repository refused the credential" {
			t.Errorf("without a history: %+v %v", all, err)
		}
		if full, all, err := where("bbbbbb", ""); err != nil || all[0].Contains != delivery.ContainsYes || full != sha("b") {
			t.Errorf("the running commit itself: %q %+v %v", full, all, err)
		}
		_, _, err := where("abc", "")
		w.refused(err, delivery.Invalid, `"abc" is no commit: write the first 4 or more digits`)
		_, _, err = where("main", "")
		w.refused(err, delivery.Invalid, "is no commit")
		_, _, err = where("aaaa", "nope")
		w.refused(err, delivery.NotFound, `there is no app "nope"`)
	})
}
