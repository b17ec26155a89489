package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shiplock/shiplock/internal/deployer/local"
)

func preparing(generation int64, release, run string, limitMS int64, versions ...local.Version) local.Wish {
	w := wish(generation, versions...)
	w.Prepare = &local.Preparation{Version: versions[0].ID, Release: release, Run: run, LimitMS: limitMS}
	return w
}

func replicas(v local.Version, n int) local.Version {
	v.Config.Replicas = n
	return v
}

// The command runs once for a release, in the version's home and with its variables,
// before any of its instances; those that there are serve meanwhile and after.
func TestPrepareOnce(t *testing.T) {
	b := newBench(t)
	b.apply(wish(1, version("r1", 100, "")))
	url := b.healthy(1).URL
	notes := filepath.Join(t.TempDir(), "notes")
	run := "test -x start.sh; test \"$APP_MODE\" = new; echo migrating; echo \"$SHIPLOCK_REVISION\" >>" + notes
	b.apply(preparing(2, "rel-1", run, 10_000, replicas(version("r2", 50, "new"), 3), version("r1", 50, "")))
	b.healthy(2)
	b.apply(preparing(3, "rel-1", run, 10_000, replicas(version("r2", 100, "new"), 4), version("r1", 0, "")))
	o := b.healthy(3)
	b.apply(wish(4, replicas(version("r2", 100, "new"), 5)))
	b.healthy(4)
	if text, err := os.ReadFile(notes); err != nil || string(text) != "r2\n" {
		t.Errorf("it noted %q, %v", text, err)
	}
	if v, _ := o.Version("r2"); !strings.Contains(strings.Join(v.LogTail, "\n"), "migrating") {
		t.Errorf("the log is %q", v.LogTail)
	}
	if revision, status, _ := fetch(t, url); revision != "r2" || status != 200 {
		t.Errorf("%s answers %d", revision, status)
	}
}

// A command that fails, or takes too long, keeps its version from starting, and is not
// begun again for its release.
func TestPrepareFails(t *testing.T) {
	for name, tc := range map[string]struct {
		run     string
		limitMS int64
		want    local.Outcome
		detail  string
	}{
		"exit":   {"echo 'error: no such table'; exit 7", 10_000, local.Failed, "exit status 7"},
		"late":   {"echo waiting; sleep 60 & sleep 60", 300, local.Late, "300ms"},
		"killed": {"kill -9 $$", 10_000, local.Failed, "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.apply(wish(1, version("r1", 100, "")))
			url := b.healthy(1).URL
			notes := filepath.Join(t.TempDir(), "notes")
			bad := func(generation int64) local.VersionStatus {
				b.apply(preparing(generation, "rel-1", "echo ran >>"+notes+"; "+tc.run, tc.limitMS, replicas(version("r2", 50, ""), 2), version("r1", 50, "")))
				var v local.VersionStatus
				b.until("it is given up", func(o local.Observation) bool {
					v, _ = o.Version("r2")
					return o.Generation == generation && v.GaveUp
				})
				return v
			}
			v := bad(2)
			if u := v.Unprepared; u == nil || u.Outcome != tc.want || u.Detail != tc.detail || v.Ready != 0 || len(v.PIDs) != 0 {
				t.Errorf("%+v, %+v", v, u)
			}
			if v = bad(3); v.Unprepared == nil || v.Unprepared.Outcome != tc.want {
				t.Errorf("once more it is %+v", v)
			}
			if text, err := os.ReadFile(notes); err != nil || string(text) != "ran\n" {
				t.Errorf("it noted %q, %v", text, err)
			}
			if revision, status, _ := fetch(t, url); revision != "r1" || status != 200 {
				t.Errorf("%s answers %d", revision, status)
			}
			// Another release of the same version tries again.
			b.apply(preparing(4, "rel-2", "true", 10_000, version("r2", 100, ""), version("r1", 0, "")))
			b.healthy(4)
		})
	}
}

// A command whose supervisor is killed is lost, with what it had started: nobody knows how
// far it came.
func TestPrepareIsLostWithItsSupervisor(t *testing.T) {
	b := detached(t)
	pid := b.ensure()
	notes := filepath.Join(t.TempDir(), "notes")
	w := preparing(1, "rel-1", "echo ran >>"+notes+"; sleep 60 & sleep 60", 120_000, version("r1", 100, ""))
	b.apply(w)
	eventually(t, "it runs", func() bool {
		_, err := os.Stat(notes)
		return err == nil && len(b.processes()) > 1
	})
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.ensure()
	o := b.until("it is given up", func(o local.Observation) bool { return o.Versions[0].GaveUp })
	if u := o.Versions[0].Unprepared; u == nil || u.Outcome != local.Lost {
		t.Errorf("%+v", o.Versions[0])
	}
	b.noProcess()
	if text, err := os.ReadFile(notes); err != nil || string(text) != "ran\n" {
		t.Errorf("it noted %q, %v", text, err)
	}
}
