package delivery_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"pgregory.net/rapid"
)

func TestRepoIs(t *testing.T) {
	repo := delivery.Repo{
		Path: "group/sub/shop", CloneURL: "https://git.example.com/group/sub/shop.git",
		SSHURL: "git@git.example.com:group/sub/shop.git", WebURL: "https://git.example.com/group/sub/shop",
	}
	for setting, want := range map[string]bool{
		"group/sub/shop":                                    true,
		"Group/Sub/Shop":                                    true,
		"/group/sub/shop":                                   true,
		"https://git.example.com/group/sub/shop":            true,
		"https://git.example.com/group/sub/shop.git":        true,
		"https://git.example.com/group/sub/shop.git/":       true,
		"HTTPS://Git.Example.com/group/sub/shop":            true,
		"http://git.example.com/group/sub/shop.git":         true,
		"https://bot:secret@git.example.com/group/sub/shop": true,
		"ssh://git@git.example.com/group/sub/shop.git":      true,
		"git@git.example.com:group/sub/shop.git":            true,
		" https://git.example.com/group/sub/shop ":          true,
		"git.example.com/group/sub/shop":                    true,
		"":                                                  false,
		"  ":                                                false,
		"shop":                                              false,
		"sub/shop":                                          false,
		"group/sub/shop2":                                   false,
		"group/sub":                                         false,
		"https://other.example.com/group/sub/shop":          false,
		"https://git.example.com.evil.example/group/sub/shop": false,
		"git@other.example.com:group/sub/shop.git":            false,
		"https://git.example.com:8443/group/sub/shop":         false,
	} {
		if got := repo.Is(setting); got != want {
			t.Errorf("Is(%q) is %v", setting, got)
		}
	}
	local := delivery.Repo{CloneURL: "file:///srv/Git/shop.git"}
	if !local.Is("file:///srv/Git/shop") || local.Is("file:///srv/git/shop") {
		t.Error("a path keeps its case")
	}
	if (delivery.Repo{}).Is("") {
		t.Error("nothing is no repository")
	}
}

func TestConcernedBy(t *testing.T) {
	root := delivery.App{}
	module := delivery.App{Path: "services/shop", Watch: []string{"libs/money", "go.mod"}}
	for _, tc := range []struct {
		app   delivery.App
		paths []string
		want  bool
	}{
		{root, nil, true},
		{root, []string{"anything"}, true},
		{module, nil, false},
		{module, []string{"services/shop/main.go"}, true},
		{module, []string{"services/shop"}, true},
		{module, []string{"services/shopping/main.go"}, false},
		{module, []string{"services"}, false},
		{module, []string{"libs/money/eur.go"}, true},
		{module, []string{"libs/moneyed.go"}, false},
		{module, []string{"go.mod"}, true},
		{module, []string{"go.mod.bak", "README.md"}, false},
		{module, []string{"README.md", "services/shop/a/b/c"}, true},
	} {
		if got := tc.app.ConcernedBy(tc.paths); got != tc.want {
			t.Errorf("path %q is concerned by %q: %v", tc.app.Path, tc.paths, got)
		}
	}
}

func TestStrategy(t *testing.T) {
	manual := delivery.Hold{Manual: true}
	for name, tc := range map[string]struct {
		batches string
		ok      bool
		kind    string
		steps   string
	}{
		"empty":             {`[]`, true, "full", "[{100 none}]"},
		"one canary":        {`[{"percent":25,"hold":"manual"}]`, true, "canary", "[{25 manual} {100 none}]"},
		"an explicit 100":   {`[{"percent":25,"hold":"10m"},{"percent":100}]`, true, "canary", "[{25 10m0s} {100 none}]"},
		"only 100":          {`[{"percent":100}]`, true, "full", "[{100 none}]"},
		"zero":              {`[{"percent":0}]`, false, "canary", "[{0 none} {100 none}]"},
		"above all":         {`[{"percent":101}]`, false, "full", "[{101 none} {100 none}]"},
		"not ascending":     {`[{"percent":50},{"percent":50}]`, false, "canary", "[{50 none} {50 none} {100 none}]"},
		"100 cannot hold":   {`[{"percent":100,"hold":"manual"}]`, false, "full", "[{100 manual}]"},
		"100 is the last":   {`[{"percent":100},{"percent":50}]`, false, "canary", "[{100 none} {50 none} {100 none}]"},
		"a share of nobody": {`[{"percent":-5}]`, false, "canary", "[{-5 none} {100 none}]"},
	} {
		t.Run(name, func(t *testing.T) {
			var s delivery.Strategy
			if err := json.Unmarshal([]byte(`{"batches":`+tc.batches+`}`), &s); err != nil {
				t.Fatal(err)
			}
			err := s.Check()
			if (err == nil) != tc.ok || err != nil && delivery.KindOf(err) != delivery.Invalid {
				t.Errorf("Check: %v", err)
			}
			if s.Kind() != tc.kind {
				t.Errorf("kind %s", s.Kind())
			}
			if got := fmt.Sprint(s.Steps()); got != tc.steps {
				t.Errorf("steps %s, want %s", got, tc.steps)
			}
		})
	}
	s := delivery.Strategy{Batches: make([]delivery.Batch, 1, 4)}
	s.Batches[0] = delivery.Batch{Percent: 25, Hold: manual}
	s.Steps()[0].Percent = 99
	if s.Batches[0].Percent != 25 {
		t.Error("Steps shares its memory with the strategy")
	}
}

