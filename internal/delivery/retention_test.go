package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// madeAt is a UUIDv7 of a time.
func madeAt(at time.Time, n int) string {
	hex := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", hex[:8], hex[8:], n)
}

func digestNamed(n int) Digest { return Digest(fmt.Sprintf("sha256:%064x", n)) }

var today = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

func TestTimeOfID(t *testing.T) {
	for _, at := range []time.Time{today, time.UnixMilli(0).UTC(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got, ok := timeOf(madeAt(at, 1)); !ok || !got.Equal(at) {
			t.Errorf("%v is %v, %v", at, got, ok)
		}
	}
	for _, id := range []string{"", "run-1", "0192e7f0-0000-4000-8000-000000000001", "zzzzzzzz-zzzz-7000-8000-000000000001"} {
		if at, ok := timeOf(id); ok {
			t.Errorf("%q is of %v", id, at)
		}
	}
}

// A run goes exactly when nothing keeps it. The table is every combination of what
// may keep one.
func TestEveryReasonToKeepARun(t *testing.T) {
	policy := Retention{Runs: 2, Age: Duration(90 * day)}
	for _, old := range []bool{true, false} {
		for _, state := range []RunState{RunQueued, RunRunning, RunSucceeded, RunFailed, RunErrored, RunCanceled} {
			for _, newer := range []int{1, 2} {
				for _, newerSucceeded := range []bool{true, false} {
					for _, newerPushed := range []bool{true, false} {
						for _, by := range []string{"", "stable", "canary", "history", "open", "base"} {
							at := today.Add(-day)
							if old {
								at = today.Add(-91 * day)
							}
							run := PastRun{ID: RunID(madeAt(at, 1)), Number: 1, Env: "prod", State: state, Pushed: true}
							if state == RunSucceeded {
								run.Artifact = digestNamed(1)
							}
							past := Past{App: "shop", Runs: []PastRun{run}}
							for i := range newer {
								n := PastRun{ID: RunID(madeAt(today, i+2)), Number: i + 2, Env: "prod", State: RunFailed, Pushed: newerPushed}
								if newerSucceeded {
									n.State, n.Artifact = RunSucceeded, digestNamed(i+2)
								}
								past.Runs = append(past.Runs, n)
							}
							name(&past, by, Revision{Run: run.ID, Artifact: digestNamed(1)})
							stays := !old || !state.Terminal() || newer < 2 || by != "" ||
								state == RunSucceeded && !newerSucceeded || !newerPushed
							v := find(t, policy.Judge(today, past), KeptRun, string(run.ID))
							if v.Go == stays || v.Why == "" || v.Old != old {
								t.Errorf("old %v, %s, %d newer (succeeded %v, pushed %v), named by %q: %+v", old, state, newer, newerSucceeded, newerPushed, by, v)
							}
						}
					}
				}
			}
		}
	}
}

// name has a Target or a release name a revision.
func name(p *Past, by string, r Revision) {
	target := Target{App: "shop", Env: "prod"}
	switch by {
	case "stable":
		target.Desired.Stable = &r
	case "canary":
		target.Desired.Canary = &r
	case "history":
		target.History = []Deployed{{Revision: r, Release: "r1"}, {Revision: Revision{Artifact: digestNamed(99)}}}
	case "open":
		p.Open = []Release{{ID: "open", App: "shop", Env: "prod", Revision: r, State: ReleaseIsProposed}}
	case "base":
		p.Open = []Release{{ID: "open", App: "shop", Env: "prod", Base: &r, State: ReleaseRolling}}
	}
	p.Targets = []Target{target}
}

func find(t *testing.T, all []Verdict, kind, id string) Verdict {
	t.Helper()
	for _, v := range all {
		if v.Kind == kind && v.ID == id {
			return v
		}
	}
	t.Fatalf("no verdict on %s %s in %+v", kind, id, all)
	return Verdict{}
}

// An artifact goes exactly when it is old and neither a run that stays made it nor
// anything names it.
func TestEveryReasonToKeepAnArtifact(t *testing.T) {
	policy := Retention{Runs: 1, Age: Duration(90 * day)}
	for _, old := range []bool{true, false} {
		for _, maker := range []string{"gone", "stays", "was forgotten before"} {
			for _, by := range []string{"", "stable", "canary", "history", "open", "base"} {
				at := today.Add(-91 * day)
				past := Past{App: "shop", Runs: []PastRun{{ID: RunID(madeAt(today, 9)), Number: 9, Env: "prod", State: RunSucceeded, Artifact: digestNamed(9)}}}
				switch maker {
				case "gone":
					past.Runs = append(past.Runs, PastRun{ID: RunID(madeAt(at, 1)), Number: 1, Env: "prod", State: RunSucceeded, Artifact: digestNamed(1)})
				case "stays":
					past.Runs = append(past.Runs, PastRun{ID: RunID(madeAt(today, 1)), Number: 1, Env: "prod", State: RunSucceeded, Artifact: digestNamed(1)})
				}
				if !old {
					at = today
				}
				past.Artifacts = []PastArtifact{{Digest: digestNamed(1), CreatedAt: at}}
				name(&past, by, Revision{Artifact: digestNamed(1)})
				stays := !old || maker == "stays" || by != ""
				if v := find(t, policy.Judge(today, past), KeptArtifact, string(digestNamed(1))); v.Go == stays || v.Old != old {
					t.Errorf("old %v, its run %s, named by %q: %+v", old, maker, by, v)
				}
			}
		}
	}
}

func TestEveryReasonToKeepARelease(t *testing.T) {
	policy := Retention{Runs: 2, Age: Duration(90 * day)}
	for _, old := range []bool{true, false} {
		for _, state := range []ReleaseState{ReleaseIsProposed, ReleaseRolling, ReleasePaused, ReleaseDeployed, ReleaseAborted, ReleaseFailed, ReleaseCanceled, ReleaseSuperseded} {
			for _, newer := range []int{1, 2} {
				for _, by := range []string{"", "active", "history"} {
					at := today
					if old {
						at = today.Add(-91 * day)
					}
					id := ReleaseID(madeAt(at, 1))
					past := Past{App: "shop", Releases: []PastRelease{{ID: id, Env: "prod", State: state}}}
					for i := range newer {
						past.Releases = append(past.Releases, PastRelease{ID: ReleaseID(madeAt(today.Add(time.Minute), i+2)), Env: "prod", State: ReleaseDeployed})
					}
					target := Target{App: "shop", Env: "prod"}
					switch by {
					case "active":
						target.Active = id
					case "history":
						target.History = []Deployed{{Release: id}}
					}
					past.Targets = []Target{target}
					stays := !old || !state.Terminal() || newer < 2 || by != ""
					if v := find(t, policy.Judge(today, past), KeptRelease, string(id)); v.Go == stays {
						t.Errorf("old %v, %s, %d newer, named by %q: %+v", old, state, newer, by, v)
					}
				}
			}
		}
	}
}

// Runs of one environment do not count for another.
func TestEnvironmentsAreKeptApart(t *testing.T) {
	past := Past{App: "shop", Runs: []PastRun{
		{ID: RunID(madeAt(today.Add(-200*day), 1)), Number: 1, Env: "prod", State: RunFailed},
		{ID: RunID(madeAt(today.Add(-199*day), 2)), Number: 2, Env: "dev", State: RunFailed},
		{ID: RunID(madeAt(today, 3)), Number: 3, Env: "dev", State: RunFailed},
	}}
	var got []string
	for _, v := range (Retention{Runs: 1}).Judge(today, past) {
		got = append(got, fmt.Sprintf("%s %v: %s", v.Name, v.Go, v.Why))
	}
	want := []string{
		"shop#3 false: one of the newest 1 of shop in dev",
		"shop#2 true: older than 90d, and nothing needs it",
		"shop#1 false: one of the newest 1 of shop in prod",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLogsGoEarlierThanRuns(t *testing.T) {
	p := Retention{Logs: Duration(30 * day), Age: Duration(90 * day)}
	over, open := &PastRun{State: RunFailed}, &PastRun{State: RunRunning}
	for _, c := range []struct {
		age  time.Duration
		run  *PastRun
		want bool
	}{
		{29 * day, over, false}, {31 * day, over, true}, {31 * day, open, false}, {400 * day, open, false},
		{29 * day, nil, false}, {31 * day, nil, true},
	} {
		if why := p.JudgeLog(today, today.Add(-c.age), c.run); (why != "") != c.want {
			t.Errorf("%v old, run %+v: %q", c.age, c.run, why)
		}
	}
}
