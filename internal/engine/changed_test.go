package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// mono puts three apps of one repository into the catalog, each in its own folder.
func (w *world) mono() {
	w.t.Helper()
	var docs []delivery.Document
	for _, name := range []string{"cart", "list", "mail"} {
		docs = append(docs, document("App", name, `{"stack":"go-1.26","repo":"http://git/team/mono","path":"`+name+`"}`))
	}
	w.apply(docs...)
}

// from says what a push's branch pointed to before.
func from(h delivery.Hook, digit string) delivery.Hook {
	h.Push.Before = strings.Repeat(digit, 40)
	return h
}

// wantRuns compares the names of a hook's runs, and what its note says.
func (w *world) wantRuns(id string, want int, says string) {
	w.t.Helper()
	h := w.hook(id)
	if len(h.Runs) != want || !strings.Contains(h.Note, says) || says == "" && h.Note != "" {
		w.t.Errorf("%s has %d runs and says %q; want %d, …%s…", id, len(h.Runs), h.Note, want, says)
	}
}

func TestChangedPathsComeFromGit(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.mono()
		w.apply(app("shop", ""))
		w.forge.Paths = []string{"cart/main.go", "README.md"}
		w.receive(from(push("h1", "mono", "dev", "b"), "a"))
		w.wantRuns("h1", 1, "")
		if r := w.runs()[0]; r.App != "cart" {
			t.Errorf("a run of %s, want cart", r.App)
		}
		w.forge.Paths = nil // a branch moved to a commit with the same files
		w.receive(from(push("h2", "mono", "dev", "c"), "b"))
		w.wantRuns("h2", 0, "for the changed paths")

		asked := len(w.forge.Calls("changed "))
		w.receive(
			from(push("h3", "mono", "dev", "d", "mail/x"), "c"), // the forge said all
			from(push("h4", "mono", "feature", "e"), "c"),       // nobody builds it
			from(push("h5", "shop", "dev", "f"), "c"),           // its app is the whole repository
		)
		w.wantRuns("h3", 1, "")
		w.wantRuns("h5", 1, "")
		if n := len(w.forge.Calls("changed ")); n != asked {
			t.Errorf("git was asked %d times more than needed", n-asked)
		}
	})
}

// Without an answer of git every app is built: too much, and never too little.
func TestChangedPathsUnknown(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.mono()
		w.forge.Refuse("changed", errAway)
		w.receive(from(push("h1", "mono", "dev", "b"), "a"))
		w.wantRuns("h1", 3, "every app, as git does not say what changed: it does not answer")
		w.forge.Refuse("changed", nil)
		w.forge.Paths = []string{"cart/x"}
		w.receive(from(push("h2", "mono", "dev", "c"), "b"))
		w.wantRuns("h2", 3, "git did not answer a moment ago")
		w.pass(time.Minute)
		w.receive(from(push("h3", "mono", "dev", "d"), "c"))
		w.wantRuns("h3", 1, "")
		w.forge.Refuse("changed", delivery.E(delivery.NotFound, "the commit is gone"))
		w.receive(from(push("h4", "mono", "dev", "e"), "d"))
		w.wantRuns("h4", 3, "the commit is gone")
		w.forge.Refuse("changed", nil)
		w.receive(from(push("h5", "mono", "dev", "f"), "e"))
		w.wantRuns("h5", 1, "") // only a host that does not answer is left alone
	})
}

// A project's hook and its group's tell of one push: it is built once.
func TestTwoHooksOfOnePush(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		w.receive(from(push("project", "shop", "dev", "b"), "a"), from(push("group", "shop", "dev", "b"), "a"))
		w.wantRuns("project", 1, "")
		w.wantRuns("group", 0, "shop for dev: the same push made shop#1")

		// Back to an older commit, and then to the newer one once more, are new pushes.
		w.receive(from(push("back", "shop", "dev", "a"), "b"), from(push("forth", "shop", "dev", "b"), "a"))
		w.wantRuns("back", 1, "")
		w.wantRuns("forth", 1, "")
		w.receive(from(push("moved", "shop", "dev", "b"), "c"))
		w.wantRuns("moved", 1, "")
	})
}

// Sending a hook again asks for another run when the first one did not succeed, or is
// long ago.
func TestTheSamePushAgain(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		again := func(id string) delivery.Hook { return from(push(id, "shop", "dev", "b"), "a") }
		w.receive(again("h1"))
		w.must(w.CancelRun(t.Context(), admin(), w.hook("h1").Runs[0], ""))
		w.receive(again("h2"))
		w.wantRuns("h2", 1, "")
		w.receive(again("h3"))
		w.wantRuns("h3", 0, "the same push made shop#2")
		w.pass(11 * time.Minute)
		w.receive(again("h4"))
		w.wantRuns("h4", 1, "")
	})
}
