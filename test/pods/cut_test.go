//go:build e2e

package pods

import (
	"flag"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

var silent = flag.Duration("silent", 15*time.Second, "for how long the network of a build that then goes on lets nothing through")

// counting prints lines for half a minute in a first attempt, which has plenty to
// say while nobody hears it, and forty at once in others.
const counting = `case $(hostname) in *-1) n=150; pause=0.2;; *) n=40; pause=0;; esac
echo begun; i=1; while [ $i -le $n ]; do echo "line $i"; i=$((i+1)); sleep $pause; done`

// A network that lets nothing through, and does not say so, holds a build up for as long
// as that lasts; when it lasts longer than a silent runner keeps its job, another one
// gets it. What was acknowledged stays in either case.
func TestClusterCutOff(t *testing.T) {
	n := newWorld(t) // the promised limit
	if !n.space.CanCut() {
		t.Skip("the network of this cluster's pods is not ours to cut")
	}
	impatient := newWorldIn(t, n.space, "--silence", "15s")
	t.Run("goes on", func(t *testing.T) {
		t.Parallel()
		w := n.in(t)
		id, pod := w.count("patient")
		restore := w.space.Cut(t, pod.Status.PodIP)
		time.Sleep(*silent) // what is tested
		restore()
		if r := w.good(id, 5*time.Minute); r.Jobs[0].Attempt != 1 {
			t.Errorf("it took %d attempts: %+v", r.Jobs[0].Attempt, r.Jobs[0].Lost)
		}
		w.checkLines(id, 1, 150)
	})
	t.Run("is fenced", func(t *testing.T) {
		t.Parallel()
		w := impatient.in(t)
		id, pod := w.count("fenced")
		heard := w.heard(id)
		restore := w.space.Cut(t, pod.Status.PodIP)
		w.because(id, "attempt.silent")
		restore()
		r := w.good(id, 5*time.Minute)
		if r.Jobs[0].Attempt != 2 || w.api.Finishes(id) != 1 {
			t.Errorf("it took %d attempts and finished %d times: %+v", r.Jobs[0].Attempt, w.api.Finishes(id), r.Jobs[0].Lost)
		}
		w.checkLines(id, 1, heard)
		w.checkMarked(id, 1)
		w.checkLines(id, 2, 40)
	})
	t.Run("its pod goes meanwhile", func(t *testing.T) {
		t.Parallel()
		w := impatient.in(t)
		id, pod := w.count("dropped")
		heard := w.heard(id)
		restore := w.space.Cut(t, pod.Status.PodIP)
		w.space.DeletePod(t, pod.Name, 0)
		restore()
		if r := w.good(id, 5*time.Minute); r.Jobs[0].Attempt != 2 || w.api.Finishes(id) != 1 {
			t.Errorf("it took %d attempts and finished %d times: %+v", r.Jobs[0].Attempt, w.api.Finishes(id), r.Jobs[0].Lost)
		}
		w.checkLines(id, 1, heard)
		w.checkMarked(id, 1)
		w.checkLines(id, 2, 40)
	})
	t.Run("says more than its runner keeps", func(t *testing.T) {
		t.Parallel()
		n.in(t).testLogGap()
	})
}

// count starts a build that counts, and waits until it does.
func (w *world) count(name string) (delivery.RunID, *core.Pod) {
	w.t.Helper()
	w.api.Apply(w.script(name, counting, ""), app(name, name))
	id := w.start(name, "dev", someCommit)
	w.begun(id)
	return id, w.space.Await(w.t, name+"-1-build-1", func(p *core.Pod) bool { return p.Status.PodIP != "" })
}

// heard is the last line that was shown of a run's first attempt.
func (w *world) heard(id delivery.RunID) int {
	w.t.Helper()
	last, err := harness.LastLine(w.api.AttemptLog(id, 1))
	if err != nil {
		w.t.Fatal(err)
	}
	return last
}

// checkMarked wants the log of a lost attempt to say that it may lack lines.
func (w *world) checkMarked(id delivery.RunID, attempt int) {
	w.t.Helper()
	var log string
	if !harness.Eventually(time.Minute, func() bool {
		log = w.api.AttemptLog(id, attempt)
		return log == "" || strings.Contains(log, "… the attempt was lost: ")
	}) {
		w.t.Errorf("%s, attempt %d was lost, and its log does not say so:\n%s", id, attempt, log)
	}
}

// checkLines wants the lines of an attempt to be in its log, each once and in order, at
// least up to one.
func (w *world) checkLines(id delivery.RunID, attempt, least int) {
	w.t.Helper()
	log := w.api.AttemptLog(id, attempt)
	if last, err := harness.LastLine(log); err != nil || last < least {
		w.t.Errorf("attempt %d: its log ends at line %d, not %d: %v\n%s", attempt, last, least, err, log)
	}
}