func TestHoldText(t *testing.T) {
	for in, want := range map[string]string{"manual": "manual", "none": "none", "": "none", "0s": "none", "90s": "1m30s", "10m": "10m0s"} {
		var h delivery.Hold
		if err := h.UnmarshalText([]byte(in)); err != nil || h.String() != want {
			t.Errorf("%q reads as %s, %v", in, h, err)
		}
		var again delivery.Hold
		if b, _ := h.MarshalText(); again.UnmarshalText(b) != nil || again != h {
			t.Errorf("%q does not survive writing", in)
		}
	}
	for _, in := range []string{"Manual", "10", "-5m", "soon", " 5m"} {
		var h delivery.Hold
		if err := h.UnmarshalText([]byte(in)); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q reads as %s, %v", in, h, err)
		}
	}
}

func TestDurationText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := delivery.Duration(rapid.Int64Min(0).Draw(rt, "d"))
		var got delivery.Duration
		if b, err := json.Marshal(d); err != nil || json.Unmarshal(b, &got) != nil || got != d {
			rt.Fatalf("%s became %s", d, got)
		}
	})
	for _, in := range []string{"", "10", "-1s", "1 day", "1e3s"} {
		d := delivery.Duration(7)
		if err := d.UnmarshalText([]byte(in)); delivery.KindOf(err) != delivery.Invalid || d != 7 {
			t.Errorf("%q reads as %s, %v", in, d, err)
		}
	}
	if delivery.Duration(0).Or(time.Second) != time.Second || delivery.Duration(5).Or(time.Second) != 5 {
		t.Error("Or is for zero only")
	}
}

func TestAttemptKeyRoundTrip(t *testing.T) {
	for _, app := range []string{"shop", "a-1-build-2", "x", "shop-12", "a-1", "a--b", strings.Repeat("a", 40)} {
		r := delivery.Run{App: app, Number: 17}
		key := r.AttemptKey(delivery.Job{Name: build, Attempt: 3})
		gotApp, number, job, attempt, err := delivery.ParseAttemptKey(key)
		if err != nil || gotApp != app || number != 17 || job != build || attempt != 3 {
			t.Errorf("%s reads as %s %d %s %d, %v", key, gotApp, number, job, attempt, err)
		}
		if len(key) > 63 {
			t.Errorf("%s is %d long: no pod can have that name", key, len(key))
		}
	}
	for _, key := range []string{
		"", "shop", "shop-build-1", "shop-x-build-1", "shop-1-build-x", "shop-0-build-1", "shop-1-build-0",
		"-1-build-1", "Shop-1-build-1", "1shop-1-build-1", "shop--1-build-1-", strings.Repeat("a", 41) + "-1-build-1",
		"shop/../x-1-build-1", "shop-1-build-99999999999999999999",
	} {
		if app, n, job, a, err := delivery.ParseAttemptKey(key); delivery.KindOf(err) != delivery.NotFound {
			t.Errorf("%q reads as %s %d %s %d, %v", key, app, n, job, a, err)
		}
	}
}

