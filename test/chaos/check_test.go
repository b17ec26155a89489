//go:build e2e

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// waitLimit is how long the world may take to come to rest.
const waitLimit = 2 * time.Minute

// check looks at every run, log, release and process once all is at rest.
func (w *world) check() {
	w.t.Helper()
	runs := w.api.Runs()
	seen := map[string]int{}
	for _, r := range runs {
		seen[r.Commit.SHA]++
		w.checkRun(w.api.Run(r.ID))
	}
	for sha, c := range w.commits {
		if seen[sha] != 1 {
			w.t.Errorf("commit %.8s of %s has %d runs", sha, c.app, seen[sha])
		}
	}
	w.checkReleases()
	w.checkGenerations()
	w.checkNoAttemptLives()
}

func (w *world) checkRun(r api.Run) {
	w.t.Helper()
	c := w.commits[r.Commit.SHA]
	switch {
	case r.SupersededBy != "":
		if r.State != delivery.RunCanceled {
			w.t.Errorf("%s is superseded and %s", r.Name, r.State)
		}
		return
	case c.good && r.State != delivery.RunSucceeded, !c.good && r.State != delivery.RunFailed:
		w.t.Errorf("%s (good: %v) ended as %s: %v", r.Name, c.good, r.State, r.Cause)
	}
	for _, j := range r.Jobs {
		for _, lost := range j.Lost {
			w.checkNeverRan(r, lost)
		}
	}
	if n := w.api.Finishes(r.ID); n != 1 {
		w.t.Errorf("%s was finished %d times", r.Name, n)
	}
	w.checkLog(r)
}

// checkNeverRan allows an attempt to be lost only if the server died between its
// mark that the attempt is started and the start itself: a key is started at most
// once, so that attempt never was, and another one took its place.
func (w *world) checkNeverRan(r api.Run, lost delivery.LostAttempt) {
	w.t.Helper()
	var page api.LogPage
	w.api.Must("GET", fmt.Sprintf("/runs/%s/logs?attempt=%d", r.ID, lost.Attempt), nil, &page)
	if page.Last > 0 {
		w.t.Errorf("%s lost attempt %d after %d lines although only the server was hurt: %s", r.Name, lost.Attempt, page.Last, lost.Cause.Text)
	}
}

// checkLog wants every line of the step's output exactly once and in order.
func (w *world) checkLog(r api.Run) {
	w.t.Helper()
	last, err := harness.LastLine(w.api.LogText(r.ID))
	if err == nil && last != logLines {
		err = fmt.Errorf("it ends at line %d of %d", last, logLines)
	}
	if err != nil {
		w.t.Errorf("%s: its log: %v", r.Name, err)
	}
}

func (w *world) checkReleases() {
	w.t.Helper()
	for _, r := range w.api.Releases() {
		switch r.State {
		case delivery.ReleaseDeployed, delivery.ReleaseSuperseded:
		default:
			w.t.Errorf("release %s of %s/%s is %s: %v", r.ID, r.App, r.Env, r.State, r.Cause)
		}
	}
}

// checkGenerations compares what was wished last with what the deployer holds.
func (w *world) checkGenerations() {
	w.t.Helper()
	for app := range w.repos {
		var generations []int64
		for _, h := range w.api.History(delivery.Ref{Kind: delivery.KindTarget, ID: app + "/dev"}) {
			if h.Name == (delivery.DesiredApplied{}).Name() {
				var e delivery.DesiredApplied
				if err := decode(h.Data, &e); err != nil {
					w.t.Fatal(err)
				}
				generations = append(generations, e.Generation)
			}
		}
		for i := 1; i < len(generations); i++ {
			if generations[i] <= generations[i-1] {
				w.t.Errorf("%s/dev: generation %d was applied after %d", app, generations[i], generations[i-1])
			}
		}
	}
}

// checkNoAttemptLives looks for runners and steps of this installation.
func (w *world) checkNoAttemptLives() {
	w.t.Helper()
	dir := filepath.Join(w.server.Data, "attempts")
	var alive []string
	if !harness.Eventually(20*time.Second, func() bool {
		alive = processesIn(dir)
		return len(alive) == 0
	}) {
		w.t.Errorf("processes of attempts are left: %v", alive)
	}
}

// checkNothingLives looks for any process of this installation.
func (w *world) checkNothingLives() {
	w.t.Helper()
	var alive []string
	if !harness.Eventually(20*time.Second, func() bool {
		alive = processesIn(w.server.Data)
		return len(alive) == 0
	}) {
		w.t.Errorf("processes are left: %v", alive)
	}
}

// processesIn lists the processes whose working directory, command line or
// environment lies in dir.
func processesIn(dir string) []string {
	var found []string
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		if p == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(p, "cwd"))
		args, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(p, "environ"))
		if strings.HasPrefix(cwd, dir) || strings.Contains(string(args), dir) || strings.Contains(string(env), dir) {
			found = append(found, p+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}
