package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestHookMakesRunsOnce(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		h := push("h1", "shop", "dev", "a")
		w.receive(h, h)
		w.receive(h)
		runs := w.runs()
		if len(runs) != 1 {
			t.Fatalf("%d runs, want one", len(runs))
		}
		r := runs[0]
		if r.App != "shop" || r.Env != "dev" || r.Number != 1 || r.Commit.SHA != h.Push.After || r.Hook != "h1" || r.By.String() != "hook:gitlab:bob" {
			t.Errorf("run: %+v", r)
		}
		if got := w.hook("h1"); got.State != delivery.HookExpanded || !slices.Equal(got.Runs, []delivery.RunID{r.ID}) {
			t.Errorf("hook: %+v", got)
		}
		if n := len(w.executor.Attempts()); n != 1 {
			t.Errorf("%d attempts, want one", n)
		}
	})
}

// Two environments may build the same branch, and several apps live in one
// repository: each gets its run, numbered in the order of environments.
func TestHookConcernsAppsByPath(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		at := func(path string) string { return `,"repo":"http://git/team/mono","path":"` + path + `"` }
		w.apply(
			document("App", "cart", `{"stack":"go-1.26"`+at("cart")+`}`),
			document("App", "list", `{"stack":"go-1.26","watch":["lib"]`+at("list")+`}`),
			document("App", "mail", `{"stack":"go-1.26"`+at("mail")+`}`),
			document("Environment", "preview", `{"branch":"dev","rank":0}`),
		)
		w.receive(push("h1", "mono", "dev", "a", "cart/main.go", "lib/x.go"))
		var got []string
		for _, r := range w.runs() {
			got = append(got, r.Name()+" "+r.Env)
		}
		if want := "cart#1 preview, list#1 preview, cart#2 dev, list#2 dev"; strings.Join(got, ", ") != want {
			t.Errorf("runs %v, want %s", got, want)
		}
		w.receive(push("h2", "mono", "dev", "b"))
		if n := len(w.hook("h2").Runs); n != 6 {
			t.Errorf("%d runs of a push whose paths are unknown, want all six", n)
		}
	})
}

func TestHookOfNoInterest(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", `,"path":"src"`))
		deleted := push("h3", "shop", "dev", "a")
		deleted.Push.After = ""
		w.receive(push("h1", "other", "dev", "a"), push("h2", "shop", "feature", "a"), deleted, push("h4", "shop", "dev", "a", "doc/x"))
		for id, says := range map[string]string{
			"h1": "no app builds branch dev of team/other", "h2": "branch feature",
			"h3": "branch dev was deleted", "h4": "for the changed paths",
		} {
			if h := w.hook(id); h.State != delivery.HookIgnored || !strings.Contains(h.Note, says) {
				t.Errorf("%s is %s: %s; want it ignored: %s", id, h.State, h.Note, says)
			}
		}
		if n := len(w.runs()); n != 0 {
			t.Errorf("%d runs", n)
		}
	})
}

// A plan that cannot be made is noted; the others go on.
func TestHookWithABadPlan(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(
			document("Stack", "odd", `{"language":"go","build":{"checkout":"none","steps":[{"name":"x","run":"true"}]},"runtime":{}}`),
			document("App", "bad", `{"repo":"http://git/team/mono","stack":"odd"}`),
			document("App", "fine", `{"repo":"http://git/team/mono","stack":"go-1.26"}`),
		)
		w.forget("Stack", "odd")
		w.receive(push("h1", "mono", "dev", "a"))
		h := w.hook("h1")
		if h.State != delivery.HookExpanded || len(h.Runs) != 1 || !strings.Contains(h.Note, `bad for dev: stack "odd" is not in the catalog`) {
			t.Errorf("hook: %+v", h)
		}
	})
}

// forget deletes a document past the catalog's checks, as an older version's bug
// or a hand in the database may.
func (w *world) forget(kind, name string) {
	w.t.Helper()
	docs, err := w.store.Documents(w.t.Context())
	w.must(err)
	for _, d := range docs {
		if d.Kind == kind && d.Name == name {
			_, err := w.store.Commit(w.t.Context(), &delivery.Change{Documents: []delivery.DocumentChange{{Document: d, Delete: true}}})
			w.must(err)
		}
	}
}

// Pushes to one branch make runs in their order, whoever is woken first; those to
// another branch do not wait for them.
func TestHooksOfABranchKeepTheirOrder(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""))
		idle := w.open(w.path) // takes in, but does not work
		w.must(idle.ReceiveHook(t.Context(), push("h1", "shop", "dev", "a")))
		w.receive(push("h2", "shop", "dev", "b"), push("h3", "shop", "dev", "c"), push("h4", "shop", "test", "d"))
		for id, want := range map[string]delivery.HookState{"h2": delivery.HookReceived, "h3": delivery.HookReceived, "h4": delivery.HookExpanded} {
			if h := w.hook(id); h.State != want {
				t.Errorf("%s is %s, want %s", id, h.State, want)
			}
		}
		w.must(idle.store.Close())
		w.pass(lease)
		var commits []string
		for _, r := range w.runs() {
			if r.Env == "dev" {
				commits = append(commits, r.Commit.SHA[:1])
			}
		}
		if !slices.Equal(commits, []string{"a", "b", "c"}) {
			t.Errorf("runs of %v, want a, b, c", commits)
		}
	})
}