func TestRevisionIDIsItsContent(t *testing.T) {
	a := delivery.Artifact{App: "shop", Digest: "sha256:a", Repository: "shop", Run: "run-1", RunNumber: 1, Commit: delivery.Commit{SHA: "c0ffee"}}
	c := delivery.Config{Variables: map[string]string{"A": "1", "B": "2"}, Home: "/home/services", Replicas: 1}
	r := delivery.NewRevision(a, "prod", c)
	if !strings.HasPrefix(string(r.ID), "sha256:") || len(r.ID) != len("sha256:")+64 {
		t.Fatalf("id %q", r.ID)
	}
	if r.Run != "run-1" || r.RunNumber != 1 || r.Commit.SHA != "c0ffee" {
		t.Errorf("people know it by %+v", r)
	}
	again := a
	again.Run, again.RunNumber, again.Commit, again.CreatedAt, again.Size = "run-2", 2, delivery.Commit{SHA: "beef"}, t0, 7
	if delivery.NewRevision(again, "prod", c).ID != r.ID {
		t.Error("the same content built again is another revision")
	}
	others := map[string]delivery.Revision{
		"digest":      delivery.NewRevision(delivery.Artifact{App: "shop", Digest: "sha256:b", Repository: "shop"}, "prod", c),
		"app":         delivery.NewRevision(delivery.Artifact{App: "till", Digest: "sha256:a", Repository: "shop"}, "prod", c),
		"repository":  delivery.NewRevision(delivery.Artifact{App: "shop", Digest: "sha256:a", Repository: "till"}, "prod", c),
		"environment": delivery.NewRevision(a, "pre", c),
		"config":      delivery.NewRevision(a, "prod", delivery.Config{Variables: map[string]string{"A": "1", "B": "3"}, Home: "/home/services", Replicas: 1}),
	}
	seen := map[delivery.RevisionID]string{r.ID: "itself"}
	for what, o := range others {
		if same, known := seen[o.ID]; known {
			t.Errorf("another %s is the same revision as %s", what, same)
		}
		seen[o.ID] = what
	}
}

func TestHashJSON(t *testing.T) {
	type m = map[string]int
	if delivery.HashJSON(m{"a": 1, "b": 2}) != delivery.HashJSON(m{"b": 2, "a": 1}) {
		t.Error("the order of a map counts")
	}
	const empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // sha256 of "{}"
	if got := delivery.HashJSON(m{}); got != empty {
		t.Errorf("got %s", got)
	}
}

func TestStatusOf(t *testing.T) {
	at := func(events ...delivery.Event) delivery.Run {
		r := newRun()
		r.Env = "dev"
		for _, e := range events {
			next, err := r.Apply(e)
			if err != nil {
				t.Fatal(err)
			}
			r = next
		}
		return r
	}
	admit := delivery.JobAdmitted{Job: build, At: t0}
	lost := delivery.AttemptLost{Job: build, Attempt: 1, Cause: delivery.Cause{Text: "the node died"}, At: t0}
	final := lost
	final.Final = true
	finish := func(o delivery.JobState, c *delivery.Cause) delivery.Event {
		return delivery.JobFinished{Job: build, Attempt: 1, Outcome: o, Cause: c, At: t0}
	}
	for name, tc := range map[string]struct {
		run   delivery.Run
		state delivery.CommitState
		text  string
	}{
		"queued":         {at(), delivery.CommitPending, "shop#1 is queued"},
		"running":        {at(admit), delivery.CommitRunning, "shop#1 is running"},
		"waits to retry": {at(admit, lost), delivery.CommitRunning, "shop#1 is running: the node died"},
		"succeeded":      {at(admit, finish(delivery.JobSucceeded, nil)), delivery.CommitSuccess, "shop#1 succeeded"},
		"failed":         {at(admit, finish(delivery.JobFailed, &delivery.Cause{Text: "exit 2"})), delivery.CommitFailed, "shop#1 failed: exit 2"},
		"errored":        {at(admit, final), delivery.CommitFailed, "shop#1 failed: the node died"},
		"canceled":       {at(delivery.CancelRequested{By: ann, Reason: "typo", At: t0}), delivery.CommitCanceled, "shop#1 was canceled: canceled by ann: typo"},
		"superseded":     {at(delivery.RunSuperseded{By: "run-2", At: t0}), delivery.CommitCanceled, "shop#1 was canceled: superseded by a newer push to the same branch"},
	} {
		t.Run(name, func(t *testing.T) {
			want := delivery.CommitStatus{
				ProjectID: "7", SHA: "c0ffee", Ref: "dev", Context: "shiplock/shop/dev", State: tc.state, Description: tc.text,
			}
			if got := delivery.StatusOf(tc.run); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
