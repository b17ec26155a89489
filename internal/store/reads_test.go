package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/store"
	"github.com/shiplock/shiplock/internal/store/storetest"
)

func TestRunsFilterAndPage(t *testing.T) {
	s := open(t, store.Config{})
	var runs []*delivery.Run
	for i, env := range []string{"dev", "prod", "dev", "dev"} {
		r := storetest.NewRun(newID(), "shop", env)
		r.Hook = fmt.Sprint("h", i/2)
		runs = append(runs, r)
	}
	runs = append(runs, storetest.NewRun(newID(), "till", "dev"))
	commit(t, s, delivery.Change{Runs: runs})
	canceled, err := runs[0].Apply(delivery.CancelRequested{By: delivery.System(), At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, delivery.Change{Runs: []*delivery.Run{&canceled}})

	for _, c := range []struct {
		filter store.RunFilter
		want   []int
	}{
		{store.RunFilter{Limit: 9}, []int{4, 3, 2, 1, 0}},
		{store.RunFilter{Limit: 2}, []int{4, 3}},
		{store.RunFilter{Limit: 2, Before: runs[3].ID}, []int{2, 1}},
		{store.RunFilter{Limit: 9, App: "shop", Env: "dev"}, []int{3, 2, 0}},
		{store.RunFilter{Limit: 9, App: "shop", Env: "dev", State: delivery.RunQueued, Before: runs[3].ID}, []int{2}},
		{store.RunFilter{Limit: 9, State: delivery.RunCanceled}, []int{0}},
		{store.RunFilter{Limit: 9, State: delivery.RunRunning}, nil},
		{store.RunFilter{Limit: 9, Hook: "h0"}, []int{1, 0}},
		{store.RunFilter{Limit: 9, Apps: []string{}}, nil},
		{store.RunFilter{Limit: 9, Apps: []string{"till"}}, []int{4}},
		{store.RunFilter{Limit: 9, Apps: []string{"a", "b", "shop", "c", "d"}, Env: "dev"}, []int{3, 2, 0}},
		{store.RunFilter{Limit: 9, App: "shop", Apps: []string{"till"}}, nil},
	} {
		found, err := s.Runs(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range found {
			for i := range runs {
				if runs[i].ID == r.ID {
					got = append(got, i)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.filter, diff)
		}
	}
}

func TestReleasesFilterAndPage(t *testing.T) {
	s := open(t, store.Config{})
	var all []*delivery.Release
	for _, state := range []delivery.ReleaseState{delivery.ReleaseDeployed, delivery.ReleaseIsProposed, delivery.ReleaseIsProposed} {
		all = append(all, &delivery.Release{ID: delivery.ReleaseID(newID()), App: "shop", Env: "dev", State: state})
	}
	commit(t, s, delivery.Change{Releases: all})
	found, err := s.Releases(t.Context(), store.ReleaseFilter{App: "shop", Env: "dev", State: delivery.ReleaseIsProposed, Limit: 1, Before: all[2].ID})
	if err != nil || len(found) != 1 || found[0].ID != all[1].ID {
		t.Errorf("got %v, %v", found, err)
	}
	if found, err = s.Releases(t.Context(), store.ReleaseFilter{Limit: 9}); err != nil || len(found) != 3 || found[0].ID != all[2].ID {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestHistoryPages: a page never ends within a version, and the next one goes on
// after it.
func TestHistoryPages(t *testing.T) {
	s := open(t, store.Config{})
	ref := delivery.Ref{Kind: delivery.KindRun, ID: "1"}
	entry := func(version int64, name string) delivery.HistoryEntry {
		return delivery.HistoryEntry{Ref: ref, Version: version, Name: name, Data: []byte(`{"n":1}`)}
	}
	commit(t, s, delivery.Change{History: []delivery.HistoryEntry{entry(1, "a"), entry(1, "b"), entry(2, "c")}})
	commit(t, s, delivery.Change{History: []delivery.HistoryEntry{entry(3, "d"), entry(3, "e")}})
	for _, c := range []struct {
		after int64
		limit int
		want  string
	}{{0, 1, "ab"}, {1, 1, "c"}, {1, 2, "cde"}, {0, 100, "abcde"}, {3, 5, ""}} {
		page, err := s.History(t.Context(), ref, c.after, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, h := range page {
			got += h.Name
		}
		if got != c.want {
			t.Errorf("after %d, %d at least: got %q, want %q", c.after, c.limit, got, c.want)
		}
	}
}

func TestAuditPages(t *testing.T) {
	s := open(t, store.Config{})
	for _, subject := range []string{"a", "b", "c"} {
		commit(t, s, delivery.Change{Audit: []delivery.AuditEntry{{Subject: subject, Actor: delivery.System()}}})
	}
	first, err := s.Audit(t.Context(), 0, 2)
	if err != nil || len(first) != 2 || first[0].Subject != "c" || first[1].Subject != "b" {
		t.Fatalf("got %v, %v", first, err)
	}
	rest, err := s.Audit(t.Context(), first[1].Seq, 2)
	if err != nil || len(rest) != 1 || rest[0].Subject != "a" {
		t.Fatalf("got %v, %v", rest, err)
	}
}

func TestLanes(t *testing.T) {
	s := open(t, store.Config{})
	if lanes, err := s.Lanes(t.Context()); err != nil || len(lanes) != 0 {
		t.Fatalf("without jobs: %v, %v", lanes, err)
	}
	run := func(lane int, facts ...delivery.Event) {
		r := storetest.NewRun(newID(), "shop", "dev")
		r.Lane = lane
		commit(t, s, delivery.Change{Runs: []*delivery.Run{r}})
		if len(facts) == 0 {
			return
		}
		for _, f := range facts {
			next, err := r.Apply(f)
			if err != nil {
				t.Fatal(err)
			}
			*r = next
		}
		commit(t, s, delivery.Change{Runs: []*delivery.Run{r}})
	}
	now := time.Now()
	admitted := delivery.JobAdmitted{Job: "build", At: now}
	run(1)
	run(1, admitted)
	run(1, admitted, delivery.JobFinished{Job: "build", Attempt: 1, Outcome: delivery.JobFailed, At: now})
	run(3, admitted)
	run(3, admitted)
	lanes, err := s.Lanes(t.Context())
	if want := []delivery.LaneUse{{Lane: 3, Taken: 2}, {Lane: 1, Taken: 1, Waiting: 1}}; err != nil || !slices.Equal(lanes, want) {
		t.Errorf("lanes are %v, want %v; %v", lanes, want, err)
	}
}

func TestQueuePosition(t *testing.T) {
	s := open(t, store.Config{})
	now := time.Now()
	run := func(lane int, age time.Duration) *delivery.Run {
		r := storetest.NewRun(newID(), "shop", "dev")
		r.Lane, r.CreatedAt = lane, now.Add(-age)
		commit(t, s, delivery.Change{Runs: []*delivery.Run{r}})
		return r
	}
	young, old, prod := run(1, 0), run(1, time.Minute), run(3, 0)
	for want, r := range map[int]*delivery.Run{1: prod, 2: old, 3: young} {
		if pos, total, err := s.QueuePosition(t.Context(), r.ID); err != nil || pos != want || total != 3 {
			t.Errorf("position %d of %d, want %d of 3, %v", pos, total, want, err)
		}
	}
	if pos, total, err := s.QueuePosition(t.Context(), "none"); err != nil || pos != 0 || total != 0 {
		t.Errorf("a run that does not wait is %d of %d, %v", pos, total, err)
	}
}

func TestWakeWhy(t *testing.T) {
	s := open(t, store.Config{})
	ref := delivery.Ref{Kind: delivery.KindTarget, ID: "shop/dev"}
	if _, _, _, ok, err := s.WakeWhy(t.Context(), ref); ok || err != nil {
		t.Fatal("there is a wake that nobody asked for", err)
	}
	claims := commit(t, s, delivery.Change{Wakes: []delivery.Wake{{Ref: ref}}})
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	if err := s.PutOff(t.Context(), claims[0], at, "the forge does not answer"); err != nil {
		t.Fatal(err)
	}
	why, due, tries, ok, err := s.WakeWhy(t.Context(), ref)
	if err != nil || !ok || why != "the forge does not answer" || !due.Equal(at) || tries != 1 {
		t.Errorf("got %q, %v, %d, %v, %v", why, due, tries, ok, err)
	}
}

func TestMetaFirstWins(t *testing.T) {
	s := open(t, store.Config{})
	for _, value := range []string{"first", "second"} {
		if got, err := s.SetMetaOnce(t.Context(), "secret", value); err != nil || got != "first" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if got, err := s.Meta(t.Context(), "secret"); err != nil || got != "first" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.Meta(t.Context(), "none"); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("an unset key: %v", err)
	}
}

func TestListsAndCounts(t *testing.T) {
	s := open(t, store.Config{})
	r := storetest.NewRun(newID(), "shop", "dev")
	commit(t, s, delivery.Change{
		Runs:    []*delivery.Run{r},
		Targets: []*delivery.Target{{App: "shop", Env: "prod"}, {App: "shop", Env: "dev"}},
		Hooks:   []*delivery.Hook{{ID: "1", State: delivery.HookExpanded}, {ID: "2", State: delivery.HookReceived}},
		Artifacts: []delivery.Artifact{
			{App: "shop", Digest: "sha256:a", CreatedAt: time.UnixMilli(1)}, {App: "shop", Digest: "sha256:b", CreatedAt: time.UnixMilli(2)},
		},
		Wakes: []delivery.Wake{{Ref: r.Ref()}},
	})
	targets, err := s.Targets(t.Context())
	if err != nil || len(targets) != 2 || targets[0].Env != "dev" || targets[1].Version != 1 {
		t.Errorf("targets %v, %v", targets, err)
	}
	hooks, err := s.Hooks(t.Context(), 1)
	if err != nil || len(hooks) != 1 || hooks[0].ID != "2" {
		t.Errorf("hooks %v, %v", hooks, err)
	}
	artifacts, err := s.Artifacts(t.Context(), "shop", 5)
	if err != nil || len(artifacts) != 2 || artifacts[0].Digest != "sha256:b" {
		t.Errorf("artifacts %v, %v", artifacts, err)
	}
	counts, err := s.Counts(t.Context())
	want := store.Counts{HooksReceived: 1, JobsQueued: 1, WakesClaimed: 1, Replicas: 1}
	if err != nil || counts != want {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

func TestNewestHooks(t *testing.T) {
	s := open(t, store.Config{})
	for i, repo := range []string{"till", "shop", "till", "mail", "shop"} {
		h := &delivery.Hook{ID: fmt.Sprint(i), Forge: "gitlab", State: delivery.HookReceived, Push: delivery.Push{Branch: "dev", Repo: delivery.Repo{ProjectID: repo}}}
		commit(t, s, delivery.Change{Hooks: []*delivery.Hook{h}})
	}
	hooks, err := s.NewestHooks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range hooks {
		got = append(got, h.ID)
	}
	if diff := cmp.Diff([]string{"4", "3", "2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
